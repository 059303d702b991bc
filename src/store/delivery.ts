import type { Outbox } from "./outbox.ts";
import type { Limit } from "./pace.ts";
import type { Pending } from "./pending.ts";
import type { Spool } from "./spool.ts";
import type { Store, WriteCounts } from "./store.ts";
import { type Group, rowsIn } from "./taken.ts";

export interface DeliveryDeps {
  readonly spool: Pick<Spool, "keeps">;
  readonly outbox: Pick<Outbox, "follow" | "next" | "done">;
  readonly pending: Pick<Pending, "group" | "isEmpty" | "replace" | "putBack">;
  readonly limit: Limit;
  readonly onStored: (counts: WriteCounts) => void;
  /** Rows that are written once more, because the database is another one than it was. */
  readonly onReplayed: (rows: number) => void;
}

/** Brings the oldest of what waits into the database, as many rows at a time as that manages. */
export interface Delivery {
  /** @throws what the database throws; then all of it still waits. */
  write(database: Pick<Store, "writeBatches" | "writeEvents" | "history">): Promise<void>;
  /** The highest id of the spool that is on its way; 0 when none is. */
  inFlight(): number;
  /** Nothing is on its way any more: it was written, or it waits again. */
  settle(): void;
}

export function createDelivery({ spool, outbox, pending, limit, onStored, onReplayed }: DeliveryDeps): Delivery {
  let inFlight = 0;

  /** Commits may be gone with the server that had them: then what the spool has kept is written again. */
  async function followHistory(database: Pick<Store, "history">): Promise<void> {
    if (!spool.keeps) return;
    const history = await database.history();
    const rows = history === undefined ? 0 : outbox.follow(history);
    if (rows > 0) onReplayed(rows);
  }

  async function writeRows(database: Pick<Store, "writeBatches" | "writeEvents">): Promise<void> {
    const parcel = outbox.next(limit.rows());
    if (parcel) {
      inFlight = Math.max(...parcel.ids);
      await send(database, parcel.group);
      outbox.done(parcel);
      return;
    }
    if (pending.isEmpty()) return;
    // The embedded store, or a spool that takes nothing: straight from memory.
    const group = pending.group();
    pending.replace(undefined);
    try {
      await send(database, group);
    } catch (error) {
      pending.putBack(group);
      throw error;
    }
  }

  async function send(database: Pick<Store, "writeBatches" | "writeEvents">, group: Group): Promise<void> {
    const begun = performance.now();
    limit.sending(rowsIn(group));
    const batches = group.batches.length > 0 ? await database.writeBatches(group.batches) : undefined;
    const events = group.events.length > 0 ? await database.writeEvents(group.events) : undefined;
    // Only now: when the second fails both are written again, and every row is to be counted once.
    for (const counts of [batches, events]) if (counts) onStored(counts);
    limit.sent(performance.now() - begun);
  }

  return {
    async write(database) {
      await followHistory(database);
      await writeRows(database);
    },
    inFlight: () => inFlight,
    settle() {
      inFlight = 0;
    },
  };
}
