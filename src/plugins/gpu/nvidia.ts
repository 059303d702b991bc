import type { Sample } from "../../model/sample.ts";
import { type SourceUnit, toBase } from "../../model/units.ts";
import { numberOf, sample } from "../client/mapping.ts";
import type { Metric } from "./metrics.ts";

/** Fields of `nvidia-smi --query-gpu`, all of them as old as its version 340. */
const FIELDS: readonly (readonly [string, Metric, SourceUnit | undefined, Readonly<Record<string, string>>?])[] = [
  ["utilization.gpu", "gpu_utilization_ratio", "percent"],
  ["utilization.memory", "gpu_memory_utilization_ratio", "percent"],
  ["memory.total", "gpu_memory_total_bytes", "MiB"],
  ["memory.used", "gpu_memory_used_bytes", "MiB"],
  ["temperature.gpu", "gpu_temperature_celsius", "celsius"],
  ["power.draw", "gpu_power_watts", "W"],
  ["power.limit", "gpu_power_limit_watts", "W"],
  ["fan.speed", "gpu_fan_ratio", "percent"],
  ["clocks.sm", "gpu_clock_hertz", "MHz"],
  ["clocks.mem", "gpu_memory_clock_hertz", "MHz"],
  ["ecc.errors.corrected.aggregate.total", "gpu_ecc_errors_total", undefined, { result: "corrected" }],
  ["ecc.errors.uncorrected.aggregate.total", "gpu_ecc_errors_total", undefined, { result: "uncorrected" }],
];

export const QUERY = [
  `--query-gpu=index,name,driver_version,${FIELDS.map(([field]) => field).join(",")}`,
  "--format=csv,noheader,nounits",
];

/** Reads its lines; `[N/A]` and `[Not Supported]`, which cards at home have many of, are left out. */
export function parseNvidia(text: string): readonly Sample<Metric>[] {
  const seen = new Set<string>();
  return text.split("\n").flatMap((line): readonly Sample<Metric>[] => {
    const [index = "", name = "", driver = "", ...values] = line.split(",").map((cell) => cell.trim());
    if (!/^\d{1,3}$/.test(index) || seen.has(index)) return [];
    seen.add(index);
    const gpu = `nvidia${index}`;
    const readings = FIELDS.flatMap(([, metric, unit, labels], at) => {
      const value = numberOf(values[at]);
      return value === undefined ? [] : [sample(metric, unit ? toBase(value, unit) : value, { gpu, ...labels })];
    });
    return [sample("gpu_info", 1, { gpu, name: name.slice(0, 64), driver: driver.slice(0, 32) }), ...readings];
  });
}
