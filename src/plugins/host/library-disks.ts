import type { Systeminformation } from "systeminformation";
import { filesystemSamples } from "./filesystem.ts";
import { chooseMounts, type Excludes } from "./mounts.ts";
import { one } from "./sample.ts";

/** What the library reports of a host without /proc (macOS, Windows, BSD); null where a platform has no such counter. */
export interface LibraryAnswers {
  readonly sizes: readonly Systeminformation.FsSizeData[];
  readonly bytes: Systeminformation.FsStatsData | null;
  readonly operations: Systeminformation.DisksIoData | null;
}

/** The same metrics as on Linux, from the library's answers. It counts I/O of all disks together: the device is `all`. */
export function fromLibrary({ sizes, bytes, operations }: LibraryAnswers, exclude: Excludes) {
  const mounts = new Map(
    sizes.map((size) => {
      const mount = { source: size.fs, mountpoint: size.mount, fstype: size.type, readonly: size.rw === false };
      return [mount, size] as const;
    }),
  );
  const filesystems = chooseMounts([...mounts.keys()], exclude).flatMap((mount) => {
    const space = mounts.get(mount);
    return space ? filesystemSamples(mount, space) : [];
  });
  const all = { device: "all" };
  return [
    ...filesystems,
    ...one("disk_reads_completed_total", operations?.rIO, all),
    ...one("disk_writes_completed_total", operations?.wIO, all),
    ...one("disk_read_bytes_total", bytes?.rx, all),
    ...one("disk_written_bytes_total", bytes?.wx, all),
  ];
}

/** Asks the library; it spawns processes. */
export async function readLibrary(exclude: Excludes) {
  const { default: library } = await import("systeminformation");
  const answers = await Promise.all([library.fsSize(), library.fsStats(), library.disksIO()]);
  const [sizes, bytes, operations] = answers;
  return { samples: fromLibrary({ sizes, bytes, operations }, exclude), rejected: [] };
}
