import type { Run } from "../model/run.ts";
import type { Rejection } from "../model/sample.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";
import { declaredMetrics } from "./declared.ts";
import { deriveSamples } from "./derive.ts";
import { soundHarvest } from "./harvest.ts";
import { missing, validateSamples } from "./validate.ts";

/** Turns a finished run into the batch that every sink gets: what passed validation, and the count of what did not. */
export function toBatch(target: ConfiguredTarget, run: Run): Batch {
  if (run.outcome.status !== "ok")
    return { target, run, samples: [], metrics: {}, rows: [], documents: [], rejected: [] };
  const { collected } = run.outcome;
  const { plugin } = target;
  const declared = declaredMetrics(plugin, collected);
  const brought = validateSamples(declared.metrics, collected.samples);
  const derived = deriveSamples(plugin, brought.samples);
  const samples = derived.samples.length > 0 ? [...brought.samples, ...derived.samples] : brought.samples;
  const harvest = soundHarvest(collected);
  return {
    ...{ target, run, samples, metrics: declared.metrics, rows: harvest.rows, documents: harvest.documents },
    rejected: [
      ...(collected.rejected ?? []).map(named),
      ...declared.rejected,
      ...brought.rejected,
      ...derived.rejected,
      ...missing(plugin.jobs[run.job]?.requires, samples),
      ...harvest.rejected,
    ],
  };
}

/** Reasons become a label: one that is no plain name, as another process may send it, counts as `other`. */
function named(rejection: Rejection): Rejection {
  return /^[a-z][a-z0-9_]{0,63}$/.test(rejection.reason) ? rejection : { ...rejection, reason: "other" };
}
