/** A kit answers this many requests of one client in any window, all paths together; refused ones do not count. */
const MAX_REQUESTS = 100;
const WINDOW = 60_000;

/** Whether the client may have another answer at `now` (ms); if so, it counts. */
export type RateLimit = (client: string, now: number) => boolean;

/** A sliding window per client address. */
export function createRateLimit(): RateLimit {
  const answered = new Map<string, number[]>();
  return (client, now) => {
    const recent = (answered.get(client) ?? []).filter((at) => now - at < WINDOW);
    const allowed = recent.length < MAX_REQUESTS;
    if (allowed) recent.push(now);
    answered.set(client, recent);
    return allowed;
  };
}
