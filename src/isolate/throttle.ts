/** A bucket of tokens: `rate` of them come back each second, up to `burst`. Takes the time, so that it needs no timer. */
export function createThrottle(rate: number, burst: number, now: () => number): () => boolean {
  let tokens = burst;
  let at = now();
  return () => {
    const time = now();
    tokens = Math.min(burst, tokens + ((time - at) / 1_000) * rate);
    at = time;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
