/** Hands one thing out to one holder at a time, in the order of asking. */
export interface Mutex {
  /** Resolves with the function that gives it back; calling that twice does nothing. */
  acquire(): Promise<() => void>;
}

/** A mutex as a chain of promises. */
export function createMutex(): Mutex {
  let tail: Promise<void> = Promise.resolve();
  return {
    async acquire() {
      const turn = tail;
      const { promise, resolve } = Promise.withResolvers<void>();
      tail = promise;
      await turn;
      return resolve;
    },
  };
}
