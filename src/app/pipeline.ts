import type { Telemetry } from "../expose/otel.ts";
import type { Self } from "../expose/self.ts";
import type { Snapshot } from "../expose/types.ts";
import type { Monitor, TargetView } from "../health/monitor.ts";
import type { Transition } from "../model/health.ts";
import type { Logger } from "../model/plugin.ts";
import { CollectError, type Run } from "../model/run.ts";
import type { Batch, ConfiguredTarget, Sink } from "../model/target.ts";
import { toBatch } from "../process/pipeline.ts";
import type { Writer } from "../store/writer.ts";
import type { Fleet } from "./fleet.ts";
import { dataPoints, isKit, statePoints } from "./points.ts";
import { kitRecord, statusRecord } from "./records.ts";

export interface PipelineDeps {
  readonly monitor: Monitor;
  readonly snapshot: Snapshot;
  readonly self: Self;
  readonly writer: Pick<Writer, "accept" | "offer" | "event" | "status" | "kit">;
  readonly buffers: Sink;
  /** Told of each target that was run or is in another state. */
  readonly note: (targetId: string) => void;
  readonly fleet: () => Pick<Fleet, "promote">;
  /** Puts a span around each stage. */
  readonly trace: Telemetry["run"];
  readonly log: Logger;
  /** What this machine is called. */
  readonly host: string;
}

/** What happens with a finished run, left to right: process, health, expose, store. */
export interface Pipeline {
  accept(target: ConfiguredTarget, run: Run): Promise<Batch>;
  /**
   * Takes what was reported from elsewhere, once it is durable. `shown` is what of it tells how things are now; without it
   * what is shown stays. @returns false when it cannot be made durable: then nothing of it was taken
   */
  report(batch: Batch, shown: Batch | undefined): Promise<boolean>;
  /** Shows a target that was just added. */
  show(targetId: string): void;
  /** Notes that a target has left the configuration: nobody knows any more how it is. */
  retire(view: TargetView): void;
  transition(transition: Transition): void;
  /** Lets time pass: stale data is withdrawn, quiet kits turn stale. Call it every few seconds. */
  tick(): void;
}

/** Kits whose data is no longer theirs to show. */
const AWAY: ReadonlySet<string> = new Set(["offline", "stale"]);

/** The batch of a run; what cannot even be read makes it a run that failed. */
function batchOf(target: ConfiguredTarget, run: Run): Batch {
  try {
    return toBatch(target, run);
  } catch (thrown) {
    const error = new CollectError("bug", "the plugin returned something that cannot be read", { cause: thrown });
    return toBatch(target, { ...run, outcome: { status: "failed", error } });
  }
}

const dataSlot = (job: string) => `job:${job}`;

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { monitor, snapshot, self, writer, log } = deps;

  function publish(view: TargetView): void {
    snapshot.replace(view.target.id, "state", statePoints(view, deps.host));
    const away = AWAY.has(view.state) ? Object.keys(view.target.jobs) : view.staleJobs;
    for (const job of away) snapshot.withdraw(view.target.id, dataSlot(job));
  }

  function remember(view: TargetView): void {
    if (view.target.provisional) return;
    deps.note(view.target.id);
    writer.status(statusRecord(view));
    if (isKit(view.target)) writer.kit(kitRecord(view));
  }

  function noteRejections(batch: Batch): void {
    for (const { reason: given, detail, count = 1 } of batch.rejected) {
      const reason = monitor.rejected(batch.target.id, given, count);
      self.rejected(reason, count);
      log.debug({ target: batch.target.id, job: batch.run.job, reason, count, detail }, "left out");
    }
  }

  function noteRun(run: Run): void {
    self.jobDuration(run.pluginId, run.job, run.durationMs / 1_000);
    const fields = { target: run.targetId, job: run.job, outcome: run.outcome.status, ms: Math.round(run.durationMs) };
    if (run.outcome.status === "failed")
      log.debug({ ...fields, kind: run.outcome.error.kind, reason: run.outcome.error.message }, "run failed");
    else log.debug(fields, "run finished");
  }

  /** Everything but the rows. @returns whether the rows have an owner that they can be stored under. */
  function take(target: ConfiguredTarget, batch: Batch, shown: Batch | undefined): boolean {
    const { run } = batch;
    noteRun(run);
    noteRejections(batch);
    const view = monitor.observe(run);
    // The target may have left the configuration while its run was in flight: its rows are kept, its series are not.
    if (!view || view.target !== target) return !target.provisional;
    // What is caught up on is not of now; that a run failed always is.
    if (shown || run.outcome.status === "failed") deps.buffers.accept(batch);
    if (shown?.run.outcome.status === "ok") snapshot.replace(target.id, dataSlot(run.job), dataPoints(shown));
    publish(view);
    remember(view);
    const identity = run.outcome.status === "ok" ? run.outcome.collected.identity : undefined;
    if (target.provisional && identity !== undefined) deps.fleet().promote(target, identity);
    return !target.provisional;
  }

  return {
    async accept(target, run) {
      const [batch, isOwned] = await deps.trace("process", {}, async (span) => {
        const made = batchOf(target, run);
        const { samples, rows, rejected } = made;
        span.set({ samples: samples.length, rows: rows.length, rejections: rejected.length });
        return [made, take(target, made, made)] as const;
      });
      if (isOwned) await deps.trace("store", { rows: batch.rows.length }, async () => writer.accept(batch));
      return batch;
    },
    async report(batch, shown) {
      const isDurable = await deps.trace("store", { rows: batch.rows.length }, () => writer.offer(batch));
      if (isDurable) await deps.trace("process", {}, async () => void take(batch.target, batch, shown));
      return isDurable;
    },
    show(targetId) {
      const view = monitor.view(targetId);
      if (!view) return;
      publish(view);
      remember(view);
    },
    retire(view) {
      if (view.target.provisional) return;
      writer.status({ ...statusRecord(view), state: "unknown" });
      if (isKit(view.target)) writer.kit({ ...kitRecord(view), enabled: false, status: "unknown" });
    },
    transition(transition) {
      writer.event(transition);
      const level = transition.severity === "info" ? "info" : "warn";
      const { kind, id, from, to, details } = transition;
      log[level](
        { [kind === "identity" ? "kit" : kind]: id, from, to, details },
        kind === "identity" ? "identity changed" : `${id} is ${to}`,
      );
    },
    tick() {
      for (const view of monitor.tick()) remember(view);
      for (const view of monitor.views()) publish(view);
    },
  };
}
