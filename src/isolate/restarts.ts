import { CollectError } from "../model/run.ts";

/** The first loss costs nothing; from the second on each wait is twice as long (ms). */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** A process that lived this long (ms) was well: what happened before is forgotten. */
const WELL_MS = 120_000;

/** Keeps a process that is lost again and again from being started again and again. */
export interface Restarts {
  lost(why: string): void;
  /** @throws {CollectError} bug, while it is too early to start another */
  check(): void;
  /** How many were lost. */
  count(): number;
}

/** @param now monotonic milliseconds */
export function createRestarts(now: () => number): Restarts {
  let count = 0;
  let inARow = 0;
  let lastLost = Number.NEGATIVE_INFINITY;
  let notBefore = Number.NEGATIVE_INFINITY;
  let last = "";
  return {
    count: () => count,
    lost(why) {
      inARow = now() - Math.max(lastLost, notBefore) > WELL_MS ? 1 : inARow + 1;
      const wait = inARow === 1 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (inARow - 2));
      [count, lastLost, notBefore, last] = [count + 1, now(), now() + wait, why];
    },
    check() {
      const wait = notBefore - now();
      if (wait <= 0) return;
      const seconds = Math.ceil(wait / 1_000);
      throw new CollectError(
        "bug",
        `the plugin's process was lost ${inARow} times, and starts again in ${seconds} s: ${last}`,
      );
    },
  };
}
