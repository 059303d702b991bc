import { ExponentialBackoff, type IBackoff } from "cockatiel";
import type { Transition } from "../model/health.ts";
import type { Row } from "../model/sample.ts";
import type { Batch, Sink } from "../model/target.ts";
import { classify } from "./classify.ts";
import { createOffers } from "./offers.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import type { Spool, SpoolLoss, SpoolOptions } from "./spool.ts";
import type { SpoolSize } from "./spool-file.ts";
import { createStates } from "./states.ts";
import type { KitRecord, Store, TargetStatus, WriteCounts } from "./store.ts";
import {
  type Collector,
  type Group,
  rowsIn,
  rowsOf,
  rowsOnly,
  type TakenBatch,
  type TakenEvent,
  toTaken,
  toTakenEvent,
} from "./taken.ts";
import { scrub } from "./url.ts";

/** Why rows were given up; the label `reason` of gleaner_rows_dropped_total. */
export type DropReason = "memory_full" | "closed" | SpoolLoss;

/** The part of a store that the writer writes to. */
export type WritableStore = Pick<
  Store,
  "writeBatches" | "writeEvents" | "upsertStatus" | "upsertKits" | "repair" | "history"
>;

export interface WriterOptions {
  /** The database, or undefined while it has not been reached yet. */
  readonly store: () => WritableStore | undefined;
  /** Opens the spool, which asks what is on its way, and tells what it gave up. */
  readonly spool: (hooks: Pick<SpoolOptions, "inFlight" | "onLost">) => Spool;
  /** Whether the store makes durable by itself what it takes (embedded): then rows go there first, and to the spool only when it fails. */
  readonly embedded: boolean;
  /** Who collects, for the records of runs. */
  readonly collector?: Collector;
  /** A write starts when this many rows wait … */
  readonly batchSize: number;
  /** … or when the oldest has waited this long (ms). */
  readonly batchTimeout: number;
  /** Bound of what waits in memory while neither database nor spool take anything. */
  readonly maxRows?: number;
  /** Whether collecting pauses before rows have to be given up. */
  readonly pauseWhenFull: boolean;
  /** First and longest wait after a failed write (ms). */
  readonly backoff?: { readonly initial: number; readonly max: number };
  /** How long close() keeps writing to the database; the rest stays in the spool (ms). */
  readonly closeTimeout?: number;
  readonly onTaken: (rows: number) => void;
  readonly onStored: (counts: WriteCounts) => void;
  readonly onDropped: (reason: DropReason, rows: number) => void;
  /** Every failed write. */
  readonly onFailed: (error: unknown) => void;
  /** Once when writing begins to fail, and once when it goes well again. */
  readonly onDown: (error: unknown) => void;
  readonly onUp: (outageMs: number) => void;
  /** Rows that are written once more, because the database is another one than it was; they are not in `onTaken`. */
  readonly onReplayed: (rows: number) => void;
}

/**
 * The sink in front of the store. Taking is synchronous and cheap, and never waits for the database: what is taken is on
 * disk within GROUP_MS, and goes from there into the database, oldest first, as fast as that takes it.
 */
export interface Writer extends Sink {
  accept(batch: Batch): void;
  event(transition: Transition): void;
  /** Takes rows that belong to no run. @returns whether they are durable; if not, whoever sent them should send them again. */
  rows(rows: readonly Row[]): boolean;
  /** Takes a batch whose sender keeps it until this says that it is durable; one that is not was not taken at all. */
  offer(batch: Batch): Promise<boolean>;
  status(status: TargetStatus): void;
  kit(kit: KitRecord): void;
  /** Makes durable what was taken, and writes until nothing waits or the database fails. */
  flush(): Promise<void>;
  /** Takes no more, makes durable what was taken, and writes for a while. What is left is written by the next start. */
  close(): Promise<void>;
  /** Rows taken that are not in the database yet. */
  pendingRows(): number;
  /** Why the database cannot be written at the moment, for readiness; undefined while it can. */
  isDown(): string | undefined;
  /** Whether no more should be collected, because there is nowhere left to keep it. */
  isFull(): boolean;
  /** What waits on disk. */
  spooled(): SpoolSize & { readonly oldestAt: number | null };
}

/** What is taken within this time (ms) is made durable together: one fsync for all of it. */
const GROUP_MS = 20;
/**
 * Writes start at least this far apart (ms). Rows that are safe in the spool wait for others: every write costs a server some
 * milliseconds. Those of the embedded store, which are durable only when they are written, and a full write wait less.
 */
const PACE_MS = { least: 100, small: 250 } as const;
/** Rows of one write: it grows while the database is quick and shrinks while it is slow. */
const ROWS = { least: 100, most: 5_000 } as const;
const QUICK_MS = 500;
const SLOW_MS = 2_000;

/** Rows in memory at which a writer that pauses says so: what is under way then still has room. */
const PAUSE_ROWS = 1_000;

const DEFAULTS = { maxRows: 200_000, backoff: { initial: 500, max: 30_000 }, closeTimeout: 3_000 } as const;

interface Down {
  readonly error: unknown;
  readonly since: number;
  readonly backoff: IBackoff<unknown>;
  /** How long writing is left alone after the last failure (ms). */
  readonly wait: number;
}

/** What was taken and is not durable yet. */
interface Pending {
  batches: TakenBatch[];
  events: TakenEvent[];
  rows: number;
}

const nothing = (): Pending => ({ batches: [], events: [], rows: 0 });

/** Creates the writer and starts on what the spool still holds. */
export function createWriter(options: WriterOptions): Writer {
  const { store, embedded, batchSize, batchTimeout, maxRows, backoff, closeTimeout } = {
    ...DEFAULTS,
    ...options,
  };
  const factory = new ExponentialBackoff({ initialDelay: backoff.initial, maxDelay: backoff.max });
  const spool = options.spool({
    inFlight: () => Math.max(sending, outbox.writtenUpTo()),
    onLost(reason, rows, upTo) {
      options.onDropped(reason, rows);
      if (upTo > 0) outbox.forget(upTo);
    },
  });
  const outbox: Outbox = createOutbox(spool, {
    onDamaged: (rows) => options.onDropped("spool_damaged", rows),
    onUnstorable: (rows) =>
      options.onStored({ stored: {}, duplicate: {}, refused: {}, rejected: { "no plain data": rows } }),
  });
  const offers = createOffers(outbox, options.onTaken);
  const states = createStates(() => performance.now());
  let pending = nothing();
  /** The highest id of the spool that is on its way into the database. */
  let sending = 0;
  let limit: number = ROWS.most;
  /** Rows of the write under way or of the last one; 0 when it did not come to writing. */
  let attempted = 0;
  let down: Down | undefined;
  let working: Promise<void> | undefined;
  let groupTimer: NodeJS.Timeout | undefined;
  let writeTimer: NodeJS.Timeout | undefined;
  let writeAt = Number.POSITIVE_INFINITY;
  let lastWrite = Number.NEGATIVE_INFINITY;
  let closed = false;
  /** Whether the states are written whether or not they are due. */
  let finishing = false;

  function take(rows: number, put: (pending: Pending) => void): void {
    if (closed) {
      options.onTaken(rows);
      options.onDropped("closed", rows);
      return;
    }
    options.onTaken(rows);
    put(pending);
    pending.rows += rows;
    groupTimer ??= setTimeout(settle, GROUP_MS);
  }

  /** Makes what was taken durable, and plans the write that follows. */
  function settle(): void {
    clearTimeout(groupTimer);
    groupTimer = undefined;
    if (!embedded || down) spoolPending();
    plan();
  }

  /** Moves what is pending to the spool; what the spool does not take stays, within bounds. */
  function spoolPending(): void {
    if (pending.rows === 0 && pending.batches.length === 0) return;
    const left = outbox.add(pending);
    pending = left ? { batches: [...left.batches], events: [...left.events], rows: rowsIn(left) } : nothing();
    if (left) dropBeyond();
  }

  function dropBeyond(): void {
    let dropped = 0;
    while (pending.rows - dropped > maxRows && pending.batches.length > 0)
      dropped += rowsOf(pending.batches.shift() as TakenBatch);
    if (dropped === 0) return;
    pending.rows -= dropped;
    options.onDropped("memory_full", dropped);
  }

  const waiting = () => pending.rows + outbox.rows();

  function nextWrite(now: number): number {
    const hasRows = waiting() > 0 || pending.batches.length > 0;
    const statesAt = states.dueAt();
    if (!hasRows && statesAt === Number.POSITIVE_INFINITY) return statesAt;
    if (down) return now + down.wait;
    const pace = embedded || waiting() >= limit ? PACE_MS.least : PACE_MS.small;
    const soon = Math.max(now, lastWrite + pace);
    // Rows that are not durable before they are written do not wait for others.
    if (waiting() >= batchSize || (embedded && pending.batches.length > 0)) return soon;
    return hasRows ? now + batchTimeout : Math.max(now + batchTimeout, statesAt);
  }

  function plan(): void {
    if (closed || working) return;
    const now = performance.now();
    const at = nextWrite(now);
    if (at >= writeAt) return;
    clearTimeout(writeTimer);
    writeAt = at;
    writeTimer = setTimeout(() => void work(), Math.max(0, at - now));
  }

  function work(): Promise<void> {
    clearTimeout(writeTimer);
    writeAt = Number.POSITIVE_INFINITY;
    working ??= write().finally(() => {
      working = undefined;
      plan();
    });
    return working;
  }

  /** One write: the oldest of what waits, then the states. */
  async function write(): Promise<void> {
    const database = store();
    if (!database) return failed(new Error("the database has not been reached yet"), false);
    lastWrite = performance.now();
    attempted = 0;
    try {
      if (down && classify(down.error) === "stop") await database.repair();
      await followHistory(database);
      await writeRows(database);
      if (finishing || down || states.dueAt() <= performance.now()) await states.write(database);
      if (down) options.onUp(performance.now() - down.since);
      down = undefined;
    } catch (error) {
      failed(error, true);
    } finally {
      sending = 0;
    }
  }

  /** Commits may be gone with the server that had them: then what the spool has kept is written again. */
  async function followHistory(database: WritableStore): Promise<void> {
    if (!spool.keeps) return;
    const history = await database.history();
    const rows = history === undefined ? 0 : outbox.follow(history);
    if (rows > 0) options.onReplayed(rows);
  }

  async function writeRows(database: WritableStore): Promise<void> {
    const parcel = outbox.next(limit);
    if (parcel) {
      sending = Math.max(...parcel.ids);
      await send(database, parcel.group);
      outbox.done(parcel);
      return;
    }
    if (pending.batches.length === 0 && pending.events.length === 0) return;
    // The embedded store, or a spool that takes nothing: straight from memory.
    const group = pending;
    pending = nothing();
    try {
      await send(database, group);
    } catch (error) {
      pending = joined(group, pending);
      throw error;
    }
  }

  async function send(database: WritableStore, group: Group): Promise<void> {
    const begun = performance.now();
    attempted = rowsIn(group);
    const batches = group.batches.length > 0 ? await database.writeBatches(group.batches) : undefined;
    const events = group.events.length > 0 ? await database.writeEvents(group.events) : undefined;
    // Only now: when the second fails both are written again, and every row is to be counted once.
    for (const counts of [batches, events]) if (counts) options.onStored(counts);
    adapt(performance.now() - begun);
  }

  /** By the rows that were written, not from those that were allowed: of these a slow database may not manage half. */
  function adapt(took: number): void {
    if (took > SLOW_MS) limit = Math.max(ROWS.least, Math.floor((attempted * SLOW_MS) / took));
    else if (took < QUICK_MS && attempted * 2 >= limit) limit = Math.min(ROWS.most, limit * 2);
  }

  function failed(error: unknown, tried: boolean): void {
    if (tried) options.onFailed(error);
    if (!down && tried) options.onDown(error);
    const next = !down ? factory.next() : tried ? down.backoff.next(undefined) : down.backoff;
    // The first such error is met at once by bringing back the schema; when that is no help, somebody has to come.
    const isStuck = down !== undefined && classify(down.error) === "stop" && classify(error) === "stop";
    // Looking whether the database has been reached costs nothing.
    const wait = isStuck ? backoff.max : tried ? next.duration : backoff.initial;
    down = { error, since: down?.since ?? performance.now(), backoff: next, wait };
    if (attempted > 0) limit = Math.max(ROWS.least, Math.floor(Math.min(limit, attempted) / 2));
    spoolPending();
  }

  /** Writes until nothing waits, or the database fails. */
  async function flush(): Promise<void> {
    if (!embedded) spoolPending();
    await working;
    finishing = true;
    do {
      await work();
    } while (!down && (waiting() > 0 || pending.batches.length > 0));
    finishing = false;
  }

  // What an earlier process left is written whether or not anything new comes.
  plan();
  return {
    name: "store",
    accept(batch) {
      const taken = toTaken(batch, options.collector);
      const rows = rowsOf(taken);
      if (rows > 0) take(rows, ({ batches }) => batches.push(taken));
    },
    event: (event) => take(1, ({ events }) => events.push(toTakenEvent(event))),
    rows(rows) {
      if (closed) return false;
      take(rows.length, ({ batches }) => batches.push(rowsOnly(rows, Date.now())));
      // At once, and with the embedded store too: the sender is told that they are safe.
      spoolPending();
      plan();
      return pending.rows === 0;
    },
    async offer(batch) {
      if (closed) return false;
      const isDurable = await offers.add(toTaken(batch, options.collector));
      plan();
      return isDurable;
    },
    status(status) {
      states.status(status);
      plan();
    },
    kit(kit) {
      states.kit(kit);
      plan();
    },
    flush,
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(groupTimer);
      clearTimeout(writeTimer);
      // First onto the disk: writing may take longer than the process is given.
      offers.settle();
      spoolPending();
      const late = new Promise<void>((resolve) => setTimeout(resolve, closeTimeout).unref());
      await Promise.race([flush(), late]);
      const left = rowsIn(pending);
      if (left > 0) options.onDropped("closed", left);
      spool.close();
    },
    pendingRows: waiting,
    isDown: () => down && `${messageOf(down.error)} (for ${Math.round((performance.now() - down.since) / 1_000)} s)`,
    isFull: () => options.pauseWhenFull && spool.problem() !== undefined && pending.rows >= PAUSE_ROWS,
    spooled: () => ({ ...spool.size(), oldestAt: spool.oldestAt() }),
  };
}

const joined = (first: Pending, second: Pending): Pending => ({
  batches: [...first.batches, ...second.batches],
  events: [...first.events, ...second.events],
  rows: first.rows + second.rows,
});

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? scrub(error.message || error.name) : String(error);
}
