import type { Sample } from "../../model/sample.ts";

/** A sample, or nothing where the source lacks the value: an absent metric is no error. */
export function one<M extends string>(
  metric: M,
  value: number | null | undefined,
  labels?: Readonly<Record<string, string>>,
): readonly Sample<M>[] {
  if (typeof value !== "number" || !Number.isFinite(value)) return [];
  return [labels ? { metric, value, labels } : { metric, value }];
}
