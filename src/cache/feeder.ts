import type { Cache, CachedTarget } from "./cache.ts";

export interface FeederOptions {
  readonly cache: Pick<Cache, "setTargets" | "isUp">;
  /** How a target is now; undefined when it is gone. */
  readonly describe: (targetId: string) => CachedTarget | undefined;
}

/** Brings to the cache how targets are, apart from collecting: taking a note costs a set's entry, and is never waited for. */
export interface Feeder {
  note(targetId: string): void;
  /** Writes what was noted, a part at a time. */
  flush(): Promise<void>;
  close(): void;
}

/** Notes of one target within this time (ms) are one write. 2,000 targets of 27 series take 0.1 s of the processor. */
const EVERY_MS = 2_000;
/** Targets of one call: 200 KB of kits, which go well within its limit, and take the event loop 5 ms. */
const PART = 100;

export function createFeeder({ cache, describe }: FeederOptions): Feeder {
  const noted = new Set<string>();
  let busy = false;

  async function flush(): Promise<void> {
    if (busy) return;
    busy = true;
    const ids = [...noted];
    // Whatever comes of it: the next run of a target brings newer values.
    noted.clear();
    for (let from = 0; from < ids.length && cache.isUp(); from += PART) {
      const part = ids.slice(from, from + PART).flatMap((id) => describe(id) ?? []);
      if (part.length > 0 && !(await cache.setTargets(part))) break;
    }
    busy = false;
  }

  const timer = setInterval(() => void flush(), EVERY_MS);
  return {
    note(targetId) {
      if (cache.isUp()) noted.add(targetId);
    },
    flush,
    close: () => clearInterval(timer),
  };
}
