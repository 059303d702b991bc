import { matcher } from "./patterns.ts";
import { one } from "./sample.ts";

/** The kernel counts 512-byte sectors whatever the disk's own sectors are. */
const sectors = (count: number): number => count * 512;
const milliseconds = (ms: number): number => ms / 1000;
const plain = (count: number): number => count;

/** Columns of /proc/diskstats after the device's name. 11 since Linux 2.6.25, 15 since 4.18 (discards), 17 since 5.5 (flushes). */
const COLUMNS = [
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
] as const;
/** Kernels before 2.6.25 gave partitions four columns of another meaning. */
const FEWEST_COLUMNS = 11;

/** /proc/diskstats: counters of every block device that is not excluded. */
export function parseDiskstats(text: string, excludeDevices: readonly string[]) {
  const excluded = matcher(excludeDevices);
  return text.split("\n").flatMap((line) => {
    const [, , device, ...columns] = line.trim().split(/\s+/);
    if (!device || columns.length < FEWEST_COLUMNS || excluded(device)) return [];
    return COLUMNS.flatMap(([metric, convert], i) => one(metric, convert(Number(columns[i])), { device }));
  });
}
