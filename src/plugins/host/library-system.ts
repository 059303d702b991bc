import { cpus, loadavg, uptime } from "node:os";
import type { Systeminformation } from "systeminformation";
import { loadSamples } from "./load.ts";
import { memorySamples } from "./memory.ts";
import { one } from "./sample.ts";

/** What the library and Node report of a host without /proc: macOS, Windows, BSD. */
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
function temperatureSamples({ main, cores, socket = [], chipset }: Systeminformation.CpuTemperatureData) {
  const named: [string, number | null | undefined][] = [
    ["cpu", main],
    ...cores.map((value, i): [string, number] => [`core ${i}`, value]),
    ...socket.map((value, i): [string, number] => [`socket ${i}`, value]),
    ["chipset", chipset],
  ];
  return named.flatMap(([sensor, value]) => (value && value > 0 ? one("temperature_celsius", value, { sensor }) : []));
}

/** The same metrics as on Linux, from the library's answers. */
export function fromLibrary(answers: LibraryAnswers) {
  const times = answers.cpus.map(({ times: { user, nice, sys, idle, irq } }, i) => {
    const inMs = { user, nice, system: sys, idle, irq };
    return [String(i), Object.fromEntries(Object.entries(inMs).map(([mode, ms]) => [mode, ms / 1000]))] as const;
  });
  const { memory, os } = answers;
  const samples = [
    // Windows has no load average: Node answers zeros there, which would look like an idle host.
    loadSamples(answers.platform === "win32" ? [] : answers.load),
    memorySamples({ ...memory, swapTotal: memory.swaptotal, swapUsed: memory.swapused }),
    one("uptime_seconds", answers.uptime),
    // Rounded, or the start would move by milliseconds with every collection.
    one("boot_time_seconds", Math.round(answers.now.getTime() / 1000 - answers.uptime)),
    temperatureSamples(answers.temperature),
    one("os_info", 1, { name: os.distro, version: os.release, kernel: os.kernel, architecture: os.arch }),
  ];
  return { cpus: Object.fromEntries(times), samples: samples.flat() };
}

/** Asks the library; it spawns processes, some 50 ms of CPU a time. */
export async function readLibrary(now: Date) {
  const { default: library } = await import("systeminformation");
  const [memory, temperature, os] = await Promise.all([library.mem(), library.cpuTemperature(), library.osInfo()]);
  const host = { cpus: cpus(), load: loadavg(), uptime: uptime(), platform: process.platform };
  return fromLibrary({ ...host, now, memory, temperature, os });
}
