import { formatValue } from "./format.ts";
import type { GrowingBuffer } from "./growing-buffer.ts";

/** The texts of many values, one after the other. */
export interface ValueTexts {
  /** Appends the text of the next value. There must be one. */
  append(out: GrowingBuffer): void;
}

/** Values formatted in one go. */
const BATCH = 512;
const COMMA = 0x2c;

/**
 * Formats values ahead, a batch at a time: JSON writes a list of numbers in half the time that a string for each takes.
 * `take` puts the next values into the list, at most so many.
 */
export function createValueTexts(take: (batch: number[], most: number) => void): ValueTexts {
  let bytes = Buffer.alloc(0);
  let at = 0;
  return {
    append(out) {
      if (at === bytes.length) {
        const batch: number[] = [];
        take(batch, BATCH);
        bytes = Buffer.from(textOf(batch), "latin1");
        at = 0;
      }
      let end = at;
      while (bytes[end] !== COMMA) end += 1;
      out.copy(bytes, at, end);
      at = end + 1;
    },
  };
}

/** Each value with a comma behind it. JSON has no text for NaN, the infinities and -0. */
function textOf(batch: readonly number[]): string {
  const isPlain = batch.every((value) => Number.isFinite(value) && !Object.is(value, -0));
  return isPlain ? `${JSON.stringify(batch).slice(1, -1)},` : `${batch.map(formatValue).join()},`;
}
