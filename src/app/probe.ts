import { encode } from "../expose/encode.ts";
import { negotiate } from "../expose/negotiate.ts";
import { createSnapshot } from "../expose/snapshot.ts";
import type { Family, Point } from "../expose/types.ts";
import type { Exposition } from "../http/app/exposition.ts";
import type { Application } from "../http/app.ts";
import { hours } from "../model/duration.ts";
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

/** Jobs that run this rarely (ms) are left out: what they bring hardly changes, and a kit may take seconds for it. */
const RARE_MS = hours(1);

/** The target for one quick collection: the jobs that tell how it is now, one try each, within the caller's deadline. */
function hurried(target: ConfiguredTarget, deadlineMs: number): ConfiguredTarget {
  const all = Object.entries(target.jobs);
  const often = all.filter(([, { trigger }]) => !("every" in trigger && trigger.every >= RARE_MS));
  const jobs = (often.length > 0 ? often : all).map(([name, job]) => [
    name,
    { ...job, timeout: Math.min(job.timeout, deadlineMs) },
  ]);
  return { ...target, jobs: Object.fromEntries(jobs), retry: { ...target.retry, retries: 0, deadline: deadlineMs } };
}

/**
 * Collects one target once, now, and answers with just its series: for those who want the collection to happen when
 * Prometheus asks. What it brings back is kept like any other collection's; that it failed is the asker's news alone,
 * whose deadline may be much shorter than the target's own: it neither makes the target ill nor pauses it.
 */
export function createProbe(deps: ProbeDeps): Application["probe"] {
  return async (targetId, deadlineMs, signal): Promise<Exposition | "unknown_target"> => {
    const target = deps.find(targetId);
    if (!target) return "unknown_target";
    const begun = performance.now();
    const quick = hurried(target, deadlineMs);
    const runs = await Promise.all(Object.keys(quick.jobs).map((job) => deps.run(quick, job, signal)));
    const good = runs.filter((run) => run.outcome.status !== "failed");
    const batches = await Promise.all(good.map((run) => deps.accept(target, run)));
    const points: Point[] = batches.flatMap(dataPoints);
    const success = good.length === runs.length;
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
