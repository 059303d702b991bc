/** Places are this far apart (ms): a timer that wakes for each of ten thousand jobs alone costs several times the CPU. */
const PLACE_MS = 5;

/**
 * A stable place within the interval for each job: hash(target, job) mod interval.
 * Jobs of one interval spread evenly and keep their place over restarts, so that thousands of targets are never polled at once.
 * FNV-1a, 32 bit: small, well spread on short ids, and the same everywhere.
 */
export function phaseOf(targetId: string, job: string, every: number): number {
  let hash = 0x811c9dc5;
  for (const char of `${targetId}\0${job}`) {
    hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193) >>> 0;
  }
  return Math.floor((hash % every) / PLACE_MS) * PLACE_MS;
}

/**
 * The next grid point strictly after `now`, for a grid of `every` ms through `phase`.
 * `offset` ties the monotonic clock to the wall clock as it was at start: phase 0 of a 60 s job is the full minute.
 */
export function nextOnGrid(now: number, every: number, phase: number, offset: number): number {
  const wall = now + offset;
  return now + every - ((((wall - phase) % every) + every) % every);
}
