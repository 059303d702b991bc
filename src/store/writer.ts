import { setTimeout as sleep } from "node:timers/promises";
import { ExponentialBackoff, type IBackoff } from "cockatiel";
import type { Transition } from "../model/health.ts";
import type { Batch, Sink } from "../model/target.ts";
import { type Chunk, createBacklog, rowsOf } from "./backlog.ts";
import type { KitRecord, Store, TargetStatus, WriteCounts } from "./store.ts";
import { scrub } from "./url.ts";

/** Why rows are not, or not yet, in the store; the label `reason` of the counters goes by it. */
export type WriteProblem = "write_failed" | "memory_full" | "closed";

export interface WriterOptions {
  readonly store: Pick<Store, "writeBatches" | "writeEvents" | "upsertStatus" | "upsertKits">;
  /** A flush starts when this many rows wait … */
  readonly batchSize?: number;
  /** … or when the oldest has waited this long (ms). */
  readonly batchTimeout?: number;
  /** Bound of what waits in memory while the store is down. */
  readonly maxRows?: number;
  /** First and longest wait after a failed flush (ms). */
  readonly backoff?: { readonly initial: number; readonly max: number };
  /** How long close() keeps trying (ms). */
  readonly closeTimeout?: number;
  onStored(counts: WriteCounts): void;
  /** `rowsLost` is 0 when they are kept and tried again. */
  onError(reason: WriteProblem, error: unknown, rowsLost: number): void;
  readonly now: () => Date;
}

/**
 * The sink in front of the store. Everything that takes is synchronous and cheap; one flush at a time writes in the
 * order of taking. A store that fails is retried with back-off and never reaches back to whoever hands in.
 */
export interface Writer extends Sink {
  accept(batch: Batch): void;
  event(transition: Transition): void;
  status(status: TargetStatus): void;
  kit(kit: KitRecord): void;
  /** Writes now, without waiting for the back-off. Rejects with the store's error when that fails; nothing is lost by it. */
  flush(): Promise<void>;
  /** Takes no more, writes what waits, and gives up after closeTimeout (counted as `closed`). */
  close(): Promise<void>;
  pendingRows(): number;
  /** Why the store cannot be written at the moment, for readiness; undefined while it can. */
  isDown(): string | undefined;
}

/** When rows arrive faster than they are flushed, one flush takes this many. */
const ROWS_PER_FLUSH = 5_000;
/** Flushes start at least this far apart (ms): every one costs the embedded store an fsync. */
const PACE = 100;

const DEFAULTS = {
  batchSize: 100,
  batchTimeout: 5_000,
  maxRows: 200_000,
  backoff: { initial: 500, max: 30_000 },
  closeTimeout: 5_000,
} as const;

interface Down {
  readonly error: unknown;
  readonly since: Date;
  readonly backoff: IBackoff<unknown>;
}

/** A writer that keeps what waits in memory. */
export function createWriter(options: WriterOptions): Writer {
  const { store, batchSize, batchTimeout, maxRows, backoff, closeTimeout } = { ...DEFAULTS, ...options };
  const factory = new ExponentialBackoff({ initialDelay: backoff.initial, maxDelay: backoff.max });
  const backlog = createBacklog(maxRows, (rows) => options.onError("memory_full", down?.error, rows));
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  let started = Number.NEGATIVE_INFINITY;
  let down: Down | undefined;
  let closed = false;

  /** Arms the timer for the next flush, or brings it forward. */
  const plan = () => {
    if (closed || flushing || backlog.isEmpty()) return;
    const at = nextFlush(performance.now());
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => void flushOnce(), Math.max(0, at - performance.now()));
  };

  const nextFlush = (now: number) => {
    if (down) return now + down.backoff.duration;
    return backlog.rows() >= batchSize ? Math.max(now, started + PACE) : now + batchTimeout;
  };

  const flushOnce = (): Promise<void> => {
    clearTimeout(timer);
    due = Number.POSITIVE_INFINITY;
    started = performance.now();
    flushing = write(backlog.take(ROWS_PER_FLUSH)).finally(() => {
      flushing = undefined;
      plan();
    });
    return flushing;
  };

  const write = async (chunk: Chunk) => {
    try {
      await writeChunk(store, chunk, options.onStored);
      backlog.done();
      down = undefined;
    } catch (error) {
      backlog.giveBack(chunk);
      const next = down ? down.backoff.next(undefined) : factory.next();
      down = { error, since: down?.since ?? options.now(), backoff: next };
      options.onError("write_failed", error, 0);
    }
  };

  const flush = async () => {
    // A flush that is under way may have taken its chunk before the caller's last rows.
    while (flushing || !backlog.isEmpty()) {
      await (flushing ?? flushOnce());
      if (down) throw down.error;
    }
  };

  const taking = (rows: number, take: () => void) => {
    if (closed) return options.onError("closed", undefined, rows);
    take();
    plan();
  };

  return {
    name: "store",
    accept: (batch) => taking(rowsOf(batch), () => backlog.addBatch(batch)),
    event: (event) => taking(1, () => backlog.addEvent(event)),
    status: (status) => taking(0, () => backlog.addStatus(status)),
    kit: (kit) => taking(0, () => backlog.addKit(kit)),
    flush,
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      const giveUp = new AbortController();
      const patience = setTimeout(() => giveUp.abort(), closeTimeout);
      const error = await drain(flush, () => down?.backoff.duration ?? 0, giveUp.signal);
      clearTimeout(patience);
      if (error !== undefined) options.onError("closed", error, backlog.rows());
    },
    pendingRows: () => backlog.rows(),
    isDown: () => down && `${messageOf(down.error)} (since ${down.since.toISOString()})`,
  };
}

/** Events after the batches they tell about, then the states: a reader never sees a state whose rows are missing. */
async function writeChunk(store: WriterOptions["store"], chunk: Chunk, onStored: WriterOptions["onStored"]) {
  if (chunk.batches.length > 0) {
    const counts = await store.writeBatches(chunk.batches);
    chunk.batches = [];
    onStored(counts);
  }
  if (chunk.events.length > 0) await store.writeEvents(chunk.events);
  chunk.events = [];
  if (chunk.statuses.length > 0) await store.upsertStatus(chunk.statuses);
  chunk.statuses = [];
  if (chunk.kits.length > 0) await store.upsertKits(chunk.kits);
}

/** Flushes until it succeeds or the signal aborts. @returns the last error when it gave up. */
async function drain(flush: () => Promise<void>, wait: () => number, signal: AbortSignal): Promise<unknown> {
  const { promise: gaveUp, resolve } = Promise.withResolvers<"gave up">();
  signal.addEventListener("abort", () => resolve("gave up"), { once: true });
  let last: unknown = new Error("the store did not answer in time");
  for (;;) {
    const outcome = await Promise.race([
      gaveUp,
      flush().then(
        () => "drained" as const,
        (error: unknown) => ({ error }),
      ),
    ]);
    if (outcome === "drained") return undefined;
    if (outcome === "gave up") return last;
    last = outcome.error;
    await sleep(wait(), undefined, { signal }).catch(() => {});
    if (signal.aborted) return last;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? scrub(error.message || error.name) : String(error);
}
