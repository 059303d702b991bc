/**
 * Writes start at least this far apart (ms). Rows that are safe in the spool wait for others: every write costs a server some
 * milliseconds. Those of the embedded store, which are durable only when they are written, and a full write wait less.
 */
const PACE_MS = { least: 100, small: 250 } as const;
/** Rows of one write: it grows while the database is quick and shrinks while it is slow. */
const ROWS = { least: 100, most: 5_000 } as const;
const QUICK_MS = 500;
const SLOW_MS = 2_000;

/** What a writer is configured with that says when it writes. */
export interface Pace {
  /** Whether the store makes durable by itself what it takes. */
  readonly embedded: boolean;
  /** A write starts when this many rows wait … */
  readonly batchSize: number;
  /** … or when the oldest has waited this long (ms). */
  readonly batchTimeout: number;
}

/** What waits for a write. Times are monotonic (ms). */
export interface Waiting {
  /** Rows, on disk and in memory. */
  readonly rows: number;
  /** Whether batches wait that are in memory only. */
  readonly inMemory: boolean;
  /** When states are due; infinity when none wait. */
  readonly statesAt: number;
  /** When the last write started. */
  readonly lastWrite: number;
  /** How long the database is left alone because it failed; undefined while it can be written. */
  readonly pause: number | undefined;
  /** Rows that one write may have. */
  readonly limit: number;
}

/** When the next write starts, in the same time as `now`; infinity when nothing waits. */
export function nextWrite(now: number, { embedded, batchSize, batchTimeout }: Pace, waiting: Waiting): number {
  const { rows, inMemory, statesAt, lastWrite, pause, limit } = waiting;
  const hasRows = rows > 0 || inMemory;
  if (!hasRows && statesAt === Number.POSITIVE_INFINITY) return statesAt;
  if (pause !== undefined) return now + pause;
  const apart = embedded || rows >= limit ? PACE_MS.least : PACE_MS.small;
  // Rows that are not durable before they are written do not wait for others.
  if (rows >= batchSize || (embedded && inMemory)) return Math.max(now, lastWrite + apart);
  return hasRows ? now + batchTimeout : Math.max(now + batchTimeout, statesAt);
}

/** How many rows one write may have, by what became of the writes before it. */
export interface Limit {
  rows(): number;
  /** A write starts; it may fail before it comes to sending. */
  start(): void;
  /** So many rows are sent. */
  sending(rows: number): void;
  /** They were taken, after this time (ms). */
  sent(took: number): void;
  /** The write failed. */
  failed(): void;
}

const within = (rows: number): number => Math.min(ROWS.most, Math.max(ROWS.least, rows));

export function createLimit(): Limit {
  let limit: number = ROWS.most;
  /** Rows of the write under way or of the last one; 0 when it did not come to sending. */
  let attempted = 0;
  return {
    rows: () => limit,
    start() {
      attempted = 0;
    },
    sending(rows) {
      attempted = rows;
    },
    sent(took) {
      // By the rows that were written, not from those that were allowed: of these a slow database may not manage half.
      if (took > SLOW_MS) limit = within(Math.floor((attempted * SLOW_MS) / took));
      else if (took < QUICK_MS && attempted * 2 >= limit) limit = within(limit * 2);
    },
    failed() {
      if (attempted > 0) limit = within(Math.floor(Math.min(limit, attempted) / 2));
    },
  };
}
