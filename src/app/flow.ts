import type { Buffers } from "../buffer/buffers.ts";
import type { Runner } from "../collect/runner.ts";
import type { Self } from "../expose/self.ts";
import { createScheduler, type Scheduler } from "../schedule/scheduler.ts";
import type { Writer } from "../store/writer.ts";
import type { Background } from "./background.ts";
import type { Caching } from "./caching.ts";
import { type Collecting, type CollectingDeps, createCollecting } from "./collecting.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { createPipeline, type Pipeline, type PipelineDeps } from "./pipeline.ts";
import type { LazyTelemetry } from "./telemetry.ts";

export interface FlowDeps
  extends Pick<PipelineDeps, "monitor" | "snapshot" | "log" | "host">,
    Pick<CollectingDeps, "monotonic"> {
  readonly runner: Runner;
  readonly writer: Writer;
  readonly buffers: Buffers;
  readonly background: Pick<Background, "lag">;
  readonly caching: Pick<Caching, "note" | "forget">;
  readonly telemetry: LazyTelemetry;
  readonly self: Self;
}

/** From what is due to what is kept and shown, for the targets of the fleet. */
export interface Flow {
  readonly fleet: Fleet;
  readonly scheduler: Scheduler;
  readonly pipeline: Pipeline;
  /** One collection that was not due, in a span. */
  readonly collect: Collecting["collect"];
  /** Starts no more runs, and aborts those that are still under way after `grace` ms. */
  stop(grace: number): Promise<void>;
}

export function createFlow({ runner, writer, buffers, background, caching, telemetry, self, ...deps }: FlowDeps): Flow {
  const { monitor, snapshot, monotonic, log } = deps;
  const abort = new AbortController();
  const pipeline = createPipeline({
    ...{ ...deps, self, writer, buffers, trace: telemetry.run, note: caching.note },
    fleet: () => fleet,
  });
  const { collect, runDue } = createCollecting({
    ...{ runner, telemetry, accept: pipeline.accept, abort: abort.signal, monotonic },
    began(lag) {
      self.runBegan(lag / 1_000);
      background.lag(lag);
    },
    find: (targetId) => fleet.get(targetId),
  });
  const scheduler = createScheduler({
    ...{ now: monotonic, wall: Date.now, run: runDue },
    hold: (slot) => (writer.isFull() ? "paused" : monitor.hold(slot.targetId, slot.job)),
    skipped(slot, reason, count) {
      monitor.skipped(slot.targetId, slot.job, reason, count);
      if (reason === "overlap") self.runsMissed(count);
    },
  });
  const fleet: Fleet = createFleet({
    ...{ scheduler, monitor, snapshot, log },
    left(view) {
      pipeline.retire(view);
      caching.forget(view.target.id);
    },
    forget(targetId) {
      runner.forget(targetId);
      buffers.forget(targetId);
    },
    added: ({ id }) => pipeline.show(id),
  });
  return {
    ...{ fleet, scheduler, pipeline, collect },
    async stop(grace) {
      const late = setTimeout(() => abort.abort(), grace);
      await scheduler.stop();
      clearTimeout(late);
    },
  };
}
