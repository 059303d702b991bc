import { join } from "node:path";
import type { Sample } from "../../model/sample.ts";
import { numberOf, sample } from "../client/mapping.ts";
import { list, readSlow } from "../host/proc.ts";
import type { Metric } from "./metrics.ts";

/** Files below a card's `device` folder, and what one is of the base unit. */
const DEVICE: readonly (readonly [string, Metric, number])[] = [
  ["gpu_busy_percent", "gpu_utilization_ratio", 100],
  ["mem_busy_percent", "gpu_memory_utilization_ratio", 100],
  ["mem_info_vram_total", "gpu_memory_total_bytes", 1],
  ["mem_info_vram_used", "gpu_memory_used_bytes", 1],
];
/** The same below its `hwmon`: millidegrees, microwatts, hertz. Newer kernels have power1_input where older average. */
const HWMON: readonly (readonly [string, Metric, number])[] = [
  ["temp1_input", "gpu_temperature_celsius", 1e3],
  ["power1_average", "gpu_power_watts", 1e6],
  ["power1_input", "gpu_power_watts", 1e6],
  ["power1_cap", "gpu_power_limit_watts", 1e6],
  ["freq1_input", "gpu_clock_hertz", 1],
  ["freq2_input", "gpu_memory_clock_hertz", 1],
];

async function read(folder: string, files: typeof DEVICE, gpu: string): Promise<readonly Sample<Metric>[]> {
  const samples = new Map<Metric, Sample<Metric>>();
  for (const [file, metric, by] of files) {
    const value = numberOf((await readSlow(folder, file)).trim());
    if (value !== undefined && !samples.has(metric)) samples.set(metric, sample(metric, value / by, { gpu }));
  }
  return [...samples.values()];
}

async function fan(folder: string, gpu: string): Promise<readonly Sample<Metric>[]> {
  const [now, max] = [
    numberOf((await readSlow(folder, "pwm1")).trim()),
    numberOf((await readSlow(folder, "pwm1_max")).trim()),
  ];
  return now === undefined || !max ? [] : [sample("gpu_fan_ratio" as const, now / max, { gpu })];
}

/** The driver's name; what the card is called is not in sysfs, its PCI numbers are. */
async function info(device: string, gpu: string): Promise<readonly Sample<Metric>[]> {
  const event = await readSlow(device, "uevent");
  const of = (key: string) => new RegExp(`^${key}=(.{1,64})$`, "m").exec(event)?.[1] ?? "";
  return [sample("gpu_info" as const, 1, { gpu, name: of("PCI_ID").toLowerCase(), driver: of("DRIVER") })];
}

/** Reads the cards of /sys/class/drm whose drivers tell something: amdgpu above all, i915 and xe a little. */
export async function readSysfs(root: string): Promise<readonly Sample<Metric>[]> {
  const drm = join(root, "sys/class/drm");
  const cards = (await list(drm)).filter((name) => /^card\d{1,3}$/.test(name)).sort();
  const parts = await Promise.all(
    cards.map(async (gpu) => {
      const device = join(drm, gpu, "device");
      const [monitor] = (await list(device, "hwmon")).sort();
      const folder = monitor === undefined ? undefined : join(device, "hwmon", monitor);
      const sensors = folder === undefined ? [] : [...(await read(folder, HWMON, gpu)), ...(await fan(folder, gpu))];
      const readings = [...(await read(device, DEVICE, gpu)), ...sensors];
      return readings.length === 0 ? [] : [...(await info(device, gpu)), ...readings];
    }),
  );
  return parts.flat();
}
