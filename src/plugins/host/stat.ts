import type { Reading } from "./cpu.ts";
import { numbersByKey } from "./proc.ts";
import { one } from "./sample.ts";

/** USER_HZ is 100 on every architecture Node runs on, whatever the kernel's own HZ is. */
const TICKS_PER_SECOND = 100;
/** Columns of a `cpuN` line. Guest time follows them, and is left out: the kernel counts it in user and nice already. */
const CPU_MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"] as const;

const STAT_METRICS = {
  ctxt: "context_switches_total",
  intr: "interrupts_total",
  processes: "processes_forked_total",
  procs_running: "processes_running",
  procs_blocked: "processes_blocked",
  btime: "boot_time_seconds",
} as const;
type StatMetric = (typeof STAT_METRICS)[keyof typeof STAT_METRICS];

/** /proc/stat: times of each CPU, and the kernel's counters. Old kernels have fewer columns; missing ones stay absent. */
export function parseStat(text: string): Reading<StatMetric> {
  const cpuLines = [...text.matchAll(/^(cpu\d+) +([\d ]+)$/gm)].map(([, cpu = "", columns = ""]) => {
    const ticks = columns.trim().split(/ +/).slice(0, CPU_MODES.length).map(Number);
    return [cpu.slice(3), Object.fromEntries(ticks.map((n, i) => [CPU_MODES[i], n / TICKS_PER_SECOND]))] as const;
  });
  const counters = numbersByKey(text);
  return {
    cpus: Object.fromEntries(cpuLines),
    samples: Object.entries(STAT_METRICS).flatMap(([key, metric]) => one(metric, counters.get(key))),
  };
}
