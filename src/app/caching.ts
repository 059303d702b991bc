import { type Cache, type CacheOptions, openCache } from "../cache/cache.ts";
import { createFeeder, type Feeder } from "../cache/feeder.ts";
import type { LoadedConfig } from "../config/loaded.ts";
import type { Self } from "../expose/self.ts";
import type { Logger } from "../model/plugin.ts";
import type { Latest } from "./latest.ts";

export interface CachingDeps {
  readonly settings: LoadedConfig["cache"];
  readonly describe: Latest["describe"];
  readonly self: Pick<Self, "watchCache">;
  readonly log: Logger;
}

/** The cache, where one is configured, and what brings it up to date. */
export interface Caching {
  readonly cache: Cache | undefined;
  /** Notes that a target was run, or is in another state. */
  note(targetId: string): void;
  /** Forgets a target that left for good. */
  forget(targetId: string): void;
  close(): void;
}

/** Opens the cache; one that is not there yet is gone without, and joined when it comes. */
export async function createCaching({ settings, describe, self, log }: CachingDeps): Promise<Caching> {
  const { url, prefix, timeout, ttl } = settings;
  if (url === undefined) return { cache: undefined, note() {}, forget() {}, close() {} };
  const onChange: CacheOptions["onChange"] = (isUp, reason) =>
    isUp ? log.info({}, "the cache answers") : log.warn({ reason }, "the cache does not answer: it is done without");
  let cache: Cache | undefined;
  const onLookup = self.watchCache(() => cache?.isUp() ?? false);
  cache = await openCache({ url, prefix, timeout, ttl, onChange, onLookup });
  const feeder: Feeder = createFeeder({ cache, describe });
  return {
    cache,
    note: feeder.note,
    forget: (targetId) => void cache?.delete(targetId),
    close() {
      feeder.close();
      cache?.disconnect();
    },
  };
}
