import { dataPoints } from "../app/points.ts";
import type { LoadOptions } from "../config/load.ts";
import { encode } from "../expose/encode.ts";
import { createSnapshot } from "../expose/snapshot.ts";
import type { Row } from "../model/sample.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";
import { collectOnce, outcomeLine } from "./collect.ts";
import { withConfigured } from "./configured.ts";
import { CommandFailure } from "./failure.ts";

function findTarget(targets: readonly ConfiguredTarget[], id: string): ConfiguredTarget {
  const target = targets.find((candidate) => candidate.id === id || candidate.id === id.replaceAll("-", "_"));
  if (target) return target;
  throw new CommandFailure(
    `There is no target ${id}. Configured are: ${targets.map((known) => known.id).join(", ") || "none"}.`,
  );
}

function jobsOf(target: ConfiguredTarget, job: string | undefined): string[] {
  const all = Object.keys(target.jobs);
  if (job === undefined) return all;
  if (all.includes(job)) return [job];
  throw new CommandFailure(`Target ${target.id} has no job ${job}. Its jobs are: ${all.join(", ")}.`);
}

async function samplesText(batch: Batch): Promise<string> {
  const snapshot = createSnapshot();
  snapshot.replace(batch.target.id, "run", dataPoints(batch));
  const text = (await encode(snapshot.families(), "text")).toString();
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}

const rowText = (row: Row) => `${row.table} ${JSON.stringify({ time: row.at, ...row.values })}`;

/**
 * Collects one target once and prints how it went, its samples, and its rows. Stores nothing.
 * @throws {CommandFailure} when a job failed
 */
export async function runOnce(
  options: LoadOptions,
  id: string,
  job: string | undefined,
  print: (text: string) => void,
): Promise<void> {
  const { target, results } = await withConfigured(options, async ({ targets }) => {
    const found = findTarget(targets, id);
    const work = jobsOf(found, job).map((name) => ({ target: found, job: name }));
    return { target: found, results: await collectOnce(work) };
  });
  for (const { run, batch } of results) {
    print(`# ${target.id} ${run.job}: ${outcomeLine(run)}`);
    const samples = await samplesText(batch);
    if (samples) print(samples);
    for (const row of batch.rows) print(rowText(row));
    for (const { reason, detail, count = 1 } of batch.rejected) print(`# left out: ${count} × ${reason}: ${detail}`);
  }
  const failed = results.filter(({ run }) => run.outcome.status === "failed").map(({ run }) => run.job);
  if (failed.length > 0) throw new CommandFailure(`Target ${target.id} failed: ${failed.join(", ")}.`);
}
