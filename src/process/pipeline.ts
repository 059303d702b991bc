import type { Run } from "../model/run.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";
import { declaredMetrics } from "./declared.ts";
import { soundHarvest } from "./harvest.ts";
import { validateSamples } from "./validate.ts";

/** Turns a finished run into the batch that every sink gets: what passed validation, and the count of what did not. */
export function toBatch(target: ConfiguredTarget, run: Run): Batch {
  if (run.outcome.status !== "ok")
    return { target, run, samples: [], metrics: {}, rows: [], documents: [], rejected: [] };
  const { collected } = run.outcome;
  const declared = declaredMetrics(target.plugin, collected);
  const { samples, rejected } = validateSamples(declared.metrics, collected.samples);
  const harvest = soundHarvest(collected);
  return {
    ...{ target, run, samples, metrics: declared.metrics, rows: harvest.rows, documents: harvest.documents },
    rejected: [...(collected.rejected ?? []), ...declared.rejected, ...rejected, ...harvest.rejected],
  };
}
