import { encode } from "../expose/encode.ts";
import { negotiate } from "../expose/negotiate.ts";
import { createSnapshot } from "../expose/snapshot.ts";
import type { Family, Point } from "../expose/types.ts";
import type { Application, Exposition } from "../http/app.ts";
import type { Run } from "../model/run.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";
import { dataPoints } from "./points.ts";

const SUCCESS: Family = { name: "probe_success", help: "Whether every job of the target succeeded.", type: "gauge" };
const DURATION: Family = {
  name: "probe_duration_seconds",
  help: "How long the probe took.",
  type: "gauge",
  unit: "seconds",
};

export interface ProbeDeps {
  readonly find: (targetId: string) => ConfiguredTarget | undefined;
  readonly run: (target: ConfiguredTarget, job: string, signal: AbortSignal) => Promise<Run>;
  readonly accept: (target: ConfiguredTarget, run: Run) => Promise<Batch>;
}

/** The target for one quick collection: one try a job, within the caller's deadline. */
function hurried(target: ConfiguredTarget, deadlineMs: number): ConfiguredTarget {
  const jobs = Object.entries(target.jobs).map(([name, job]) => [
    name,
    { ...job, timeout: Math.min(job.timeout, deadlineMs) },
  ]);
  return { ...target, jobs: Object.fromEntries(jobs), retry: { ...target.retry, retries: 0, deadline: deadlineMs } };
}

/**
 * Collects all jobs of one target once, now, and answers with just its series: for those who want the collection to
 * happen when Prometheus asks. What it brings back is kept like any other collection's.
 */
export function createProbe(deps: ProbeDeps): Application["probe"] {
  return async (targetId, deadlineMs, signal): Promise<Exposition | "unknown_target"> => {
    const target = deps.find(targetId);
    if (!target) return "unknown_target";
    const begun = performance.now();
    const quick = hurried(target, deadlineMs);
    const runs = await Promise.all(Object.keys(target.jobs).map((job) => deps.run(quick, job, signal)));
    const batches = await Promise.all(runs.map((run) => deps.accept(target, run)));
    const points: Point[] = batches.flatMap(dataPoints);
    const success = runs.every((run) => run.outcome.status !== "failed");
    const snapshot = createSnapshot();
    snapshot.replace(targetId, "probe", [
      { family: SUCCESS, labels: {}, value: success ? 1 : 0 },
      { family: DURATION, labels: {}, value: (performance.now() - begun) / 1_000 },
      ...points,
    ]);
    const { contentType } = negotiate({});
    return { contentType, body: await encode(snapshot.families(), "text") };
  };
}
