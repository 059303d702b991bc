import type { Sample } from "../model/sample.ts";
import { toUtc } from "../model/time.ts";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A value as a number, where it plainly stands for one; `null` where the source has none; else NaN. */
export function castValue(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" && NUMBER.test(value.trim()) ? Number(value) : Number.NaN;
}

/** A sample with value and time of the types that a sample has; itself when they are already. `bad_time` when its time is none. */
export function castSample(sample: Sample): Sample | "no_value" | "bad_time" {
  const value = castValue(sample.value);
  if (value === null) return "no_value";
  const at = sample.at === undefined || sample.at === null ? undefined : toUtc(sample.at);
  if (at === undefined && sample.at != null) return "bad_time";
  if (value === sample.value && (at === undefined || at.getTime() === sample.at?.getTime?.())) return sample;
  const { metric, labels } = sample;
  return { metric, value, ...(labels ? { labels } : {}), ...(at ? { at } : {}) };
}
