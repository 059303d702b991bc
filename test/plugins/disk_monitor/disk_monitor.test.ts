import assert from "node:assert/strict";
import type { StatsFs } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { diskMonitor } from "../../../src/plugins/disk_monitor.ts";
import { parseDiskstats } from "../../../src/plugins/host/diskstats.ts";
import { fromLibrary, type LibraryAnswers, readLibrary } from "../../../src/plugins/host/library-disks.ts";
import { type Asking, measure } from "../../../src/plugins/host/measure.ts";
import { chooseMounts, type Mount, parseMounts } from "../../../src/plugins/host/mounts.ts";
import { contextOf, undeclared } from "../../support/plugins.ts";

const config = diskMonitor.config.parse({});
const exclude = { mountpoints: config.exclude_mountpoints, fstypes: config.exclude_fstypes };
const none = { mountpoints: [], fstypes: [] };
const mount = (source: string, mountpoint: string, fstype = "ext4", readonly = false): Mount => ({
  source,
  mountpoint,
  fstype,
  readonly,
});
const places = (mounts: readonly Mount[]) => mounts.map(({ mountpoint }) => mountpoint);

test("unescapes what the kernel escapes, and nothing else", () => {
  const line = "/dev/sd\\134a /mnt/a\\040b\\011c\\012d\\043e\\0999 ext4 rw,noatime 0 0\nnonsense\n\n";
  assert.deepEqual(parseMounts(line), [mount("/dev/sd\\a", "/mnt/a b\tc\nd#e\\0999")]);
  assert.equal(parseMounts("a /b c errors=remount-ro,ro 0 0")[0]?.readonly, true);
  assert.equal(parseMounts("a /b c rw,errors=remount-ro 0 0")[0]?.readonly, false);
});

test("any mount point survives the kernel's escaping", () => {
  const kernel = (text: string) =>
    text.replace(/[ \t\n\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "binary" }), (path) => {
      assert.equal(parseMounts(`/dev/x ${kernel(path)} ext4 rw 0 0`)[0]?.mountpoint, path);
    }),
  );
});

test("leaves out pseudo file systems, hidden mounts and bind-mount duplicates", () => {
  const mounts = [
    mount("sysfs", "/sys", "sysfs"),
    mount("/dev/root", "/", "rootfs"),
    mount("/dev/sda2", "/"),
    mount("tmpfs", "/dev/shm", "tmpfs"),
    mount("tmpfs", "/tmp", "tmpfs"),
    mount("tmpfs", "/run", "tmpfs"),
    mount("/dev/sda2", "/var/lib/docker/btrfs"),
    mount("/dev/sdb1", "/srv/very/deep/bind"),
    mount("/dev/sdb1", "/data"),
    mount("nas:/export", "/home/b", "nfs4"),
    mount("nas:/export", "/home/a", "nfs4"),
    mount("pool/media", "/media", "zfs"),
    mount("overlay", "/var/lib/docker/overlay2/x/merged", "overlay"),
    mount("gvfsd-fuse", "/run/user/1000/gvfs", "fuse.gvfsd-fuse"),
    mount("/dev/loop3", "/snap/core/1", "squashfs"),
  ];
  assert.deepEqual(places(chooseMounts(mounts, exclude)), ["/", "/tmp", "/run", "/data", "/home/b", "/media"]);
  assert.equal(chooseMounts(mounts, exclude)[0]?.source, "/dev/sda2", "the later mount at a place is the visible one");
});

test("a duplicate stands in when the shorter one is excluded", () => {
  const mounts = [mount("/dev/sda1", "/a"), mount("/dev/sda1", "/a/longer")];
  assert.deepEqual(places(chooseMounts(mounts, { ...none, mountpoints: ["/a"] })), ["/a/longer"]);
  assert.deepEqual(
    places(chooseMounts(mounts, { ...none, mountpoints: ["/a|/b", "long"] })),
    ["/a/longer"],
    "anchored",
  );
});

test("any text for diskstats gives finite values or none", () => {
  const line = fc.array(fc.oneof(fc.nat().map(String), fc.string()), { maxLength: 25 }).map((words) => words.join(" "));
  fc.assert(
    fc.property(line, (text) => {
      assert.ok(parseDiskstats(text, []).every(({ value }) => Number.isFinite(value)));
    }),
  );
});

/** A file system of 1000 blocks of 4 KiB, 100 of them kept for root, 300 used. */
const ANSWER = { type: 0, bsize: 4096, blocks: 1000, bfree: 700, bavail: 600, files: 50, ffree: 40 } as StatsFs;
/** statfs that never answers for these mount points; `release` lets one go. */
function fakeStatfs(hanging: readonly string[]) {
  const asked: string[] = [];
  const waiting = new Map<string, (answer: StatsFs) => void>();
  const fake = (path: string) => {
    asked.push(path);
    if (!hanging.includes(path)) return Promise.resolve(ANSWER);
    return new Promise<StatsFs>((resolve) => waiting.set(path, resolve));
  };
  return { asked, statfs: fake as unknown as typeof statfs, release: (path: string) => waiting.get(path)?.(ANSWER) };
}
const asking = (overrides: Partial<Asking>): Asking => ({
  root: "/",
  timeoutMs: 15,
  stuck: new Set(),
  signal: new AbortController().signal,
  statfs,
  ...overrides,
});

test("computes space as df does", async () => {
  const { samples, rejected } = await measure([mount("/dev/a", "/a", "ext4", true)], asking(fakeStatfs([])));
  assert.deepEqual(rejected, []);
  assert.deepEqual(Object.fromEntries(samples.map(({ metric, value }) => [metric, value])), {
    filesystem_size_bytes: 1000 * 4096,
    filesystem_avail_bytes: 600 * 4096,
    filesystem_used_ratio: 300 / 900,
    filesystem_files: 50,
    filesystem_files_free: 40,
    filesystem_readonly: 1,
  });
  assert.deepEqual(samples[0]?.labels, { device: "/dev/a", mountpoint: "/a", fstype: "ext4" });
});

test("a file system without blocks is none", async () => {
  const empty = (async () => ({ ...ANSWER, blocks: 0, bfree: 0, bavail: 0 })) as unknown as typeof statfs;
  assert.deepEqual(await measure([mount("x", "/x")], asking({ statfs: empty })), { samples: [], rejected: [] });
});

test("a mount that hangs is reported, holds up no other, and is not asked again before it answers", async () => {
  const fake = fakeStatfs(["/nas"]);
  const how = asking(fake);
  const mounts = [mount("nas:/x", "/nas", "nfs4"), mount("/dev/a", "/a")];
  for (const detail of ["/nas did not answer in 15 ms", "/nas still does not answer"]) {
    const { samples, rejected } = await measure(mounts, how);
    assert.deepEqual(rejected, [{ reason: "mount_timeout", detail }]);
    assert.deepEqual([...new Set(samples.map(({ labels }) => labels?.["mountpoint"]))], ["/a"]);
  }
  assert.deepEqual(fake.asked, ["/a", "/nas", "/a"], "local ones first; the one that hangs once");
  fake.release("/nas");
  await new Promise(setImmediate);
  await measure(mounts, how);
  assert.deepEqual(fake.asked.slice(3), ["/a", "/nas"]);
});

test("while two mounts hang no other remote one is asked, so that the thread pool stays free", async () => {
  const fake = fakeStatfs(["/1", "/2", "/3"]);
  const mounts = [..."123"].map((n) => mount(`nas:/${n}`, `/${n}`, "nfs"));
  const { rejected } = await measure([...mounts, mount("/dev/a", "/a")], asking(fake));
  assert.deepEqual(fake.asked, ["/a", "/1", "/2"]);
  assert.deepEqual(
    rejected.map(({ reason, detail }) => `${reason}: ${detail}`),
    [
      "mount_timeout: /1 did not answer in 15 ms",
      "mount_timeout: /2 did not answer in 15 ms",
      "mount_timeout: /3 not asked while 2 others do not answer",
    ],
  );
});

test("the run's deadline ends the wait for a mount", async () => {
  const run = new AbortController();
  const reason = new Error("deadline");
  const pending = measure(
    [mount("nas:/x", "/nas", "nfs")],
    asking({ ...fakeStatfs(["/nas"]), timeoutMs: 60_000, signal: run.signal }),
  );
  run.abort(reason);
  await assert.rejects(pending, reason);
});

test("asks below the root", async () => {
  const root = await mkdtemp(join(tmpdir(), "gleaner-root-"));
  try {
    const { samples, rejected } = await measure([mount("/dev/a", "/"), mount("/dev/b", "/missing")], asking({ root }));
    const { blocks, bsize } = await statfs(root);
    assert.equal(samples.find(({ metric }) => metric === "filesystem_size_bytes")?.value, blocks * bsize);
    assert.deepEqual(rejected, [{ reason: "mount_unreadable", detail: "/missing: ENOENT" }]);
  } finally {
    await rm(root, { recursive: true });
  }
});

test("this host: values are plausible", async () => {
  const collected = await diskMonitor.jobs.disks.collect({ id: "t", config, tags: {} }, contextOf());
  assert.deepEqual(undeclared(diskMonitor, collected), []);
  const values = (metric: string) => collected.samples.filter((sample) => sample.metric === metric);
  const sizes = values("filesystem_size_bytes");
  assert.ok(sizes.length > 0);
  for (const [i, { value, labels }] of sizes.entries()) {
    const available = values("filesystem_avail_bytes")[i]?.value ?? -1;
    const ratio = values("filesystem_used_ratio")[i]?.value ?? -1;
    assert.ok(available >= 0 && available <= value && ratio >= 0 && ratio <= 1, JSON.stringify(labels));
  }
});

test("the library path gives the same root file system", { skip: process.platform !== "linux" }, async () => {
  const library = await readLibrary(exclude);
  assert.deepEqual(undeclared(diskMonitor, library), []);
  const { blocks, bsize } = await statfs("/");
  const root = library.samples.filter(({ labels }) => labels?.["mountpoint"] === "/");
  const size = root.find(({ metric }) => metric === "filesystem_size_bytes")?.value;
  // Where / is an overlay (a container) both paths leave it out.
  if (size !== undefined) assert.ok(Math.abs(size - blocks * bsize) <= 4096);
  assert.ok(library.samples.every(({ value }) => Number.isFinite(value)));
});

/** The shape systeminformation answers with on macOS. */
const MACOS: LibraryAnswers = {
  sizes: [
    { fs: "/dev/disk3s1s1", type: "APFS", size: 1000, used: 200, available: 600, use: 25, mount: "/", rw: false },
    {
      fs: "/dev/disk3s5",
      type: "APFS",
      size: 1000,
      used: 100,
      available: 600,
      use: 14,
      mount: "/System/Volumes/Data",
      rw: true,
    },
    {
      fs: "/dev/disk3s6",
      type: "APFS",
      size: 1000,
      used: 1,
      available: 600,
      use: 1,
      mount: "/System/Volumes/VM",
      rw: true,
    },
  ],
  bytes: { rx: 4096, wx: 8192 } as LibraryAnswers["bytes"],
  operations: { rIO: 10, wIO: 20 } as LibraryAnswers["operations"],
};

test("maps what macOS answers", () => {
  const samples = fromLibrary(MACOS, exclude);
  const line = ({ metric, value, labels }: (typeof samples)[number]) =>
    `${metric} ${labels?.["mountpoint"] ?? labels?.["device"]} ${value}`;
  assert.deepEqual(samples.map(line), [
    "filesystem_size_bytes / 1000",
    "filesystem_avail_bytes / 600",
    "filesystem_used_ratio / 0.25",
    "filesystem_readonly / 1",
    "filesystem_size_bytes /System/Volumes/Data 1000",
    "filesystem_avail_bytes /System/Volumes/Data 600",
    `filesystem_used_ratio /System/Volumes/Data ${100 / 700}`,
    "filesystem_readonly /System/Volumes/Data 0",
    "disk_reads_completed_total all 10",
    "disk_writes_completed_total all 20",
    "disk_read_bytes_total all 4096",
    "disk_written_bytes_total all 8192",
  ]);
});

test("Windows counts no I/O through the library, and knows no read-only flag", () => {
  const sizes = [{ fs: "C:", type: "NTFS", size: 500, used: 400, available: 100, use: 80, mount: "C:", rw: null }];
  const samples = fromLibrary({ sizes, bytes: null, operations: null }, exclude);
  assert.deepEqual(samples.map(({ metric, value }) => `${metric} ${value}`).slice(0, 3), [
    "filesystem_size_bytes 500",
    "filesystem_avail_bytes 100",
    "filesystem_used_ratio 0.8",
  ]);
  assert.ok(samples.every(({ metric }) => metric.startsWith("filesystem_")));
});

test("refuses what is no regular expression", () => {
  const parsed = diskMonitor.config.safeParse({ exclude_mountpoints: ["("] });
  assert.match(parsed.error?.issues[0]?.message ?? "", /expected a regular expression/);
});
