import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { NothingHere } from "../model/run.ts";
import type { MetricSpec } from "../model/sample.ts";
import { MEMORY, TEMPERATURE } from "./host/alerts.ts";
import { type CpuTimes, cpuSamples, type Reading } from "./host/cpu.ts";
import { readEntropy, readFileDescriptors, readUptime } from "./host/kernel.ts";
import { readLibrary } from "./host/library-system.ts";
import { parseLoadavg } from "./host/load.ts";
import { parseMeminfo } from "./host/memory.ts";
import { readOs } from "./host/os.ts";
import { readPressure } from "./host/pressure.ts";
import { readProc } from "./host/proc.ts";
import { isLinux, root } from "./host/root.ts";
import { parseStat } from "./host/stat.ts";
import { readTemperatures } from "./host/temperature.ts";

const METRICS = {
  cpu_usage_ratio: {
    help: "Share of all CPU time spent in each mode since the previous collection; the first one after a start covers the time since boot.",
    unit: "ratio",
    labels: ["mode"],
    maxSeries: 16,
  },
  cpu_seconds_total: {
    help: "CPU time spent in each mode.",
    type: "counter",
    unit: "seconds",
    labels: ["cpu", "mode"],
    maxSeries: 4096,
  },
  cpus: { help: "Logical CPUs online." },
  load1: { help: "Load average over 1 minute." },
  load5: { help: "Load average over 5 minutes." },
  load15: { help: "Load average over 15 minutes." },
  memory_total_bytes: { help: "Memory installed.", unit: "bytes" },
  memory_available_bytes: { help: "Memory that programs can still get without swapping.", unit: "bytes" },
  memory_used_ratio: { help: "Share of memory that is not available.", unit: "ratio", alert: MEMORY },
  swap_total_bytes: { help: "Swap space configured.", unit: "bytes" },
  swap_used_bytes: { help: "Swap space in use.", unit: "bytes" },
  boot_time_seconds: { help: "When the host started, as a Unix time.", unit: "seconds" },
  uptime_seconds: { help: "Time since the host started.", unit: "seconds" },
  pressure_waiting_seconds_total: {
    help: "Time in which at least one task waited for the resource.",
    type: "counter",
    unit: "seconds",
    labels: ["resource"],
    maxSeries: 8,
  },
  pressure_stalled_seconds_total: {
    help: "Time in which every task that could run waited for the resource.",
    type: "counter",
    unit: "seconds",
    labels: ["resource"],
    maxSeries: 8,
  },
  temperature_celsius: {
    help: "Temperature that a sensor of the host reports.",
    unit: "celsius",
    labels: ["sensor"],
    maxSeries: 128,
    alert: TEMPERATURE,
  },
  os_info: {
    help: "The operating system; always 1.",
    unit: "info",
    labels: ["name", "version", "kernel", "architecture"],
    maxSeries: 4,
  },
  context_switches_total: { help: "Context switches.", type: "counter" },
  interrupts_total: { help: "Interrupts serviced.", type: "counter" },
  processes_forked_total: { help: "Processes and threads created.", type: "counter" },
  processes_running: { help: "Tasks that run or could run." },
  processes_blocked: { help: "Tasks that wait for I/O." },
  file_descriptors_allocated: { help: "Open files of the whole host." },
  file_descriptors_maximum: { help: "Limit of open files of the whole host." },
  entropy_available_ratio: { help: "Fill of the kernel's entropy pool.", unit: "ratio" },
} as const satisfies Record<string, MetricSpec>;

/**
 * Reads a Linux host whose file system lies at `root`.
 * Files that are absent leave their metrics out; an empty tree gives an empty reading.
 */
export async function readLinux(root: string): Promise<Reading<keyof typeof METRICS>> {
  const stat = parseStat(readProc(root, "proc/stat"));
  const parts = [
    parseLoadavg(readProc(root, "proc/loadavg")),
    parseMeminfo(readProc(root, "proc/meminfo")),
    stat.samples,
    readUptime(root),
    readFileDescriptors(root),
    readEntropy(root),
    readPressure(root),
    await readTemperatures(root),
    readOs(root),
  ];
  return { cpus: stat.cpus, samples: parts.flat() };
}

/** CPU, load, memory, pressure, temperatures and uptime of this host. */
export const systemInfo = definePlugin({
  id: "system_info",
  title: "System",
  summary: "CPU, load, memory, pressure, temperatures and uptime of this host.",
  category: "system",
  version: "1.0.0",
  enabledByDefault: true,
  config: z.strictObject({ root }),
  metrics: METRICS,
  jobs: {
    system: {
      summary: "Reads the host's state.",
      every: seconds(60),
      async collect({ config: { root } }, { signal, state, now }) {
        signal.throwIfAborted();
        const reading = isLinux(root) ? await readLinux(root) : await readLibrary(now());
        const samples = [...cpuSamples(reading.cpus, state.get("cpus") as CpuTimes | undefined), ...reading.samples];
        if (samples.length === 0) throw new NothingHere(`nothing to read below ${root}`);
        state.set("cpus", reading.cpus);
        return { samples };
      },
    },
  },
});
