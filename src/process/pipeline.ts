import type { Run } from "../model/run.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";
import { soundHarvest } from "./harvest.ts";
import { validateSamples } from "./validate.ts";

/** Turns a finished run into the batch that every sink gets: what passed validation, and the count of what did not. */
export function toBatch(target: ConfiguredTarget, run: Run): Batch {
  if (run.outcome.status !== "ok") return { target, run, samples: [], rows: [], documents: [], rejected: [] };
  const { collected } = run.outcome;
  const { samples, rejected } = validateSamples(target.plugin, collected.samples);
  const harvest = soundHarvest(collected);
  return {
    ...{ target, run, samples, rows: harvest.rows, documents: harvest.documents },
    rejected: [...(collected.rejected ?? []), ...rejected, ...harvest.rejected],
  };
}
