import { CollectError } from "../../model/run.ts";

/**
 * Runs something that may take `ms` and not longer than the run it belongs to; its own signal aborts at either.
 * The time that is up is a CollectError `timeout`. Leaves no timer behind.
 */
export async function withDeadline<T>(
  ms: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const own = new AbortController();
  const end = () => own.abort(outer.reason);
  const timer = setTimeout(() => own.abort(new CollectError("timeout", `no answer within ${ms / 1000} s`)), ms);
  outer.addEventListener("abort", end, { once: true });
  try {
    return await work(own.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", end);
  }
}

/** Waits for something that cannot be stopped, such as a name that is looked up, no longer than until the signal aborts. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  // Its late failure is nobody's to handle any more.
  work.catch(() => undefined);
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
