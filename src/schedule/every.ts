import { nextOnGrid } from "./phase.ts";

/**
 * Calls `tick` every `every` ms of the wall clock, `phase` ms after its full interval: every hour at seven minutes past.
 * node-cron could say that too, with the time zones of all the world in 8 MB.
 */
export function startEvery(
  every: number,
  phase: number,
  tick: () => void,
  now: () => number = Date.now,
): { stop(): void } {
  let due = now();
  let timer: NodeJS.Timeout | undefined;
  function arm(): void {
    // A timer may come a little early, and must not come twice for it.
    due = nextOnGrid(Math.max(due, now()), every, phase, 0);
    timer = setTimeout(run, due - now());
  }
  function run(): void {
    arm();
    tick();
  }
  arm();
  return { stop: () => clearTimeout(timer) };
}
