import type { Outbox } from "./outbox.ts";
import { rowsOf, type TakenBatch } from "./taken.ts";

/** What is offered within this time (ms) is made durable together: one fsync for all of it. */
const GROUP_MS = 5;

/** Batches whose sender waits to hear that they are safe, and keeps them until then. */
export interface Offers {
  /** Resolves once it is known whether the batch is durable; if not, nothing of it was taken. */
  add(batch: TakenBatch): Promise<boolean>;
  /** Makes durable what was offered, at once. */
  settle(): void;
}

/** @param onTaken told of the rows of each batch that is durable */
export function createOffers(outbox: Pick<Outbox, "add">, onTaken: (rows: number) => void): Offers {
  let waiting: { readonly batch: TakenBatch; readonly resolve: (isDurable: boolean) => void }[] = [];
  let timer: NodeJS.Timeout | undefined;

  function settle(): void {
    clearTimeout(timer);
    timer = undefined;
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    const left = new Set(outbox.add({ batches: group.map(({ batch }) => batch), events: [] })?.batches);
    for (const { batch, resolve } of group) {
      const isDurable = !left.has(batch);
      if (isDurable) onTaken(rowsOf(batch));
      resolve(isDurable);
    }
  }

  return {
    add(batch) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      waiting.push({ batch, resolve });
      timer ??= setTimeout(settle, GROUP_MS);
      return promise;
    },
    settle,
  };
}
