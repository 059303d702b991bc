import type { Mount } from "./mounts.ts";
import { one } from "./sample.ts";

/** What is said of one file system, in bytes and inodes. Inodes are absent where the source does not tell. */
interface Space {
  readonly size: number;
  readonly used: number;
  readonly available: number;
  readonly files?: number;
  readonly filesFree?: number;
}

/** Samples of one file system; none for one without space of its own, as pseudo file systems are. */
export function filesystemSamples(mount: Mount, space: Space) {
  if (!(space.size > 0)) return [];
  const labels = { device: mount.source, mountpoint: mount.mountpoint, fstype: mount.fstype };
  return [
    ...one("filesystem_size_bytes", space.size, labels),
    ...one("filesystem_avail_bytes", space.available, labels),
    // df's definition: blocks reserved for root are neither used nor available.
    ...one("filesystem_used_ratio", space.used / (space.used + space.available), labels),
    ...one("filesystem_files", space.files, labels),
    ...one("filesystem_files_free", space.filesFree, labels),
    ...one("filesystem_readonly", mount.readonly ? 1 : 0, labels),
  ];
}
