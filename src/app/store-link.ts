import type { Logger } from "../model/plugin.ts";
import { type OpenStore, StoreUnreachable } from "../store/open.ts";

export interface StoreLinkDeps {
  readonly open: () => Promise<OpenStore>;
  readonly log: Logger;
}

/** The way to a database that may not be there yet. */
export interface StoreLink {
  /** The store once it was reached. */
  current(): OpenStore | undefined;
  /** Does something with the store once it is reached: at once when it is, else later. */
  whenOpen(work: (store: OpenStore) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** First and longest wait between two tries to reach the database (ms). */
const RETRY_MS = { first: 500, longest: 10_000 } as const;

/**
 * Opens the store, or goes on trying in the background while the database cannot be reached: collecting, /metrics and
 * the spool do not need it.
 * @throws {Error} when the database answers and cannot be used: wrong password, too old, written by a newer gleaner.
 */
export async function linkStore({ open, log }: StoreLinkDeps): Promise<StoreLink> {
  let store: OpenStore | undefined;
  let timer: NodeJS.Timeout | undefined;
  let trying: Promise<void> = Promise.resolve();
  let closed = false;
  const waiting: ((store: OpenStore) => Promise<void>)[] = [];

  async function attempt(): Promise<void> {
    const opened = await open();
    try {
      // What fails half-way is done again with the next try: the database may go at any moment.
      for (let work = waiting[0]; work && !closed; work = waiting[0]) {
        await work(opened);
        waiting.shift();
      }
    } catch (error) {
      await opened.close();
      throw error;
    }
    if (closed) return await opened.close();
    store = opened;
    for (const note of opened.notes) log.info({ store: opened.label }, note);
  }

  function again(wait: number): void {
    if (closed) return;
    timer = setTimeout(() => {
      trying = attempt().then(
        () => log.info({}, "the database was reached"),
        (error: unknown) => {
          if (!(error instanceof StoreUnreachable)) log.error({ err: error }, "the database cannot be used");
          again(Math.min(wait * 2, RETRY_MS.longest));
        },
      );
    }, wait);
  }

  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof StoreUnreachable)) throw error;
    log.error({ err: error }, "the database cannot be reached; what is collected is kept in the spool until it can");
    again(RETRY_MS.first);
  }
  return {
    current: () => store,
    async whenOpen(work) {
      if (store) await work(store);
      else waiting.push(work);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await trying;
      await store?.close();
    },
  };
}
