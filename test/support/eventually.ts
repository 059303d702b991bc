import { setTimeout as sleep } from "node:timers/promises";

/** How often a condition is looked at (ms). */
const EVERY_MS = 50;
/** Long enough for a machine that runs four such tests at once; nothing waits this long when it works. */
const PATIENCE_MS = 20_000;

/** Repeats `check` until it does not throw, and returns what it returned; throws its last error when time is over. */
export async function eventually<T>(check: () => T | Promise<T>, patience = PATIENCE_MS): Promise<T> {
  const end = performance.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(EVERY_MS);
  }
}
