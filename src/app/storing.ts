import type { Telemetry } from "../expose/otel.ts";
import type { Self } from "../expose/self.ts";
import type { Logger } from "../model/plugin.ts";
import { openSpool, type SpoolOptions } from "../store/spool.ts";
import type { WriteCounts } from "../store/store.ts";
import { createWriter, type WritableStore, type Writer, type WriterOptions } from "../store/writer.ts";

export interface StoringDeps
  extends Pick<
    WriterOptions,
    "embedded" | "batchSize" | "batchTimeout" | "closeTimeout" | "pauseWhenFull" | "collector"
  > {
  /** The database once it was reached. */
  readonly store: () => WritableStore | undefined;
  readonly spool: Omit<SpoolOptions, "now" | "inFlight" | "onLost" | "onNote">;
  readonly self: Pick<Self, "taken" | "stored" | "duplicates" | "rejected" | "dropped" | "storeError" | "readStore">;
  /** Starts a trace of its own: a flush holds the batches of many collections. */
  readonly trace: Telemetry["run"];
  readonly log: Logger;
}

export interface Storing {
  readonly writer: Writer;
  /** Rows newly stored since start, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((total, rows) => total + rows, 0);

/** The writer in front of the store, with what it does counted, traced, and logged: a line an outage, not a line a row. */
export function createStoring({ store, spool, self, trace, log, ...settings }: StoringDeps): Storing {
  const rows: Record<string, number> = {};

  function count({ stored, duplicate, rejected, refused }: WriteCounts): void {
    for (const [table, n] of Object.entries(stored)) {
      self.stored(table, n);
      rows[table] = (rows[table] ?? 0) + n;
    }
    for (const [table, n] of Object.entries(duplicate)) self.duplicates(table, n);
    if (sum(rejected) > 0) {
      self.rejected("unstorable", sum(rejected));
      log.warn({ rejected }, "rows that no table takes were left out");
    }
    if (sum(refused) > 0) {
      self.rejected("dead_letter", sum(refused));
      log.warn({ refused }, "the database refused rows; see gleaner dead-letter list");
    }
  }

  const traced = (database: WritableStore): WritableStore => ({
    ...database,
    writeBatches: (batches) =>
      trace("flush", { batches: batches.length }, async (span) => {
        const counts = await database.writeBatches(batches);
        span.set({ stored: sum(counts.stored), duplicates: sum(counts.duplicate) });
        return counts;
      }),
  });

  const writer = createWriter({
    ...settings,
    spool: (hooks) => openSpool({ ...spool, ...hooks, now: () => new Date(), onNote: (note) => log.error({}, note) }),
    store: () => {
      const database = store();
      return database && traced(database);
    },
    onTaken: self.taken,
    onStored: count,
    onDropped(reason, lost) {
      self.dropped(reason, lost);
      log.error({ reason, rows: lost }, "rows were given up");
    },
    onReplayed(rows) {
      self.taken(rows);
      log.warn({ rows }, "the database is another one than it was: what was written of late is written again");
    },
    onFailed: () => self.storeError("write_failed"),
    onDown: (error) => log.error({ err: error }, "the store cannot be written; what is collected is kept in the spool"),
    onUp: (outageMs) =>
      log.info(
        { seconds: Math.round(outageMs / 1_000), pending: writer.pendingRows() },
        "the store can be written again",
      ),
  });
  self.readStore({
    up: () => writer.isDown() === undefined,
    pendingRows: writer.pendingRows,
    spool: writer.spooled,
  });
  return { writer, rows };
}
