import { LRUCache } from "lru-cache";
import { clientKey } from "./address.ts";

/** Wrong tokens from one address within WINDOW_MS before it has to wait for as long. */
export const MAX_FAILURES = 20;
export const WINDOW_MS = 60_000;
/** Addresses remembered at most (about 4 MB); the least recently seen are forgotten first. */
const MAX_ADDRESSES = 10_000;

interface Attempts {
  /** When the wrong tokens of the last window came; fewer than MAX_FAILURES. */
  readonly failures: readonly number[];
  readonly blockedUntil: number;
}

/** Counts wrong tokens by address. */
export interface Throttle {
  /** Milliseconds this address still has to wait; 0 when it may try. */
  wait(peer: string): number;
  /** Counts a wrong token; true when it was the one that starts a block, so that each burst is logged once. */
  fail(peer: string): boolean;
}

/** @param now a monotonic clock in milliseconds */
export function createThrottle(now: () => number): Throttle {
  const seen = new LRUCache<string, Attempts>({ max: MAX_ADDRESSES });
  return {
    wait: (peer) => Math.max(0, (seen.get(clientKey(peer))?.blockedUntil ?? 0) - now()),
    fail(peer) {
      const key = clientKey(peer);
      const earlier = seen.get(key)?.failures ?? [];
      const failures = [...earlier.filter((at) => at > now() - WINDOW_MS), now()];
      const blocked = failures.length >= MAX_FAILURES;
      seen.set(key, blocked ? { failures: [], blockedUntil: now() + WINDOW_MS } : { failures, blockedUntil: 0 });
      return blocked;
    },
  };
}
