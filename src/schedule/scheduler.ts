import type { SkipReason } from "../model/run.ts";
import type { Schedule } from "../model/target.ts";
import { type CronTask, startCron } from "./cron.ts";
import { createHeap } from "./heap.ts";
import { nextOnGrid, phaseOf } from "./phase.ts";

/** One job of one target, with its trigger. */
export interface Slot {
  readonly targetId: string;
  readonly job: string;
  readonly trigger: Schedule;
}

export interface SchedulerDeps {
  /** Starts one run that was due at `due` (monotonic ms); the slot is busy until it settles. Its failure is its own business. */
  readonly run: (slot: Slot, due: number) => Promise<unknown>;
  /** A reason not to run now (back-off, pause), or undefined. */
  readonly hold: (slot: Slot) => SkipReason | undefined;
  readonly skipped: (slot: Slot, reason: SkipReason, count: number) => void;
  /** Monotonic milliseconds: neither drifts nor jumps with the wall clock. */
  readonly now: () => number;
  readonly wall: () => number;
}

export interface SlotView extends Slot {
  readonly nextRun: Date | null;
  readonly running: boolean;
}

export interface Scheduler {
  add(slots: readonly Slot[]): void;
  /** Takes a target's slots off; runs in flight finish. */
  remove(targetId: string): void;
  list(): SlotView[];
  /** No further runs; resolves when those in flight have settled. */
  stop(): Promise<void>;
}

interface Entry extends Slot {
  /** Its place within the interval (ms). */
  readonly phase: number;
  due: number;
  /** Whether it ran, or was held, at least once: the first run is not on the grid. */
  begun: boolean;
  running: boolean;
  removed: boolean;
  cron: CronTask | undefined;
  /** Another of the same target: a chain takes an eighth of the memory of a list for each. */
  readonly sibling: Entry | undefined;
}

/** First runs start within a millisecond a job: at once for a host, spread out for thousands of kits. */
const FIRST_RUN_SPREAD_MS = 1;
/** setTimeout's own limit; a longer wait is taken in pieces. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Timers know whole milliseconds: what is due within half of one is due now. */
const TOLERANCE_MS = 0.5;

/**
 * Interval jobs on a phase-spread grid behind one timer, cron jobs through node-cron.
 * No drift (due times are grid points, not "now plus interval"), no overlap (a tick that finds its run in flight is
 * skipped and counted), no burst after a stall (missed ticks are counted, not made up for).
 */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const heap = createHeap<Entry>();
  const entries = new Map<string, Entry>();
  const inFlight = new Set<Promise<unknown>>();
  const offset = deps.wall() - deps.now();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function start(entry: Entry, due: number): void {
    const reason = entry.running ? "overlap" : deps.hold(entry);
    if (reason) {
      deps.skipped(entry, reason, 1);
      return;
    }
    entry.running = true;
    const run = deps
      .run(entry, due)
      .catch(() => undefined)
      .finally(() => {
        entry.running = false;
        inFlight.delete(run);
      });
    inFlight.add(run);
  }

  function advance(entry: Entry, every: number, now: number): void {
    // After the first run half an interval or more: the second is not to meet it still in flight.
    const from = Math.max(now, entry.due) + (entry.begun ? 0 : every / 2);
    const next = nextOnGrid(from, every, entry.phase, offset);
    const missed = entry.begun ? Math.max(0, Math.round((next - entry.due) / every) - 1) : 0;
    if (missed > 0) deps.skipped(entry, "overlap", missed);
    entry.begun = true;
    entry.due = next;
    heap.push(entry);
  }

  function tick(): void {
    const now = deps.now();
    for (let entry = heap.peek(); entry && entry.due <= now + TOLERANCE_MS; entry = heap.peek()) {
      heap.pop();
      if (entry.removed || !("every" in entry.trigger)) continue;
      start(entry, entry.due);
      advance(entry, entry.trigger.every, now);
    }
    arm();
  }

  function arm(): void {
    clearTimeout(timer);
    const next = heap.peek();
    if (stopped || !next) return;
    timer = setTimeout(tick, Math.min(Math.max(0, Math.round(next.due - deps.now())), MAX_TIMER_MS));
  }

  function addSlot({ targetId, job, trigger }: Slot, spread: number): void {
    const every = "every" in trigger ? trigger.every : 1;
    const phase = phaseOf(targetId, job, every);
    const due = deps.now() + (phase / every) * Math.min(every, spread);
    const sibling = entries.get(targetId);
    const entry: Entry = {
      targetId,
      job,
      trigger,
      phase,
      due,
      begun: false,
      running: false,
      removed: false,
      cron: undefined,
      sibling,
    };
    entries.set(targetId, entry);
    if ("cron" in trigger) {
      // node-cron does not say when a tick was due.
      const startNow = () => start(entry, deps.now());
      entry.cron = startCron(trigger.cron, trigger.timezone, startNow);
      startNow();
    } else heap.push(entry);
  }

  const all = () => [...entries.values()].flatMap(withSiblings);

  return {
    add(slots) {
      for (const slot of slots) addSlot(slot, slots.length * FIRST_RUN_SPREAD_MS);
      arm();
    },
    remove(targetId) {
      for (const entry of withSiblings(entries.get(targetId))) {
        entry.removed = true;
        entry.cron?.stop();
      }
      entries.delete(targetId);
    },
    list() {
      return all().map(({ targetId, job, trigger, due, running, cron }) => ({
        ...{ targetId, job, trigger, running },
        nextRun: cron ? cron.nextRun() : new Date(due + offset),
      }));
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      for (const { cron } of all()) cron?.stop();
      await Promise.allSettled([...inFlight]);
    },
  };
}

/** A target's entries in the order they came, given the newest. */
function withSiblings(newest: Entry | undefined): Entry[] {
  return newest ? [...withSiblings(newest.sibling), newest] : [];
}
