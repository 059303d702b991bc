/**
 * Waits for work that does not heed a signal itself. When the signal aborts first: `cut` ends what is under way, and this
 * rejects with the signal's reason at once, whatever becomes of the work.
 */
export async function untilAborted<T>(signal: AbortSignal, cut: () => void, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    reject(signal.reason);
    cut();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const result = work();
  // Whichever loses the race has nobody left to tell.
  result.catch(() => undefined);
  aborted.catch(() => undefined);
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
