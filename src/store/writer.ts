import type { Transition } from "../model/health.ts";
import type { Row } from "../model/sample.ts";
import type { Batch, Sink } from "../model/target.ts";
import { createDelivery } from "./delivery.ts";
import { createOffers } from "./offers.ts";
import { createOutage, type OutageOptions } from "./outage.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createLimit, nextWrite, type Pace } from "./pace.ts";
import { createPending, type Pending } from "./pending.ts";
import type { Spool, SpoolLoss, SpoolOptions } from "./spool.ts";
import type { SpoolSize } from "./spool-file.ts";
import { createStates } from "./states.ts";
import type { KitRecord, Store, TargetStatus, WriteCounts } from "./store.ts";
import { type Collector, rowsOf, rowsOnly, toTaken, toTakenEvent } from "./taken.ts";

/** Why rows were given up; the label `reason` of gleaner_rows_dropped_total. */
export type DropReason = "memory_full" | "closed" | SpoolLoss;

/** The part of a store that the writer writes to. */
export type WritableStore = Pick<
  Store,
  "writeBatches" | "writeEvents" | "upsertStatus" | "upsertKits" | "repair" | "history"
>;

export interface WriterOptions extends Pace, Pick<OutageOptions, "onFailed" | "onDown" | "onUp"> {
  /** The database, or undefined while it has not been reached yet. */
  readonly store: () => WritableStore | undefined;
  /** Opens the spool, which asks what is on its way, and tells what it gave up. */
  readonly spool: (hooks: Pick<SpoolOptions, "inFlight" | "onLost">) => Spool;
  /** When it does (embedded), rows go there first, and to the spool only when it fails. */
  readonly embedded: boolean;
  /** Who collects, for the records of runs. */
  readonly collector?: Collector;
  /** Bound of what waits in memory while neither database nor spool take anything. */
  readonly maxRows?: number;
  /** Whether collecting pauses before rows have to be given up. */
  readonly pauseWhenFull: boolean;
  readonly backoff?: OutageOptions["backoff"];
  /** How long close() keeps writing to the database; the rest stays in the spool (ms). */
  readonly closeTimeout?: number;
  readonly onTaken: (rows: number) => void;
  readonly onStored: (counts: WriteCounts) => void;
  readonly onDropped: (reason: DropReason, rows: number) => void;
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
/** Rows in memory at which a writer that pauses says so: what is under way then still has room. */
const PAUSE_ROWS = 1_000;

const DEFAULTS = { maxRows: 200_000, backoff: { initial: 500, max: 30_000 }, closeTimeout: 3_000 } as const;

/** Creates the writer and starts on what the spool still holds. */
export function createWriter(options: WriterOptions): Writer {
  const { store, embedded, maxRows, backoff, closeTimeout } = { ...DEFAULTS, ...options };
  const now = () => performance.now();
  const spool = options.spool({
    inFlight: () => Math.max(delivery.inFlight(), outbox.writtenUpTo()),
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
  const { onFailed, onDown, onUp, onStored, onReplayed } = options;
  const offers = createOffers(outbox, options.onTaken);
  const states = createStates(now);
  const pending = createPending();
  const limit = createLimit();
  const outage = createOutage({ backoff, now, onFailed, onDown, onUp });
  const delivery = createDelivery({ spool, outbox, pending, limit, onStored, onReplayed });
  let working: Promise<void> | undefined;
  let groupTimer: NodeJS.Timeout | undefined;
  let writeTimer: NodeJS.Timeout | undefined;
  let writeAt = Number.POSITIVE_INFINITY;
  let lastWrite = Number.NEGATIVE_INFINITY;
  let closed = false;
  /** Whether the states are written whether or not they are due. */
  let finishing = false;

  function take(rows: number, put: (pending: Pending) => void): void {
    options.onTaken(rows);
    if (closed) {
      options.onDropped("closed", rows);
      return;
    }
    put(pending);
    groupTimer ??= setTimeout(settle, GROUP_MS);
  }

  /** Makes what was taken durable, and plans the write that follows. */
  function settle(): void {
    clearTimeout(groupTimer);
    groupTimer = undefined;
    if (!embedded || outage.isOn()) spoolPending();
    plan();
  }

  /** Moves what is pending to the spool; what the spool does not take stays, within bounds. */
  function spoolPending(): void {
    if (pending.isEmpty()) return;
    pending.replace(outbox.add(pending.group()));
    const dropped = pending.trim(maxRows);
    if (dropped > 0) options.onDropped("memory_full", dropped);
  }

  const waiting = () => pending.rows() + outbox.rows();

  function plan(): void {
    if (closed || working) return;
    const current = now();
    const at = nextWrite(current, options, {
      ...{ rows: waiting(), inMemory: pending.hasBatches(), statesAt: states.dueAt() },
      ...{ lastWrite, pause: outage.pause(), limit: limit.rows() },
    });
    if (at >= writeAt) return;
    clearTimeout(writeTimer);
    writeAt = at;
    writeTimer = setTimeout(() => void work(), Math.max(0, at - current));
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
    lastWrite = now();
    limit.start();
    try {
      if (outage.wantsRepair()) await database.repair();
      await delivery.write(database);
      if (finishing || outage.isOn() || states.dueAt() <= now()) await states.write(database);
      outage.over();
    } catch (error) {
      failed(error, true);
    } finally {
      delivery.settle();
    }
  }

  function failed(error: unknown, tried: boolean): void {
    outage.failed(error, tried);
    limit.failed();
    spoolPending();
  }

  /** Writes until nothing waits, or the database fails. */
  async function flush(): Promise<void> {
    if (!embedded) spoolPending();
    await working;
    finishing = true;
    do {
      await work();
    } while (!outage.isOn() && (waiting() > 0 || pending.hasBatches()));
    finishing = false;
  }

  // What an earlier process left is written whether or not anything new comes.
  plan();
  return {
    name: "store",
    accept(batch) {
      const taken = toTaken(batch, options.collector);
      const rows = rowsOf(taken);
      if (rows > 0) take(rows, (it) => it.batch(taken));
    },
    event: (event) => take(1, (it) => it.event(toTakenEvent(event))),
    rows(rows) {
      if (closed) return false;
      take(rows.length, (it) => it.batch(rowsOnly(rows, Date.now())));
      // At once, and with the embedded store too: the sender is told that they are safe.
      spoolPending();
      plan();
      return pending.rows() === 0;
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
      const left = pending.rows();
      if (left > 0) options.onDropped("closed", left);
      spool.close();
    },
    pendingRows: waiting,
    isDown: outage.reason,
    isFull: () => options.pauseWhenFull && spool.problem() !== undefined && pending.rows() >= PAUSE_ROWS,
    spooled: () => ({ ...spool.size(), oldestAt: spool.oldestAt() }),
  };
}
