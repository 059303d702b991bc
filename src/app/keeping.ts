import { setTimeout as sleep } from "node:timers/promises";
import type { LoadedConfig } from "../config/loaded.ts";
import { spoolOptions, storeOptions } from "../config/store-options.ts";
import type { Self } from "../expose/self.ts";
import type { Logger } from "../model/plugin.ts";
import { type OpenStore, openStore } from "../store/open.ts";
import type { KitRecord } from "../store/store.ts";
import type { Collector } from "../store/taken.ts";
import { describeStore } from "../store/url.ts";
import { linkStore, type StoreLink } from "./store-link.ts";
import { createStoring, type Storing, type StoringDeps } from "./storing.ts";

export interface KeepingDeps extends Pick<StoringDeps, "trace"> {
  readonly config: LoadedConfig;
  readonly collector: Collector;
  readonly self: Self;
  readonly log: Logger;
  /** What the last write and hanging up on the database may take in the end (ms). */
  readonly stopMs: { readonly write: number; readonly store: number };
}

/** The database, and the writer and its spool in front of it. */
export interface Keeping extends Storing, Pick<StoreLink, "whenOpen"> {
  /** The database, while it is there. */
  readonly store: () => OpenStore | undefined;
  /** Engine and place without credentials. */
  readonly label: string;
  /** Bound of the spool (bytes). */
  readonly spoolMaxBytes: number;
  /** The kits that the database knows; none while it is not there. */
  kits(): Promise<readonly KitRecord[]>;
  /** Rolls up and deletes by age, where the database does not do it itself. Never rejects. */
  maintain(at: Date, signal: AbortSignal): Promise<void>;
  /** Writes what is left for a while, then hangs up. */
  close(): Promise<void>;
}

/** Opens the database, or goes on trying, and starts on what the spool holds. @throws as `linkStore` does */
export async function openKeeping({ config, stopMs, self, log, ...deps }: KeepingDeps): Promise<Keeping> {
  await using parts = new AsyncDisposableStack();
  const { label, embedded } = describeStore(config.store.url);
  const { batch_size: batchSize, batch_timeout: batchTimeout } = config.store;
  const spool = spoolOptions(config);
  // It may hang itself.
  const link = parts.adopt(await linkStore({ open: () => openStore(storeOptions(config)), log }), (it) =>
    Promise.race([it.close(), sleep(stopMs.store, undefined, { ref: false })]),
  );
  const { writer, rows } = createStoring({
    ...{ spool, pauseWhenFull: spool.whenFull === "block", batchSize, batchTimeout, closeTimeout: stopMs.write },
    ...{ ...deps, store: link.current, embedded, self, log },
  });
  parts.adopt(writer, (it) => it.close());
  const opened = parts.move();
  return {
    ...{ writer, rows, label, spoolMaxBytes: spool.maxBytes, store: link.current, whenOpen: link.whenOpen },
    kits: async () => (await link.current()?.listKits()) ?? [],
    async maintain(at, signal) {
      await link
        .current()
        ?.maintain(at, signal)
        .catch((error: unknown) => log.error({ err: error }, "maintenance failed"));
    },
    close: () => opened.disposeAsync(),
  };
}
