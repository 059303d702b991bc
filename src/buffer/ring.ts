import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import { type Column, columnOf, EMPTY, isNarrow, type Layout, type Layouts, NARROW_FRACTION } from "./layout.ts";

/** How a run ended. What is empty had nothing to collect, and did not fail. */
export const OUTCOMES = ["ok", "empty", "failed"] as const satisfies readonly Run["outcome"]["status"][];
type Ended = (typeof OUTCOMES)[number];

/**
 * The last runs of one job: rows of fixed size in one piece of memory, the oldest overwritten first.
 *
 *     | time 4 | outcome 2 bits, duration 30 bits | value 4 or 8 | value | …     one row
 *
 * A plain record and functions over it: with a closure for each, six thousand of them would be several megabytes more.
 */
export interface Ring {
  layout: Layout;
  rows: DataView<ArrayBuffer>;
  /** Rows there is memory for now; it grows with what comes, up to the capacity. */
  room: number;
  /** Row of the oldest point. */
  head: number;
  size: number;
  /** Time of the newest point (epoch ms); the rows hold the lower 32 bits. */
  newest: number;
  /** Runs since the buffer began, and of them those that failed. */
  runs: number;
  failed: number;
  /** Samples of the last run that there was no column for. */
  leftOut: number;
}

/** A finished run, as it is buffered. `at` is epoch milliseconds. */
export interface Point {
  readonly at: number;
  readonly durationMs: number;
  readonly outcome: Ended;
  readonly samples: readonly Sample[];
}

const FIRST_ROOM = 16;
/** Durations are kept in units of ten microseconds: up to three hours in 30 bits. */
const PER_MS = 100;
const DURATION_MAX = 2 ** 30 - 1;

const memory = (layout: Layout, room: number) => new DataView(new ArrayBuffer(layout.stride * room));

export function createRing(): Ring {
  const counts = { head: 0, size: 0, newest: 0, runs: 0, failed: 0, leftOut: 0 };
  return { layout: EMPTY, rows: memory(EMPTY, 0), room: 0, ...counts };
}

/** Where the i-th point stands, the oldest being 0. */
const rowOf = (ring: Ring, i: number): number => ((ring.head + i) % ring.room) * ring.layout.stride;

/** Time of the i-th point (epoch ms): right within 24 days of the newest, and a buffer is about an hour. */
export const timeOf = (ring: Ring, i: number): number =>
  ring.newest - ((ring.newest - ring.rows.getUint32(rowOf(ring, i))) | 0);

export const outcomeOf = (ring: Ring, i: number): Ended =>
  OUTCOMES[ring.rows.getUint32(rowOf(ring, i) + 4) >>> 30] as Ended;

/** How long the i-th run took (ms). */
export const durationOf = (ring: Ring, i: number): number =>
  (ring.rows.getUint32(rowOf(ring, i) + 4) & DURATION_MAX) / PER_MS;

/** What the i-th run brought of a series; NaN where it brought nothing. */
export const shownValueOf = (ring: Ring, i: number, column: Column): number =>
  tidy(storedValueOf(ring, i, column), column.wide);

/** The digits that four bytes have, and not those of the double next to them: 0.1, not 0.10000000149. */
export const tidy = (value: number, wide: boolean): number =>
  wide || Number.isInteger(value) || Math.abs(value) >= NARROW_FRACTION.max ? value : Number(value.toPrecision(7));

/** The same as it is in memory, for adding up. */
export const storedValueOf = (ring: Ring, i: number, { wide, at }: Column): number =>
  wide ? ring.rows.getFloat64(rowOf(ring, i) + at) : ring.rows.getFloat32(rowOf(ring, i) + at);

/** Moves the newest rows that fit into memory of another shape. */
function reshape(ring: Ring, layout: Layout, room: number): void {
  const rows = memory(layout, room);
  const kept = Math.min(ring.size, room);
  const columns = ring.layout.columns.map((column) => [column, layout.columns[layout.index.get(column.series) ?? -1]]);
  for (let i = 0; i < kept; i++) {
    const from = ring.size - kept + i;
    const source = rowOf(ring, from);
    const target = i * layout.stride;
    clear(rows, target, layout);
    rows.setUint32(target, ring.rows.getUint32(source));
    rows.setUint32(target + 4, ring.rows.getUint32(source + 4));
    for (const [before, after] of columns as [Column, Column | undefined][])
      if (after) write(rows, target, after, storedValueOf(ring, from, before));
  }
  Object.assign(ring, { layout, rows, room, head: 0, size: kept });
}

function write(rows: DataView, row: number, { wide, at }: Column, value: number): void {
  if (wide) rows.setFloat64(row + at, value);
  else rows.setFloat32(row + at, value);
}

function clear(rows: DataView, row: number, { columns }: Layout): void {
  for (const column of columns) write(rows, row, column, Number.NaN);
}

/**
 * Whether the layout has a column of sufficient width for each sample. Those that are one too many stay without: whether old
 * columns have become free is looked at once in a turn of the ring.
 */
function suits({ layout, leftOut, runs, room }: Ring, samples: readonly Sample[]): boolean {
  let missing = 0;
  let next = 0;
  for (const sample of samples) {
    const column = columnOf(layout, sample, next);
    next = column + 1;
    if (column < 0) missing++;
    else if (!layout.columns[column]?.wide && !isNarrow(sample.value)) return false;
  }
  return missing === 0 || (missing <= leftOut && runs % room !== 0);
}

/** The columns that some point has a value of: those of a container that is long gone need not stay. */
function columnsInUse(ring: Ring): Column[] {
  return ring.layout.columns.filter((column) => {
    for (let i = ring.size - 1; i >= 0; i--) if (!Number.isNaN(storedValueOf(ring, i, column))) return true;
    return false;
  });
}

/** Makes room for the samples' series. @returns whether the row changed, so that the buffer's share of memory did too */
export function fit(ring: Ring, samples: readonly Sample[], layouts: Layouts): boolean {
  if (suits(ring, samples)) return false;
  const layout = layouts.extend(columnsInUse(ring), samples);
  if (layout === ring.layout) return false;
  reshape(ring, layout, Math.max(ring.size, 1));
  return true;
}

/** Keeps no more than so many points, and gives memory back that is over it. */
export function limit(ring: Ring, capacity: number): void {
  if (ring.room > capacity) reshape(ring, ring.layout, capacity);
}

/** Takes a run, in the place of the oldest one once there are `capacity` of them. The samples were made to `fit` before. */
export function append(ring: Ring, point: Point, capacity: number): void {
  limit(ring, capacity);
  if (ring.size === ring.room && ring.room < capacity)
    reshape(ring, ring.layout, Math.min(capacity, Math.max(FIRST_ROOM, ring.room * 2)));
  const isFull = ring.size === ring.room;
  if (isFull) ring.head = (ring.head + 1) % ring.room;
  else ring.size++;
  ring.newest = point.at;
  ring.runs++;
  if (point.outcome === "failed") ring.failed++;
  fill(ring, rowOf(ring, ring.size - 1), point);
}

function fill(ring: Ring, row: number, { at, durationMs, outcome, samples }: Point): void {
  const { rows, layout } = ring;
  rows.setUint32(row, at % 2 ** 32);
  const duration = Math.min(Math.max(0, Math.round(durationMs * PER_MS)), DURATION_MAX);
  rows.setUint32(row + 4, (OUTCOMES.indexOf(outcome) * 2 ** 30 + duration) >>> 0);
  clear(rows, row, layout);
  let next = 0;
  let leftOut = 0;
  for (const sample of samples) {
    const at = columnOf(layout, sample, next);
    next = at + 1;
    const column = layout.columns[at];
    if (column) write(rows, row, column, sample.value);
    else leftOut++;
  }
  ring.leftOut = leftOut;
}

/** The number of points that are not older than a time (epoch ms): those are the newest ones. */
export function countSince(ring: Ring, since: number): number {
  let i = ring.size;
  while (i > 0 && timeOf(ring, i - 1) >= since) i--;
  return ring.size - i;
}

/** Memory of its rows. */
export const bytesOf = (ring: Ring): number => ring.room * ring.layout.stride;
