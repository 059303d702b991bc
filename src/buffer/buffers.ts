import { hours } from "../model/duration.ts";
import { type Batch, type ConfiguredTarget, intervalOf, type Sink, type Trigger } from "../model/target.ts";
import { createLayouts, EMPTY } from "./layout.ts";
import { append, bytesOf, countSince, createRing, fit, limit, type Ring, timeOf } from "./ring.ts";
import { type PointView, recent, successSince, type WindowName, type WindowSummary, windowsOf } from "./windows.ts";

export interface BuffersOptions {
  /** Memory for all of them together. */
  readonly maxBytes: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** What is kept of one job. Times are null while nothing is. */
export interface BufferView {
  readonly job: string;
  /** Runs that are kept at most, and how many there are. */
  readonly capacity: number;
  readonly size: number;
  /** How many runs an hour is; the capacity is less when memory is short. */
  readonly wanted: number;
  readonly oldest: Date | null;
  readonly newest: Date | null;
  /** Runs since the buffer began, and of them those that failed. */
  readonly runs: number;
  readonly failed: number;
  /** Series of the last run that are not buffered, because there are too many. */
  readonly leftOut: number;
  /** Series that are buffered. */
  readonly series: number;
  readonly windows: Readonly<Record<WindowName, WindowSummary | null>>;
}

/** Share of runs that did not fail, over how many. */
export interface Success {
  readonly runs: number;
  readonly ratio: number;
}

/** The buffers of every job of every target. */
export interface Buffers extends Sink {
  accept(batch: Batch): void;
  /** Forgets a target that left the configuration, or is another one now. */
  forget(targetId: string): void;
  /** Gives memory back that is over the budget, of jobs that run so rarely that they would not do it soon themselves. */
  trim(): void;
  /** What is kept of a target's jobs; empty when nothing is. */
  view(targetId: string): BufferView[];
  /** The newest points of a job, not older than `since` (epoch ms). */
  points(targetId: string, job: string, count: number, since?: number): PointView[];
  /** How a job fared over the last so many milliseconds; null when it did not run. */
  success(targetId: string, job: string, length: number): Success | null;
  /** Memory that all of it takes, about, and what it may take. */
  memory(): { readonly bytes: number; readonly maxBytes: number };
}

interface Entry {
  readonly ring: Ring;
  readonly wanted: number;
}

/** The time a buffer is to reach back, and the most runs it holds whatever the interval. */
const REACH_MS = hours(1);
const MOST = 3_600;
/** Jobs that run every hour or less often still have a few runs to show. */
const LEAST = 10;
/** Assumed for cron, as health does. */
const CRON_EVERY_MS = 60_000;
/** What a ring takes besides its rows, in the heap and for the memory of the rows: measured. */
const RING_BYTES = 700;
/** The shares that capacities can be of an hour's runs lie 9 % apart, so that one target more does not move every row. */
const STEPS = 8;

/** Runs an hour, within bounds. */
function wantedOf(trigger: Trigger | undefined): number {
  const every = (trigger && intervalOf(trigger)) ?? CRON_EVERY_MS;
  return Math.min(MOST, Math.max(LEAST, Math.ceil(REACH_MS / every)));
}

/**
 * Keeps the last hour of every job's runs, in memory that is bounded: when an hour of all does not fit, every job keeps the
 * same share of it. Rows are moved only by the job's own next run, so nothing stops for it.
 */
export function createBuffers({ maxBytes, now }: BuffersOptions): Buffers {
  const targets = new Map<string, Map<string, Entry>>();
  const layouts = createLayouts();
  let rings = 0;
  /** What the rows of an hour of every job would take. */
  let demand = 0;

  const demandOf = ({ wanted, ring }: Entry) => wanted * ring.layout.stride;
  const entries = () => [...targets.values()].flatMap((jobs) => [...jobs.values()]);

  function share(): number {
    const room = Math.max(0, maxBytes - layouts.bytes() - rings * RING_BYTES);
    return room >= demand ? 1 : 2 ** (Math.floor(STEPS * Math.log2(room / demand)) / STEPS);
  }

  /** At least one run, or nothing could be said of the job. */
  const capacityOf = ({ wanted }: Entry) => Math.max(1, Math.floor(wanted * share()));

  function entryOf({ id, jobs }: ConfiguredTarget, job: string): Entry {
    const own = targets.get(id) ?? new Map<string, Entry>();
    targets.set(id, own);
    const entry = own.get(job) ?? { ring: createRing(), wanted: wantedOf(jobs[job]?.trigger) };
    if (own.has(job)) return entry;
    own.set(job, entry);
    rings++;
    demand += demandOf(entry);
    return entry;
  }

  const find = (targetId: string, job: string) => targets.get(targetId)?.get(job);

  function viewOf(job: string, entry: Entry): BufferView {
    const { ring, wanted } = entry;
    const { size, runs, failed, leftOut } = ring;
    return {
      ...{ job, capacity: capacityOf(entry), size, wanted },
      oldest: size > 0 ? new Date(timeOf(ring, 0)) : null,
      newest: size > 0 ? new Date(ring.newest) : null,
      ...{ runs, failed, leftOut, series: ring.layout.columns.length },
      windows: windowsOf(ring, now()),
    };
  }

  return {
    name: "buffer",
    accept({ target, run, samples }) {
      const entry = entryOf(target, run.job);
      const before = demandOf(entry);
      if (fit(entry.ring, samples, layouts)) demand += demandOf(entry) - before;
      const at = run.finishedAt.getTime();
      const point = { at, durationMs: run.durationMs, outcome: run.outcome.status, samples };
      append(entry.ring, point, capacityOf(entry));
    },
    forget(targetId) {
      for (const entry of targets.get(targetId)?.values() ?? []) {
        rings--;
        demand -= demandOf(entry);
      }
      targets.delete(targetId);
    },
    trim() {
      layouts.prune(new Set([EMPTY, ...entries().map(({ ring }) => ring.layout)]));
      for (const entry of entries()) limit(entry.ring, capacityOf(entry));
    },
    view: (targetId) => [...(targets.get(targetId) ?? [])].map(([job, entry]) => viewOf(job, entry)),
    points(targetId, job, count, since) {
      const entry = find(targetId, job);
      if (!entry) return [];
      return recent(entry.ring, since === undefined ? count : Math.min(count, countSince(entry.ring, since)));
    },
    success(targetId, job, length) {
      const entry = find(targetId, job);
      return entry ? successSince(entry.ring, now() - length) : null;
    },
    memory: () => ({
      bytes: layouts.bytes() + entries().reduce((sum, { ring }) => sum + bytesOf(ring) + RING_BYTES, 0),
      maxBytes,
    }),
  };
}
