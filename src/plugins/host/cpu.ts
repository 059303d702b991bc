import type { Sample } from "../../model/sample.ts";
import { one } from "./sample.ts";

/** CPU name -> mode -> seconds since boot. */
export type CpuTimes = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** One look at a host: the counters that usage is computed from, and every other sample. */
export interface Reading<M extends string> {
  readonly cpus: CpuTimes;
  readonly samples: readonly Sample<M>[];
}

/**
 * Shares of CPU time by mode between two readings, or since boot without an earlier one.
 * A CPU that came or went between them is left out, and a counter that ran backwards (iowait may) counts as no time.
 */
export function usage(now: CpuTimes, before: CpuTimes | undefined): ReadonlyMap<string, number> {
  const spent = new Map<string, number>();
  for (const [cpu, modes] of Object.entries(now)) {
    const earlier = before ? before[cpu] : {};
    if (!earlier) continue;
    for (const [mode, time] of Object.entries(modes)) {
      spent.set(mode, (spent.get(mode) ?? 0) + Math.max(0, time - (earlier[mode] ?? 0)));
    }
  }
  const total = [...spent.values()].reduce((sum, time) => sum + time, 0);
  return new Map(total > 0 ? [...spent].map(([mode, time]) => [mode, time / total]) : []);
}

/** Number of CPUs, time of each by mode, and the usage of all since `before`. */
export function cpuSamples(now: CpuTimes, before: CpuTimes | undefined) {
  const perCpu = Object.entries(now).flatMap(([cpu, modes]) =>
    Object.entries(modes).flatMap(([mode, time]) => one("cpu_seconds_total", time, { cpu, mode })),
  );
  return [
    ...one("cpus", Object.keys(now).length || undefined),
    ...[...usage(now, before)].flatMap(([mode, ratio]) => one("cpu_usage_ratio", ratio, { mode })),
    ...perCpu,
  ];
}
