import { type Group, rowsIn, rowsOf, type TakenBatch, type TakenEvent } from "./taken.ts";

/** What was taken and is not durable yet: it is in memory only. */
export interface Pending {
  batch(batch: TakenBatch): void;
  event(event: TakenEvent): void;
  rows(): number;
  hasBatches(): boolean;
  isEmpty(): boolean;
  /** All of it. It stays until it is replaced. */
  group(): Group;
  /** Has this instead of what it had; nothing when undefined. */
  replace(left: Group | undefined): void;
  /** Takes back what could not be written, as older than what has come meanwhile. */
  putBack(group: Group): void;
  /** Gives up the oldest batches beyond so many rows. Events stay. @returns rows given up */
  trim(maxRows: number): number;
}

/** Nothing is pending yet. */
export function createPending(): Pending {
  let batches: TakenBatch[] = [];
  let events: TakenEvent[] = [];
  let rows = 0;

  return {
    batch(batch) {
      batches.push(batch);
      rows += rowsOf(batch);
    },
    event(event) {
      events.push(event);
      rows += 1;
    },
    rows: () => rows,
    hasBatches: () => batches.length > 0,
    isEmpty: () => batches.length === 0 && events.length === 0,
    group: () => ({ batches, events }),
    replace(left) {
      batches = left ? [...left.batches] : [];
      events = left ? [...left.events] : [];
      rows = left ? rowsIn(left) : 0;
    },
    putBack(group) {
      batches = [...group.batches, ...batches];
      events = [...group.events, ...events];
      rows += rowsIn(group);
    },
    trim(maxRows) {
      const before = rows;
      while (rows > maxRows && batches.length > 0) rows -= rowsOf(batches.shift() as TakenBatch);
      return before - rows;
    },
  };
}
