import type { Buffers } from "../buffer/buffers.ts";
import type { Snapshot } from "../expose/types.ts";
import type { Components, ComponentView } from "../health/components.ts";
import type { Monitor, TargetView } from "../health/monitor.ts";
import {
  type JobFacts,
  judgedOver,
  judgeJob,
  judgeScheduler,
  judgeSpool,
  judgeStore,
  judgeTarget,
  type Verdict,
} from "../health/verdicts.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import { intervalOf } from "../model/target.ts";
import type { Writer } from "../store/writer.ts";
import { componentPoints, successPoints } from "./background-points.ts";
import { isKit } from "./points.ts";

export interface BackgroundDeps {
  /** All targets there are now. */
  readonly targets: () => readonly ConfiguredTarget[];
  readonly monitor: Pick<Monitor, "view">;
  readonly buffers: Pick<Buffers, "success" | "trim" | "memory">;
  readonly components: Components;
  readonly snapshot: Pick<Snapshot, "replace">;
  readonly writer: Pick<Writer, "isDown" | "isFull" | "spooled">;
  /** Bound of the spool (bytes). */
  readonly spoolMaxBytes: number;
  /** Whether the database was ever reached. */
  readonly storeReached: () => boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** What looks after the buffers and the health of components, apart from any run. */
export interface Background {
  /** Takes in how late the scheduler came to a run (ms). */
  lag(ms: number): void;
  /** Judges every component. */
  evaluate(): void;
  /** Shows how jobs fared of late; call it every few seconds. */
  tick(): void;
}

/** Owner of what is gleaner's own in the snapshot; no target can have such an id. */
const OWNER = "/gleaner";
const SLOT = "background";

export function createBackground(deps: BackgroundDeps): Background {
  const { monitor, buffers, components, snapshot, writer } = deps;
  let worstLag = 0;
  let downSince: number | null = null;

  // Not by their views: with thousands of kits those would be made every few seconds for nothing.
  const targets = () => deps.targets().filter((target) => !isKit(target));

  function ofTarget(target: ConfiguredTarget): [string, Verdict][] {
    const runs = monitor.view(target.id)?.runs ?? {};
    const ratios: number[] = [];
    const jobs = Object.entries(target.jobs).flatMap(([job, { trigger }]) => {
      const last = runs[job]?.last;
      if (!last) return [];
      const every = intervalOf(trigger) ?? null;
      const success = buffers.success(target.id, job, judgedOver(every));
      if (success) ratios.push(success.ratio);
      const facts: JobFacts = {
        ...{ every, success, everWell: wellRuns(runs[job]) > 0 },
        last: {
          failure: last.outcome === "failed" ? (last.reason ?? "failed") : null,
          durationMs: last.durationMs,
          age: deps.now() - last.at.getTime(),
        },
      };
      return [[`job/${target.id}/${job}`, judgeJob(facts)] as [string, Verdict]];
    });
    return ratios.length > 1 ? [...jobs, [`target/${target.id}`, judgeTarget(ratios)]] : jobs;
  }

  function ofGleaner(): [string, Verdict][] {
    const reason = writer.isDown();
    downSince = reason === undefined ? null : (downSince ?? deps.now());
    const down = reason === undefined ? null : { reason, for: deps.now() - (downSince ?? deps.now()) };
    const { bytes, oldestAt } = writer.spooled();
    const age = oldestAt === null ? null : deps.now() - oldestAt;
    const lag = worstLag;
    worstLag = 0;
    return [
      ["gleaner/scheduler", judgeScheduler(lag)],
      ["gleaner/spool", judgeSpool({ bytes, maxBytes: deps.spoolMaxBytes, age, isFull: writer.isFull() })],
      ["gleaner/store", judgeStore(down, deps.storeReached())],
    ];
  }

  return {
    lag(ms) {
      worstLag = Math.max(worstLag, ms);
    },
    evaluate() {
      buffers.trim();
      components.evaluate(new Map([...ofGleaner(), ...targets().flatMap(ofTarget)]));
      const shown: readonly ComponentView[] = components.view().components;
      snapshot.replace(OWNER, SLOT, componentPoints(shown, buffers.memory()));
    },
    tick() {
      for (const target of targets()) snapshot.replace(target.id, SLOT, successPoints(target, buffers.success));
    },
  };
}

/** Runs that did not fail since the target is watched. */
function wellRuns(counts: TargetView["runs"][string] | undefined): number {
  if (!counts) return 0;
  return counts.runs - Object.values(counts.failures).reduce((sum, n) => sum + n, 0);
}
