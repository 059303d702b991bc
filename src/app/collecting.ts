import type { Runner } from "../collect/runner.ts";
import type { Run } from "../model/run.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";
import type { LazyTelemetry } from "./telemetry.ts";

export interface CollectingDeps {
  readonly runner: Pick<Runner, "run">;
  readonly telemetry: Pick<LazyTelemetry, "run" | "runApart" | "recordRun">;
  readonly find: (targetId: string) => ConfiguredTarget | undefined;
  readonly accept: (target: ConfiguredTarget, run: Run) => Promise<Batch>;
  /** Aborts what is still under way when the time to finish it is over. */
  readonly abort: AbortSignal;
}

export interface Collecting {
  /** One collection, in a span. */
  collect(target: ConfiguredTarget, job: string, signal: AbortSignal): Promise<Run>;
  /** What the scheduler starts: a trace of its own, schedule > collect > process > store. */
  runDue(slot: { readonly targetId: string; readonly job: string }): Promise<void>;
}

/** Joins the scheduler's side with the pipeline's. */
export function createCollecting({ runner, telemetry, find, accept, abort }: CollectingDeps): Collecting {
  const collect: Collecting["collect"] = (target, job, signal) =>
    telemetry.run("collect", { plugin: target.plugin.id, target: target.id, job }, async (span) => {
      const run = await runner.run(target, job, signal);
      span.set({ outcome: run.outcome.status, attempts: run.attempts });
      if (run.outcome.status === "failed") span.fail(run.outcome.error.message);
      telemetry.recordRun(run.pluginId, run.job, run.outcome.status, run.durationMs / 1_000);
      return run;
    });
  return {
    collect,
    runDue: ({ targetId, job }) =>
      telemetry.runApart("schedule", { target: targetId, job }, async () => {
        const target = find(targetId);
        if (target) await accept(target, await collect(target, job, abort));
      }),
  };
}
