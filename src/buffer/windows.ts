import { minutes } from "../model/duration.ts";
import type { Column } from "./layout.ts";
import { durationOf, outcomeOf, type Ring, shownValueOf, storedValueOf, tidy, timeOf } from "./ring.ts";

/** The windows that are summarised, in milliseconds. Five minutes is the one that is meant where none is named. */
export const WINDOWS = { "1m": minutes(1), "5m": minutes(5), "15m": minutes(15), "60m": minutes(60) } as const;
export type WindowName = keyof typeof WINDOWS;

/** What became of a metric within a window. `count`: the runs that brought it. */
export interface MetricSummary {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** The runs of a job within a window, failed ones included. Collection times are in seconds. */
export interface WindowSummary {
  readonly start_time: Date;
  readonly end_time: Date;
  /** Whether every run of the window is still in the buffer. */
  readonly complete: boolean;
  readonly count: number;
  readonly avg_collection_time: number;
  readonly min_collection_time: number;
  readonly max_collection_time: number;
  /** Share of the runs that did not fail. */
  readonly success_rate: number;
  readonly data_summary: Readonly<Record<string, MetricSummary>>;
}

/** A buffered run, for people: times in seconds, values by series. */
export interface PointView {
  readonly time: Date;
  readonly collection_time: number;
  readonly outcome: ReturnType<typeof outcomeOf>;
  readonly data: Readonly<Record<string, number>>;
}

/** Count, sum and extremes of what is added to it. */
interface Tally {
  count: number;
  sum: number;
  min: number;
  max: number;
}

const tally = (): Tally => ({ count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY });

function add(to: Tally, value: number): void {
  to.count++;
  to.sum += value;
  if (value < to.min) to.min = value;
  if (value > to.max) to.max = value;
}

/** Milliseconds as seconds, to the ten microseconds that they are known to. */
const inSeconds = (ms: number): number => Math.round(ms * 100) / 100_000;

interface Totals {
  readonly durations: Tally;
  failed: number;
  readonly values: readonly Tally[];
}

/** Adds up the i-th point. */
function take(totals: Totals, ring: Ring, i: number, columns: readonly Column[]): void {
  add(totals.durations, durationOf(ring, i));
  if (outcomeOf(ring, i) === "failed") totals.failed++;
  for (const [at, column] of columns.entries()) {
    const value = storedValueOf(ring, i, column);
    if (!Number.isNaN(value)) add(totals.values[at] as Tally, value);
  }
}

function summary(totals: Totals, columns: readonly Column[], window: Span): WindowSummary | null {
  const { durations, failed, values } = totals;
  if (durations.count === 0) return null;
  const brought = columns.flatMap(({ series, wide }, at) => {
    const { count, sum, min, max } = values[at] as Tally;
    if (count === 0) return [];
    return [[series, { count, mean: tidy(sum / count, wide), min: tidy(min, wide), max: tidy(max, wide) }] as const];
  });
  return {
    start_time: new Date(window.start),
    end_time: new Date(window.end),
    complete: window.complete,
    count: durations.count,
    avg_collection_time: inSeconds(durations.sum / durations.count),
    min_collection_time: inSeconds(durations.min),
    max_collection_time: inSeconds(durations.max),
    success_rate: (durations.count - failed) / durations.count,
    data_summary: Object.fromEntries(brought),
  };
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly complete: boolean;
}

/** Whether no point of the window was overwritten: none ever was, or the oldest there is lies before it. */
const isComplete = (ring: Ring, start: number): boolean =>
  ring.runs === ring.size || (ring.size > 0 && timeOf(ring, 0) < start);

/**
 * Every window that ends now, in one pass over the buffer from the newest run back; null for one without runs.
 * @param now epoch milliseconds
 */
export function windowsOf(ring: Ring, now: number): Record<WindowName, WindowSummary | null> {
  const { columns } = ring.layout;
  const totals: Totals = { durations: tally(), failed: 0, values: columns.map(tally) };
  const result: Partial<Record<WindowName, WindowSummary | null>> = {};
  let i = ring.size - 1;
  for (const [name, length] of Object.entries(WINDOWS) as [WindowName, number][]) {
    const start = now - length;
    for (; i >= 0 && timeOf(ring, i) >= start; i--) take(totals, ring, i, columns);
    result[name] = summary(totals, columns, { start, end: now, complete: isComplete(ring, start) });
  }
  return result as Record<WindowName, WindowSummary | null>;
}

/** Runs since a time (epoch ms) and the share of them that did not fail; null without runs. */
export function successSince(ring: Ring, since: number): { readonly runs: number; readonly ratio: number } | null {
  let runs = 0;
  let failed = 0;
  for (let i = ring.size - 1; i >= 0 && timeOf(ring, i) >= since; i--) {
    runs++;
    if (outcomeOf(ring, i) === "failed") failed++;
  }
  return runs === 0 ? null : { runs, ratio: (runs - failed) / runs };
}

/** The newest `count` points, the oldest first. */
export function recent(ring: Ring, count: number): PointView[] {
  const from = Math.max(0, ring.size - count);
  return Array.from({ length: ring.size - from }, (_, at) => pointOf(ring, from + at));
}

function pointOf(ring: Ring, i: number): PointView {
  const data = ring.layout.columns.flatMap((column) => {
    const value = shownValueOf(ring, i, column);
    return Number.isNaN(value) ? [] : [[column.series, value] as const];
  });
  return {
    time: new Date(timeOf(ring, i)),
    collection_time: inSeconds(durationOf(ring, i)),
    outcome: outcomeOf(ring, i),
    data: Object.fromEntries(data),
  };
}
