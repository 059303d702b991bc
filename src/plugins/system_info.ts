import { readFileSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { cpus, loadavg, machine, uptime } from "node:os";
import { basename, join } from "node:path";
import type { Systeminformation } from "systeminformation";
import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { NothingHere } from "../model/run.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";

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
  memory_used_ratio: { help: "Share of memory that is not available.", unit: "ratio" },
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
    alert: [
      {
        name: "host_hot",
        op: "gt",
        threshold: 75,
        for: "10m",
        severity: "warning",
        summary: "A sensor is above 75 degrees.",
      },
      {
        name: "host_too_hot",
        op: "gt",
        threshold: 85,
        for: "5m",
        severity: "critical",
        summary: "A sensor is above 85 degrees.",
      },
    ],
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

type Samples = readonly Sample<keyof typeof METRICS>[];

/** CPU name -> mode -> seconds since boot. */
export type CpuTimes = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** One look at a host: the counters that usage is computed from, and every other sample. */
export interface Reading {
  readonly cpus: CpuTimes;
  readonly samples: Samples;
}

/** A sample, or nothing where the source lacks the value: an absent metric is no error. */
function one(metric: keyof typeof METRICS, value: number | undefined, labels?: Record<string, string>): Samples {
  if (value === undefined || !Number.isFinite(value)) return [];
  return [labels ? { metric, value, labels } : { metric, value }];
}

// ---- Linux: /proc and /sys -------------------------------------------------------------------

/** A file of /proc, empty where absent. Its text comes from memory: 10 µs in place, 170 µs by way of the thread pool. */
function readProc(...path: string[]): string {
  try {
    return readFileSync(join(...path), "utf8");
  } catch {
    return "";
  }
}
/** A file of /sys, empty where absent or refused. Drivers answer these, and may take their time or ask a sleeping device. */
const readSys = (...path: string[]): Promise<string> => readFile(join(...path), "utf8").catch(() => "");
const list = (...path: string[]): Promise<string[]> => readdir(join(...path)).catch(() => []);

/** First number of every `key value` or `key: value` line, as in /proc/stat and /proc/meminfo. */
function numbersByKey(text: string): ReadonlyMap<string, number> {
  return new Map([...text.matchAll(/^([\w()]+):?[ \t]+(\d+)/gm)].map((line) => [line[1] ?? "", Number(line[2])]));
}

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

/** /proc/stat: times of each CPU, and the kernel's counters. Old kernels have fewer columns; missing ones stay absent. */
export function parseStat(text: string): Reading {
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

interface Memory {
  readonly total: number | undefined;
  readonly available: number | undefined;
  readonly swapTotal: number | undefined;
  readonly swapUsed: number | undefined;
}

function memorySamples({ total, available, swapTotal, swapUsed }: Memory): Samples {
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
export function parseMeminfo(text: string): Samples {
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

/** /proc/loadavg: three averages, then things counted elsewhere. */
export function parseLoadavg(text: string): Samples {
  const [load1, load5, load15] = numbers(text);
  return [...one("load1", load1), ...one("load5", load5), ...one("load15", load15)];
}

/** The numbers of a file that holds only those; an empty file has none, not a zero. */
const numbers = (text: string): number[] => text.split(/\s+/).filter(Boolean).map(Number);

const PRESSURES = ["cpu", "io", "memory"];

/** /proc/pressure/<resource>: `total` is in microseconds. The line `full` is missing for cpu on older kernels. */
export function parsePressure(resource: string, text: string): Samples {
  const total = (line: string) => {
    const match = new RegExp(`^${line} .*total=(\\d+)`, "m").exec(text);
    return match ? Number(match[1]) / 1e6 : undefined;
  };
  return [
    ...one("pressure_waiting_seconds_total", total("some"), { resource }),
    ...one("pressure_stalled_seconds_total", total("full"), { resource }),
  ];
}

/** os-release is shell syntax; distributions use plain, "double" and 'single' quoted values. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const lines = text.matchAll(/^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/gm);
  return new Map([...lines].map((m) => [m[1] ?? "", m[2] ?? m[3] ?? m[4] ?? ""]));
}

function readOs(root: string): Samples {
  const kernel = readProc(root, "proc/sys/kernel/osrelease").trim();
  if (!kernel) return [];
  const fields = parseOsRelease(readProc(root, "etc/os-release") || readProc(root, "usr/lib/os-release"));
  return one("os_info", 1, {
    name: fields.get("ID") ?? "linux",
    version: fields.get("VERSION_ID") ?? "",
    kernel,
    // The file exists since Linux 6.1; below another root may lie another machine's tree.
    architecture: readProc(root, "proc/sys/kernel/arch").trim() || (root === "/" ? machine() : ""),
  });
}

/** The `tempN_input` files of one hwmon chip, in thousandths of a degree; named by `tempN_label` where that is unique. */
async function readChip(chip: string): Promise<Samples> {
  const inputs = (await list(chip)).filter((file) => /^temp\d+_input$/.test(file)).sort();
  const driver = (await readSys(chip, "name")).trim() || basename(chip);
  // hwmonN is numbered anew at each boot; the device behind it keeps its name and tells two equal chips apart.
  const device = basename(await readlink(join(chip, "device")).catch(() => ""));
  const prefix = device.includes(driver) ? device : [driver, device].filter(Boolean).join("-");
  const labels = await Promise.all(
    inputs.map(async (file) => (await readSys(chip, file.replace("_input", "_label"))).trim()),
  );
  const readings = inputs.map(async (file, i) => {
    const label = labels[i];
    const unique = label && labels.indexOf(label) === labels.lastIndexOf(label);
    const [millidegrees = Number.NaN] = numbers(await readSys(chip, file));
    return one("temperature_celsius", millidegrees / 1000, {
      sensor: `${prefix}/${unique ? label : file.replace("_input", "")}`,
    });
  });
  return (await Promise.all(readings)).flat();
}

async function readThermalZone(zone: string): Promise<Samples> {
  const [millidegrees = Number.NaN] = numbers(await readSys(zone, "temp"));
  return one("temperature_celsius", millidegrees / 1000, {
    sensor: `${(await readSys(zone, "type")).trim()}/${basename(zone)}`,
  });
}

/** hwmon chips; thermal zones only where there is none, because they mostly repeat the same sensors. */
async function readTemperatures(root: string): Promise<Samples> {
  const each = async (folder: string, name: RegExp, read: (path: string) => Promise<Samples>) => {
    const names = (await list(root, folder)).filter((entry) => name.test(entry)).sort();
    return (await Promise.all(names.map((entry) => read(join(root, folder, entry))))).flat();
  };
  const chips = await each("sys/class/hwmon", /^hwmon\d+$/, readChip);
  return chips.length > 0 ? chips : each("sys/class/thermal", /^thermal_zone\d+$/, readThermalZone);
}

/**
 * Reads a Linux host whose file system lies at `root`.
 * Files that are absent leave their metrics out; an empty tree gives an empty reading.
 */
export async function readLinux(root: string): Promise<Reading> {
  const proc = (path: string) => readProc(root, "proc", path);
  const stat = parseStat(proc("stat"));
  const [up] = numbers(proc("uptime"));
  const [files, , filesMaximum] = numbers(proc("sys/fs/file-nr"));
  const [entropy = Number.NaN] = numbers(proc("sys/kernel/random/entropy_avail"));
  const [entropyPool = Number.NaN] = numbers(proc("sys/kernel/random/poolsize"));
  const parts = [
    parseLoadavg(proc("loadavg")),
    parseMeminfo(proc("meminfo")),
    stat.samples,
    one("uptime_seconds", up),
    one("file_descriptors_allocated", files),
    one("file_descriptors_maximum", filesMaximum),
    one("entropy_available_ratio", entropy / entropyPool),
    ...PRESSURES.map((resource) => parsePressure(resource, proc(`pressure/${resource}`))),
    await readTemperatures(root),
    readOs(root),
  ];
  return { cpus: stat.cpus, samples: parts.flat() };
}

// ---- macOS, Windows, BSD ---------------------------------------------------------------------

/** What the library and Node report of a host without /proc. */
export interface LibraryAnswers {
  readonly cpus: ReturnType<typeof cpus>;
  readonly load: readonly number[];
  readonly uptime: number;
  readonly now: Date;
  readonly memory: Systeminformation.MemData;
  readonly temperature: Systeminformation.CpuTemperatureData;
  readonly os: Systeminformation.OsData;
  readonly platform: NodeJS.Platform;
}

/** Sensors the library has no reading for are null, and 0 or below where a driver gives nothing. */
function libraryTemperatures({ main, cores, socket = [], chipset }: Systeminformation.CpuTemperatureData): Samples {
  const named: [string, number | null | undefined][] = [
    ["cpu", main],
    ...cores.map((value, i): [string, number] => [`core ${i}`, value]),
    ...socket.map((value, i): [string, number] => [`socket ${i}`, value]),
    ["chipset", chipset],
  ];
  return named.flatMap(([sensor, value]) => (value && value > 0 ? one("temperature_celsius", value, { sensor }) : []));
}

/** The same metrics from the library's answers. */
export function fromLibrary(answers: LibraryAnswers): Reading {
  const times = answers.cpus.map(({ times: { user, nice, sys, idle, irq } }, i) => {
    const inMs = { user, nice, system: sys, idle, irq };
    return [String(i), Object.fromEntries(Object.entries(inMs).map(([mode, ms]) => [mode, ms / 1000]))] as const;
  });
  const { memory, os } = answers;
  // Windows has no load average: Node answers zeros there, which would look like an idle host.
  const load = answers.platform === "win32" ? [] : answers.load;
  const samples = [
    parseLoadavg(load.join(" ")),
    memorySamples({ ...memory, swapTotal: memory.swaptotal, swapUsed: memory.swapused }),
    one("uptime_seconds", answers.uptime),
    // Rounded, or the start would move by milliseconds with every collection.
    one("boot_time_seconds", Math.round(answers.now.getTime() / 1000 - answers.uptime)),
    libraryTemperatures(answers.temperature),
    one("os_info", 1, { name: os.distro, version: os.release, kernel: os.kernel, architecture: os.arch }),
  ];
  return { cpus: Object.fromEntries(times), samples: samples.flat() };
}

/** Asks the library; it spawns processes, some 50 ms of CPU a time. */
export async function readLibrary(now: Date): Promise<Reading> {
  const { default: library } = await import("systeminformation");
  const [memory, temperature, os] = await Promise.all([library.mem(), library.cpuTemperature(), library.osInfo()]);
  const host = { cpus: cpus(), load: loadavg(), uptime: uptime(), platform: process.platform };
  return fromLibrary({ ...host, now, memory, temperature, os });
}

// ---- Both ------------------------------------------------------------------------------------

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

function cpuSamples(now: CpuTimes, before: CpuTimes | undefined): Samples {
  const perCpu = Object.entries(now).flatMap(([cpu, modes]) =>
    Object.entries(modes).flatMap(([mode, time]) => one("cpu_seconds_total", time, { cpu, mode })),
  );
  return [
    ...one("cpus", Object.keys(now).length || undefined),
    ...[...usage(now, before)].flatMap(([mode, ratio]) => one("cpu_usage_ratio", ratio, { mode })),
    ...perCpu,
  ];
}

const config = z.strictObject({
  root: z
    .string()
    .min(1)
    .max(4096)
    .default("/")
    .describe("Where the host's file system is mounted, e.g. /host in a container."),
});

/** A root other than / is a mounted Linux tree on any platform. */
const isLinux = (root: string): boolean => root !== "/" || process.platform === "linux";

/** CPU, load, memory, pressure, temperatures and uptime of this host. */
export const systemInfo = definePlugin({
  id: "system_info",
  title: "System",
  summary: "CPU, load, memory, pressure, temperatures and uptime of this host.",
  category: "system",
  version: "1.0.0",
  enabledByDefault: true,
  config,
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
