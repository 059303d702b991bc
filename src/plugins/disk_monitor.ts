import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Systeminformation } from "systeminformation";
import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { NothingHere } from "../model/run.ts";
import type { MetricSpec, Rejection, Sample } from "../model/sample.ts";

const filesystem = { labels: ["device", "mountpoint", "fstype"], maxSeries: 256 } as const;
const disk = { type: "counter", labels: ["device"], maxSeries: 512 } as const;

const METRICS = {
  filesystem_size_bytes: { ...filesystem, help: "Size of the file system.", unit: "bytes" },
  filesystem_avail_bytes: { ...filesystem, help: "Space that unprivileged users can still write.", unit: "bytes" },
  filesystem_used_ratio: {
    ...filesystem,
    help: "Share of the space open to unprivileged users that is used, as df shows it.",
    unit: "ratio",
    alert: [
      {
        name: "filesystem_filling",
        op: "gt",
        threshold: 0.8,
        for: "15m",
        severity: "warning",
        summary: "A file system is more than 80 % full.",
      },
      {
        name: "filesystem_almost_full",
        op: "gt",
        threshold: 0.95,
        for: "5m",
        severity: "critical",
        summary: "A file system is more than 95 % full.",
      },
    ],
  },
  filesystem_files: { ...filesystem, help: "Inodes of the file system; 0 where it has no fixed number." },
  filesystem_files_free: { ...filesystem, help: "Free inodes of the file system." },
  filesystem_readonly: {
    ...filesystem,
    help: "Whether the file system is mounted read-only.",
    alert: [
      {
        name: "filesystem_readonly",
        op: "eq",
        threshold: 1,
        for: "5m",
        severity: "warning",
        summary: "A file system is read-only: mounted so, or after an error.",
      },
    ],
  },
  disk_reads_completed_total: { ...disk, help: "Reads completed." },
  disk_reads_merged_total: { ...disk, help: "Reads merged into another before they were issued." },
  disk_read_bytes_total: { ...disk, help: "Bytes read.", unit: "bytes" },
  disk_read_time_seconds_total: { ...disk, help: "Time spent by all reads.", unit: "seconds" },
  disk_writes_completed_total: { ...disk, help: "Writes completed." },
  disk_writes_merged_total: { ...disk, help: "Writes merged into another before they were issued." },
  disk_written_bytes_total: { ...disk, help: "Bytes written.", unit: "bytes" },
  disk_write_time_seconds_total: { ...disk, help: "Time spent by all writes.", unit: "seconds" },
  disk_io_in_progress: { help: "Requests under way.", labels: ["device"], maxSeries: 512 },
  disk_io_time_seconds_total: { ...disk, help: "Time in which at least one request was under way.", unit: "seconds" },
  disk_io_time_weighted_seconds_total: { ...disk, help: "Time spent by all requests, waiting too.", unit: "seconds" },
  disk_discards_completed_total: { ...disk, help: "Discards completed." },
  disk_discards_merged_total: { ...disk, help: "Discards merged into another before they were issued." },
  disk_discarded_bytes_total: { ...disk, help: "Bytes discarded.", unit: "bytes" },
  disk_discard_time_seconds_total: { ...disk, help: "Time spent by all discards.", unit: "seconds" },
  disk_flushes_completed_total: { ...disk, help: "Flushes completed." },
  disk_flush_time_seconds_total: { ...disk, help: "Time spent by all flushes.", unit: "seconds" },
} as const satisfies Record<string, MetricSpec>;

type Metric = keyof typeof METRICS;
type Samples = readonly Sample<Metric>[];
interface Harvest {
  readonly samples: Samples;
  readonly rejected: readonly Rejection[];
}

/** A mounted file system. `source` is a device, `host:/path`, a dataset, or a bare word for a pseudo file system. */
export interface Mount {
  readonly source: string;
  readonly mountpoint: string;
  readonly fstype: string;
  readonly readonly: boolean;
}

/** What is said of one file system, in bytes and inodes. Inodes are absent where the source does not tell. */
interface Space {
  readonly size: number;
  readonly used: number;
  readonly available: number;
  readonly files?: number;
  readonly filesFree?: number;
}

/** Samples of one file system; none for one without space of its own, as pseudo file systems are. */
function filesystemSamples(mount: Mount, space: Space): Samples {
  if (!(space.size > 0)) return [];
  const values: [Metric, number | undefined][] = [
    ["filesystem_size_bytes", space.size],
    ["filesystem_avail_bytes", space.available],
    // df's definition: blocks reserved for root are neither used nor available.
    ["filesystem_used_ratio", space.used / (space.used + space.available)],
    ["filesystem_files", space.files],
    ["filesystem_files_free", space.filesFree],
    ["filesystem_readonly", mount.readonly ? 1 : 0],
  ];
  const labels = { device: mount.source, mountpoint: mount.mountpoint, fstype: mount.fstype };
  return values.flatMap(([metric, value]) =>
    value === undefined || !Number.isFinite(value) ? [] : [{ metric, value, labels }],
  );
}

// ---- Which file systems and disks ------------------------------------------------------------

/** Patterns are anchored at both ends, as in Prometheus. */
const matcher = (patterns: readonly string[]): ((text: string) => boolean) => {
  const expressions = patterns.map((pattern) => new RegExp(`^(?:${pattern})$`, "s"));
  return (text) => expressions.some((expression) => expression.test(text));
};

/**
 * The mounts worth a series: not excluded, visible, and each file system once.
 * A later mount hides an earlier one at the same place. A source that is a path (device, export, dataset path) is one
 * file system however often it is bind-mounted: the shortest mount point stands for it. `tmpfs` and its like name none.
 */
export function chooseMounts(
  mounts: readonly Mount[],
  exclude: { readonly mountpoints: readonly string[]; readonly fstypes: readonly string[] },
): readonly Mount[] {
  const [badPlace, badType] = [matcher(exclude.mountpoints), matcher(exclude.fstypes)];
  const visible = [...new Map(mounts.map((mount) => [mount.mountpoint, mount])).values()];
  const kept = visible.filter((mount) => !badPlace(mount.mountpoint) && !badType(mount.fstype));
  const once = new Map<string, Mount>();
  for (const mount of kept.toSorted((a, b) => a.mountpoint.length - b.mountpoint.length)) {
    const identity = mount.source.includes("/") ? mount.source : `at ${mount.mountpoint}`;
    if (!once.has(identity)) once.set(identity, mount);
  }
  const chosen = new Set(once.values());
  return kept.filter((mount) => chosen.has(mount));
}

// ---- Linux -----------------------------------------------------------------------------------

/** The kernel writes space, tab, newline and backslash (and # in newer ones) as three octal digits. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** /proc/mounts: source, mount point, type, options. Lines of another shape are skipped. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    const [source, mountpoint, fstype, options] = line.split(" ");
    if (!source || !mountpoint || !fstype || !options) return [];
    const readonly = options.split(",").includes("ro");
    return [{ source: unescapeOctal(source), mountpoint: unescapeOctal(mountpoint), fstype, readonly }];
  });
}

/** The kernel counts 512-byte sectors whatever the disk's own sectors are. */
const sectors = (count: number): number => count * 512;
const milliseconds = (ms: number): number => ms / 1000;
const plain = (count: number): number => count;
/** Columns of /proc/diskstats after the device's name. 11 since Linux 2.6.25, 15 since 4.18 (discards), 17 since 5.5 (flushes). */
const DISK_COLUMNS: readonly (readonly [Metric, (column: number) => number])[] = [
  ["disk_reads_completed_total", plain],
  ["disk_reads_merged_total", plain],
  ["disk_read_bytes_total", sectors],
  ["disk_read_time_seconds_total", milliseconds],
  ["disk_writes_completed_total", plain],
  ["disk_writes_merged_total", plain],
  ["disk_written_bytes_total", sectors],
  ["disk_write_time_seconds_total", milliseconds],
  ["disk_io_in_progress", plain],
  ["disk_io_time_seconds_total", milliseconds],
  ["disk_io_time_weighted_seconds_total", milliseconds],
  ["disk_discards_completed_total", plain],
  ["disk_discards_merged_total", plain],
  ["disk_discarded_bytes_total", sectors],
  ["disk_discard_time_seconds_total", milliseconds],
  ["disk_flushes_completed_total", plain],
  ["disk_flush_time_seconds_total", milliseconds],
];
/** Kernels before 2.6.25 gave partitions four columns of another meaning. */
const FEWEST_COLUMNS = 11;

/** /proc/diskstats: counters of every block device that is not excluded. */
export function parseDiskstats(text: string, excludeDevices: readonly string[]): Samples {
  const excluded = matcher(excludeDevices);
  return text.split("\n").flatMap((line) => {
    const [, , device, ...columns] = line.trim().split(/\s+/);
    if (!device || columns.length < FEWEST_COLUMNS || excluded(device)) return [];
    return DISK_COLUMNS.flatMap(([metric, convert], i) => {
      const value = convert(Number(columns[i]));
      return Number.isFinite(value) ? [{ metric, value, labels: { device } }] : [];
    });
  });
}

/** How mounts are asked. `stuck` holds the mount points whose last call has not come back; it outlives the run. */
export interface Asking {
  readonly root: string;
  readonly timeoutMs: number;
  readonly stuck: Set<string>;
  readonly signal: AbortSignal;
  readonly statfs: typeof statfs;
}

/** Types whose server or daemon may be away; a call to such a one can hang for ever, and cannot be taken back. */
const REMOTE = /^(nfs|cifs|smb|9p|ceph|glusterfs|lustre|afs|fuse|davfs|beegfs|gpfs)/;
/**
 * A hung call occupies one of libuv's four threads, which the whole process needs for files and name resolution.
 * So a mount that hangs is not asked again before it answers, and no remote one while this many hang.
 */
const MAX_STUCK = 2;

const TIMED_OUT = Symbol("timed out");

/** The call's answer, or TIMED_OUT, or a rejection when the run ends; no timer stays behind. */
async function within<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T | typeof TIMED_OUT> {
  const done = new AbortController();
  const timer = delay(ms, TIMED_OUT, { signal: AbortSignal.any([signal, done.signal]) });
  timer.catch(() => undefined);
  try {
    return await Promise.race([work, timer]);
  } finally {
    done.abort();
  }
}

async function measureOne(mount: Mount, how: Asking): Promise<Harvest> {
  const rejected = (reason: string, detail: string): Harvest => ({ samples: [], rejected: [{ reason, detail }] });
  const { mountpoint } = mount;
  if (how.stuck.has(mountpoint)) return rejected("mount_timeout", `${mountpoint} still does not answer`);
  if (how.stuck.size >= MAX_STUCK && REMOTE.test(mount.fstype))
    return rejected("mount_timeout", `${mountpoint} not asked while ${how.stuck.size} others do not answer`);
  how.stuck.add(mountpoint);
  const call = how.statfs(join(how.root, mountpoint)).finally(() => how.stuck.delete(mountpoint));
  try {
    const answer = await within(call, how.timeoutMs, how.signal);
    if (answer === TIMED_OUT) return rejected("mount_timeout", `${mountpoint} did not answer in ${how.timeoutMs} ms`);
    const { bsize, blocks, bfree, bavail, files, ffree } = answer;
    const space = { size: blocks * bsize, used: (blocks - bfree) * bsize, available: bavail * bsize };
    return { samples: filesystemSamples(mount, { ...space, files, filesFree: ffree }), rejected: [] };
  } catch (error) {
    how.signal.throwIfAborted();
    return rejected("mount_unreadable", `${mountpoint}: ${(error as NodeJS.ErrnoException).code ?? "failed"}`);
  } finally {
    call.catch(() => undefined);
  }
}

/** Asks every mount for its space, local ones first, so that one that hangs holds up none that answers. */
export async function measure(mounts: readonly Mount[], how: Asking): Promise<Harvest> {
  const remote = (mount: Mount) => Number(REMOTE.test(mount.fstype));
  const harvests: Harvest[] = [];
  for (const mount of mounts.toSorted((a, b) => remote(a) - remote(b))) {
    how.signal.throwIfAborted();
    harvests.push(await measureOne(mount, how));
  }
  return { samples: harvests.flatMap((h) => h.samples), rejected: harvests.flatMap((h) => h.rejected) };
}

/** In a container the host's mounts are those of process 1; process 1 may be hidden from us, then our own must do. */
const MOUNT_FILES = ["proc/1/mounts", "proc/mounts"];

/** The first of these files that can be read. /proc answers from memory: 10 µs in place, 170 µs by way of the thread pool. */
function readFirst(root: string, paths: readonly string[]): string {
  for (const path of paths) {
    try {
      return readFileSync(join(root, path), "utf8");
    } catch {
      // Absent or hidden: the next one, or no metrics.
    }
  }
  return "";
}

async function readLinux(config: Config, how: Asking): Promise<Harvest> {
  const mounts = parseMounts(readFirst(config.root, MOUNT_FILES));
  const disks = parseDiskstats(readFirst(config.root, ["proc/diskstats"]), config.exclude_devices);
  const harvest = await measure(chooseMounts(mounts, excludes(config)), how);
  return { samples: [...harvest.samples, ...disks], rejected: harvest.rejected };
}

// ---- macOS, Windows, BSD ---------------------------------------------------------------------

/** What the library reports; it answers null where a platform has no such counter. */
export interface LibraryAnswers {
  readonly sizes: readonly Systeminformation.FsSizeData[];
  readonly bytes: Systeminformation.FsStatsData | null;
  readonly operations: Systeminformation.DisksIoData | null;
}

/** The same metrics from the library's answers. It counts I/O of all disks together: the device is `all`. */
export function fromLibrary({ sizes, bytes, operations }: LibraryAnswers, config: Config): Samples {
  const mounts = new Map(
    sizes.map((size) => {
      const mount = { source: size.fs, mountpoint: size.mount, fstype: size.type, readonly: size.rw === false };
      return [mount, size] as const;
    }),
  );
  const filesystems = chooseMounts([...mounts.keys()], excludes(config)).flatMap((mount) => {
    const space = mounts.get(mount);
    return space ? filesystemSamples(mount, space) : [];
  });
  const counters: [Metric, number | undefined][] = [
    ["disk_reads_completed_total", operations?.rIO],
    ["disk_writes_completed_total", operations?.wIO],
    ["disk_read_bytes_total", bytes?.rx],
    ["disk_written_bytes_total", bytes?.wx],
  ];
  const disks = counters.flatMap(([metric, value]) =>
    typeof value === "number" && Number.isFinite(value) ? [{ metric, value, labels: { device: "all" } }] : [],
  );
  return [...filesystems, ...disks];
}

/** Asks the library; it spawns processes. */
export async function readLibrary(config: Config): Promise<Harvest> {
  const { default: library } = await import("systeminformation");
  const answers = await Promise.all([library.fsSize(), library.fsStats(), library.disksIO()]);
  const [sizes, bytes, operations] = answers;
  return { samples: fromLibrary({ sizes, bytes, operations }, config), rejected: [] };
}

// ---- Configuration ---------------------------------------------------------------------------

const isPattern = (text: string): boolean => {
  try {
    return Boolean(new RegExp(`^(?:${text})$`, "s"));
  } catch {
    return false;
  }
};
const pattern = z.string().max(1000).refine(isPattern, "expected a regular expression");

const config = z.strictObject({
  root: z
    .string()
    .min(1)
    .max(4096)
    .default("/")
    .describe("Where the host's file system is mounted, e.g. /host in a container."),
  exclude_mountpoints: z
    .array(pattern)
    .max(100)
    .default([
      "/(dev|proc|sys|run/credentials)(/.*)?",
      "/(run|var/lib)/(docker|containerd|containers/storage|kubelet/pods)/.+",
      "/run/user/\\d+/(doc|gvfs)",
      "/System/Volumes/(VM|Preboot|Update|xarts|iSCPreboot|Hardware)(/.*)?",
    ])
    .describe("Mount points to leave out, as anchored regular expressions."),
  exclude_fstypes: z
    .array(pattern)
    .max(100)
    .default([
      "autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devfs|devpts|devtmpfs|efivarfs|fusectl|hugetlbfs|mqueue|nsfs",
      "proc|procfs|pstore|ramfs|resctrl|rpc_pipefs|securityfs|selinuxfs|sysfs|tracefs",
      "cramfs|erofs|iso9660|overlay|squashfs|udf",
      "fuse\\.(gvfsd-fuse|lxcfs|portal|snapfuse)",
    ])
    .describe("File system types to leave out, as anchored regular expressions."),
  exclude_devices: z
    .array(pattern)
    .max(100)
    .default(["(z?ram|loop|fd)\\d+", "(h|s|v|xv)d[a-z]+\\d+", "(nvme\\d+n|mmcblk)\\d+p\\d+"])
    .describe("Block devices without I/O counters, as anchored regular expressions; partitions by default."),
  mount_timeout_seconds: z
    .number()
    .min(0.01)
    .max(60)
    .default(2)
    .describe("How long one mount may take to answer before it is reported as hanging."),
});
type Config = z.output<typeof config>;

const excludes = (config: Config) => ({ mountpoints: config.exclude_mountpoints, fstypes: config.exclude_fstypes });

/** Mounts that hang, kept between the runs of a target. */
function stuckMounts(state: Map<string, unknown>): Set<string> {
  const stuck = (state.get("stuck") as Set<string> | undefined) ?? new Set<string>();
  state.set("stuck", stuck);
  return stuck;
}

/** Space of file systems and I/O of disks. */
export const diskMonitor = definePlugin({
  id: "disk_monitor",
  title: "Disks",
  summary: "Space of file systems and I/O of disks of this host.",
  category: "storage",
  version: "1.0.0",
  enabledByDefault: true,
  config,
  metrics: METRICS,
  jobs: {
    disks: {
      summary: "Reads the space of every file system and the counters of every disk.",
      every: seconds(60),
      async collect({ config }, { signal, state }) {
        signal.throwIfAborted();
        const how = { root: config.root, timeoutMs: config.mount_timeout_seconds * 1000, statfs, signal };
        // A root other than / is a mounted Linux tree on any platform.
        const linux = config.root !== "/" || process.platform === "linux";
        const harvest = linux
          ? await readLinux(config, { ...how, stuck: stuckMounts(state) })
          : await readLibrary(config);
        if (harvest.samples.length + harvest.rejected.length === 0)
          throw new NothingHere(`nothing to read below ${config.root}`);
        return harvest;
      },
    },
  },
});
