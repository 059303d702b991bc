import type { Runner } from "../collect/runner.ts";
import type { Run } from "../model/run.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";
import type { LazyTelemetry } from "./telemetry.ts";

export interface CollectingDeps {
  readonly runner: Pick<Runner, "run">;
  readonly telemetry: Pick<LazyTelemetry, "run" | "runApart" | "recordRun">;
  readonly find: (targetId: string) => ConfiguredTarget | undefined;
  readonly accept: (target: ConfiguredTarget, run: Run) => Promise<Batch>;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** How long after it was due a run began (ms), the wait for a free place included. */
  readonly began: (lag: number) => void;
  /** Aborts what is still under way when the time to finish it is over. */
  readonly abort: AbortSignal;
}

export interface Collecting {
  /** One collection, in a span. */
  collect(target: ConfiguredTarget, job: string, signal: AbortSignal, onBegin?: () => void): Promise<Run>;
  /** What the scheduler starts when it is due (monotonic ms): a trace of its own, schedule > collect > process > store. */
  runDue(slot: { readonly targetId: string; readonly job: string }, due: number): Promise<void>;
}

/** Joins the scheduler's side with the pipeline's. */
export function createCollecting(deps: CollectingDeps): Collecting {
  const { runner, telemetry, find, accept, abort, monotonic, began } = deps;
  const collect: Collecting["collect"] = (target, job, signal, onBegin) =>
    telemetry.run("collect", { plugin: target.plugin.id, target: target.id, job }, async (span) => {
      const run = await runner.run(target, job, signal, onBegin);
      span.set({ outcome: run.outcome.status, attempts: run.attempts });
      if (run.outcome.status === "failed") span.fail(run.outcome.error.message);
      telemetry.recordRun(run.pluginId, run.job, run.outcome.status, run.durationMs / 1_000);
      return run;
    });
  return {
    collect,
    runDue: ({ targetId, job }, due) =>
      telemetry.runApart("schedule", { target: targetId, job }, async () => {
        const target = find(targetId);
        if (target)
          await accept(target, await collect(target, job, abort, () => began(Math.max(0, monotonic() - due))));
      }),
  };
}
