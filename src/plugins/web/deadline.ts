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
