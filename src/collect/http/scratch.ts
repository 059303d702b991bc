/** Buffers that are used again and again. */
export interface Scratch {
  /** One that holds so many bytes; undefined when they are all lent, or too small. */
  take(bytes: number): Buffer | undefined;
  give(buffer: Buffer): void;
}

/** Answers on their way at once, seldom more; who comes later makes a buffer of its own. */
const MOST = 64;
/** More than most of what kits list. */
const BYTES = 64 * 1024;

/**
 * Lends buffers. A new one for each body would be little work, but its memory lies outside of what V8 collects in passing:
 * it counts it, and every few hundred polls goes through the whole heap to be rid of it.
 */
export function createScratch(): Scratch {
  const free: Buffer[] = [];
  let made = 0;
  return {
    take(bytes) {
      if (bytes > BYTES) return undefined;
      const known = free.pop();
      if (known || made === MOST) return known;
      made++;
      return Buffer.allocUnsafeSlow(BYTES);
    },
    give: (buffer) => void free.push(buffer),
  };
}
