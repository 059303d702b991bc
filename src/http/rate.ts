/** Allows so many requests within a window of time, and tells how long the next one has to wait. */
export interface Rate {
  /** 0 when the request may go on, which counts it; else the milliseconds until one may. */
  take(): number;
}

/** @param now a monotonic clock in milliseconds */
export function createRate(limit: number, windowMs: number, now: () => number = () => performance.now()): Rate {
  const taken: number[] = [];
  return {
    take() {
      const start = now() - windowMs;
      while (taken[0] !== undefined && taken[0] <= start) taken.shift();
      const [oldest] = taken;
      if (taken.length >= limit && oldest !== undefined) return oldest - start;
      taken.push(now());
      return 0;
    },
  };
}
