import { setImmediate as nextTurn } from "node:timers/promises";
import { formatValue } from "./format.ts";
import { growingBuffer } from "./growing-buffer.ts";

/**
 * A family's sample lines as bytes, and where each ends, so that the next rendering copies what stayed and formats
 * only values that changed. It no longer changes once made.
 *
 *     bytes    name{a="b"} 1.5\nname{a="c"} 27\n
 *     ends                      ^16            ^31
 */
export interface Rendering {
  readonly bytes: Buffer;
  readonly ends: Uint32Array;
}

export const EMPTY_RENDERING: Rendering = { bytes: Buffer.alloc(0), ends: new Uint32Array(0) };

/** Series to render, next to each other: positions `from` to `to` of both lists. */
export interface Part {
  /** Labels with their braces. */
  readonly keys: readonly string[];
  readonly values: readonly number[];
  readonly from: number;
  readonly to: number;
  /** Where the base has them: its line of the first one, and the values it shows, by the same positions. */
  readonly before: { readonly line: number; readonly values: readonly number[] } | undefined;
}

/** Work between two turns of the event loop, in lines that are only copied: 2,000 formatted lines, under 1 ms. */
const WORK_PER_TURN = 32_000;
const WORK_TO_FORMAT = 16;
/** A value with all its digits, the space before it and the newline. */
const VALUE_BYTES = 22;
const SPACE = 0x20;
const NEWLINE = 0x0a;

/** Renders parts in order, on top of an older rendering, yielding to the event loop on the way. */
export async function renderLines(name: string, parts: readonly Part[], base: Rendering): Promise<Rendering> {
  const ends = new Uint32Array(parts.reduce((sum, { from, to }) => sum + to - from, 0));
  const out = growingBuffer(likelySize(name, parts, base));
  // The stretch of the base that is still to be copied: neighbouring lines go in one piece.
  let from = 0;
  let to = 0;
  const copyStretch = (next: number): void => {
    out.copy(base.bytes, from, to);
    from = to = next;
  };
  let line = 0;
  let work = 0;
  for (const { keys, values, before, ...part } of parts) {
    const start = before && (base.ends[before.line - 1] ?? 0);
    if (start !== to) copyStretch(start ?? to);
    for (let i = part.from; i < part.to; i++) {
      const value = values[i] as number;
      if (before === undefined) {
        // Piece by piece: joining them first costs twice as much.
        out.ascii(name);
        out.utf8(keys[i] as string);
        out.byte(SPACE);
        out.ascii(formatValue(value));
        out.byte(NEWLINE);
        work += WORK_TO_FORMAT;
      } else {
        to = base.ends[before.line + i - part.from] as number;
        if (!Object.is(before.values[i], value)) {
          out.copy(base.bytes, from, valueAt(base.bytes, to));
          out.ascii(formatValue(value));
          from = to - 1; // the old line's newline
          work += WORK_TO_FORMAT;
        }
      }
      ends[line++] = out.length() + to - from;
      work += 1;
      if (work < WORK_PER_TURN) continue;
      work = 0;
      await nextTurn();
    }
  }
  copyStretch(to);
  return { bytes: out.bytes(), ends };
}

/** Where the value of the line that ends here begins: no value has a space in it. */
function valueAt(bytes: Buffer, end: number): number {
  let at = end - 1;
  while (bytes[at - 1] !== SPACE) at -= 1;
  return at;
}

/** A little more than the lines will take if their text is ASCII: what is too much here is kept until the next rendering. */
function likelySize(name: string, parts: readonly Part[], base: Rendering): number {
  let bytes = base.bytes.length + VALUE_BYTES;
  for (const { keys, before, from, to } of parts)
    if (before === undefined)
      for (let i = from; i < to; i++) bytes += name.length + (keys[i] as string).length + VALUE_BYTES;
  return bytes + (bytes >> 6);
}
