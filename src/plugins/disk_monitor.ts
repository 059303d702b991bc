import { statfs } from "node:fs/promises";
import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { NothingHere } from "../model/run.ts";
import type { MetricSpec } from "../model/sample.ts";
import { FILESYSTEM_READONLY, FILESYSTEM_SPACE } from "./host/alerts.ts";
import { parseDiskstats } from "./host/diskstats.ts";
import { readLibrary } from "./host/library-disks.ts";
import { type Asking, type Harvest, measure } from "./host/measure.ts";
import { chooseMounts, type Excludes, readMounts } from "./host/mounts.ts";
import { patterns } from "./host/patterns.ts";
import { readProc } from "./host/proc.ts";
import { isLinux, root } from "./host/root.ts";

const filesystem = { labels: ["device", "mountpoint", "fstype"], maxSeries: 256 } as const;
const disk = { type: "counter", labels: ["device"], maxSeries: 512 } as const;

const METRICS = {
  filesystem_size_bytes: { ...filesystem, help: "Size of the file system.", unit: "bytes" },
  filesystem_avail_bytes: { ...filesystem, help: "Space that unprivileged users can still write.", unit: "bytes" },
  filesystem_used_ratio: {
    ...filesystem,
    help: "Share of the space open to unprivileged users that is used, as df shows it.",
    unit: "ratio",
    alert: FILESYSTEM_SPACE,
  },
  filesystem_files: { ...filesystem, help: "Inodes of the file system; 0 where it has no fixed number." },
  filesystem_files_free: { ...filesystem, help: "Free inodes of the file system." },
  filesystem_readonly: {
    ...filesystem,
    help: "Whether the file system is mounted read-only.",
    alert: FILESYSTEM_READONLY,
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

const config = z.strictObject({
  root,
  exclude_mountpoints: patterns
    .default([
      "/(dev|proc|sys|run/credentials)(/.*)?",
      "/(run|var/lib)/(docker|containerd|containers/storage|kubelet/pods)/.+",
      "/run/user/\\d+/(doc|gvfs)",
      "/System/Volumes/(VM|Preboot|Update|xarts|iSCPreboot|Hardware)(/.*)?",
    ])
    .describe("Mount points to leave out, as anchored regular expressions."),
  exclude_fstypes: patterns
    .default([
      "autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devfs|devpts|devtmpfs|efivarfs|fusectl|hugetlbfs|mqueue|nsfs",
      "proc|procfs|pstore|ramfs|resctrl|rpc_pipefs|securityfs|selinuxfs|sysfs|tracefs",
      "cramfs|erofs|iso9660|overlay|squashfs|udf",
      "fuse\\.(gvfsd-fuse|lxcfs|portal|snapfuse)",
    ])
    .describe("File system types to leave out, as anchored regular expressions."),
  exclude_devices: patterns
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

const excludes = (config: Config): Excludes => ({
  mountpoints: config.exclude_mountpoints,
  fstypes: config.exclude_fstypes,
});

/** Mounts that hang, kept between the runs of a target. */
function stuckMounts(state: Map<string, unknown>): Set<string> {
  const stuck = (state.get("stuck") as Set<string> | undefined) ?? new Set<string>();
  state.set("stuck", stuck);
  return stuck;
}

async function readLinux(config: Config, how: Asking): Promise<Harvest<keyof typeof METRICS>> {
  const disks = parseDiskstats(readProc(config.root, "proc/diskstats"), config.exclude_devices);
  const harvest = await measure(chooseMounts(readMounts(config.root), excludes(config)), how);
  return { samples: [...harvest.samples, ...disks], rejected: harvest.rejected };
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
        const harvest = isLinux(config.root)
          ? await readLinux(config, { ...how, stuck: stuckMounts(state) })
          : await readLibrary(excludes(config));
        if (harvest.samples.length + harvest.rejected.length === 0)
          throw new NothingHere(`nothing to read below ${config.root}`);
        return harvest;
      },
    },
  },
});
