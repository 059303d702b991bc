import type { Transition } from "../model/health.ts";
import type { Batch } from "../model/target.ts";
import type { KitRecord, TargetStatus } from "./store.ts";

/** What one flush writes. Parts are emptied as they are stored, so that giving it back repeats only the rest. */
export interface Chunk {
  batches: Batch[];
  events: Transition[];
  statuses: TargetStatus[];
  kits: KitRecord[];
}

/** What waits to be written: batches and events in order, states coalesced to the latest per id; bounded by rows. */
export interface Backlog {
  addBatch(batch: Batch): void;
  addEvent(event: Transition): void;
  addStatus(status: TargetStatus): void;
  addKit(kit: KitRecord): void;
  /** The oldest batches and events up to `maxRows` rows (at least one batch), and all states. They stay counted until `done` or `giveBack`. */
  take(maxRows: number): Chunk;
  /** The chunk is stored. */
  done(): void;
  /** The chunk is not stored: what is left of it waits again, before everything that came since. */
  giveBack(chunk: Chunk): void;
  /** Rows waiting or taken; an event counts as one, states as none. */
  rows(): number;
  isEmpty(): boolean;
}

/** Rows a batch comes to: its samples, rows and documents, and the execution record. */
export function rowsOf(batch: Batch): number {
  return batch.samples.length + batch.rows.length + batch.documents.length + 1;
}

/**
 * An empty backlog.
 * @param maxRows bound of the memory it takes; beyond it the oldest that is not being written is dropped
 * @param onDropped how many rows were lost that way
 */
export function createBacklog(maxRows: number, onDropped: (rows: number) => void): Backlog {
  let batches: Batch[] = [];
  let events: Transition[] = [];
  const statuses = new Map<string, TargetStatus>();
  const kits = new Map<string, KitRecord>();
  let waiting = 0;
  let taken = 0;

  const dropBeyond = () => {
    let dropped = 0;
    while (waiting + taken > maxRows && waiting > 0) {
      const batch = batches.shift();
      if (!batch) events.shift();
      const rows = batch ? rowsOf(batch) : 1;
      waiting -= rows;
      dropped += rows;
    }
    if (dropped > 0) onDropped(dropped);
  };

  return {
    addBatch(batch) {
      batches.push(batch);
      waiting += rowsOf(batch);
      dropBeyond();
    },
    addEvent(event) {
      events.push(event);
      waiting += 1;
      dropBeyond();
    },
    addStatus: (status) => void statuses.set(status.targetId, status),
    addKit: (kit) => void kits.set(kit.kitId, kit),
    take(most) {
      let rows = 0;
      let n = 0;
      for (const batch of batches) {
        if (n > 0 && rows + rowsOf(batch) > most) break;
        rows += rowsOf(batch);
        n++;
      }
      const chunk = {
        batches: batches.splice(0, n),
        events: events.splice(0, Math.max(1, most - rows)),
        statuses: [...statuses.values()],
        kits: [...kits.values()],
      };
      statuses.clear();
      kits.clear();
      taken = rows + chunk.events.length;
      waiting -= taken;
      return chunk;
    },
    done() {
      taken = 0;
    },
    giveBack(chunk) {
      batches = [...chunk.batches, ...batches];
      events = [...chunk.events, ...events];
      for (const status of chunk.statuses) if (!statuses.has(status.targetId)) statuses.set(status.targetId, status);
      for (const kit of chunk.kits) if (!kits.has(kit.kitId)) kits.set(kit.kitId, kit);
      waiting += chunk.events.length + chunk.batches.reduce((sum, batch) => sum + rowsOf(batch), 0);
      taken = 0;
      dropBeyond();
    },
    rows: () => waiting + taken,
    isEmpty: () => waiting === 0 && statuses.size === 0 && kits.size === 0,
  };
}
