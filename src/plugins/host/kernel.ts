import { numbers, readProc } from "./proc.ts";
import { one } from "./sample.ts";

/** Time since the host started, the first number of /proc/uptime; the second is the idle time of all CPUs. */
export function readUptime(root: string) {
  const [uptime] = numbers(readProc(root, "proc/uptime"));
  return one("uptime_seconds", uptime);
}

/** /proc/sys/fs/file-nr: allocated, free (always 0 since Linux 2.6), maximum. */
export function readFileDescriptors(root: string) {
  const [allocated, , maximum] = numbers(readProc(root, "proc/sys/fs/file-nr"));
  return [...one("file_descriptors_allocated", allocated), ...one("file_descriptors_maximum", maximum)];
}

/** Bits in the kernel's entropy pool over its size. */
export function readEntropy(root: string) {
  const file = (name: string) => numbers(readProc(root, "proc/sys/kernel/random", name));
  const [available = Number.NaN] = file("entropy_avail");
  const [size = Number.NaN] = file("poolsize");
  return one("entropy_available_ratio", available / size);
}
