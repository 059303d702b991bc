import { numbersByKey } from "./proc.ts";
import { one } from "./sample.ts";

/** What a source tells of a host's memory, in bytes; NaN or undefined where it does not. */
interface Memory {
  readonly total: number | undefined;
  readonly available: number | undefined;
  readonly swapTotal: number | undefined;
  readonly swapUsed: number | undefined;
}

/** None without a total: nothing was read. */
export function memorySamples({ total, available, swapTotal, swapUsed }: Memory) {
  if (!total) return [];
  return [
    ...one("memory_total_bytes", total),
    ...one("memory_available_bytes", available),
    ...one("memory_used_ratio", available === undefined ? undefined : 1 - available / total),
    ...one("swap_total_bytes", swapTotal),
    ...one("swap_used_bytes", swapUsed),
  ];
}

/** /proc/meminfo in bytes. Kernels before 3.14 lack MemAvailable: free and cache without shared memory is the old estimate. */
export function parseMeminfo(text: string) {
  const kilobytes = numbersByKey(text);
  const bytes = (key: string): number => (kilobytes.get(key) ?? Number.NaN) * 1024;
  const estimate = bytes("MemFree") + bytes("Buffers") + bytes("Cached") - (kilobytes.get("Shmem") ?? 0) * 1024;
  return memorySamples({
    total: bytes("MemTotal"),
    available: kilobytes.has("MemAvailable") ? bytes("MemAvailable") : estimate,
    swapTotal: bytes("SwapTotal"),
    swapUsed: bytes("SwapTotal") - bytes("SwapFree"),
  });
}
