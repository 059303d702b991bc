import type { Telemetry } from "../expose/otel.ts";
import type { Self } from "../expose/self.ts";
import type { Logger } from "../model/plugin.ts";
import type { Store } from "../store/store.ts";
import { createWriter, type Writer } from "../store/writer.ts";

export interface StoringDeps {
  readonly store: Store;
  readonly batchSize: number;
  readonly batchTimeout: number;
  /** How long the last write may take once gleaner stops (ms). */
  readonly closeTimeout: number;
  readonly self: Pick<Self, "stored" | "duplicates" | "rejected" | "dropped" | "storeError" | "readStore">;
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

/** The writer in front of the store, with what it does counted, logged and traced. */
export function createStoring({ store, self, trace, log, ...settings }: StoringDeps): Storing {
  const rows: Record<string, number> = {};
  const writer = createWriter({
    ...settings,
    now: () => new Date(),
    store: {
      ...store,
      writeBatches: (batches) =>
        trace("flush", { batches: batches.length }, async (span) => {
          const counts = await store.writeBatches(batches);
          span.set({ stored: sum(counts.stored), duplicates: sum(counts.duplicate) });
          return counts;
        }),
    },
    onStored({ stored, duplicate, rejected }) {
      for (const [table, count] of Object.entries(stored)) {
        self.stored(table, count);
        rows[table] = (rows[table] ?? 0) + count;
      }
      for (const [table, count] of Object.entries(duplicate)) self.duplicates(table, count);
      if (sum(rejected) > 0) {
        self.rejected("unstorable", sum(rejected));
        log.warn({ rejected }, "rows that no table takes were left out");
      }
    },
    onError(reason, error, lost) {
      if (lost > 0) self.dropped(reason, lost);
      else self.storeError(reason);
      log.error({ err: error, reason, lost }, lost > 0 ? "rows were given up" : "the store could not be written");
    },
  });
  self.readStore({ up: () => writer.isDown() === undefined, pendingRows: writer.pendingRows });
  return { writer, rows };
}
