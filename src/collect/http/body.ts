import { isAscii } from "node:buffer";
import { type Answer, MAX_BODY_BYTES, tooLarge } from "./answer.ts";
import type { Scratch } from "./scratch.ts";

/** A body that is on its way. */
export interface Body {
  /** Bytes that have come so far. */
  readonly length: number;
  /** Copies what came. @throws {CollectError} when it is more than the cap */
  append(data: Buffer): void;
  /** All that came, of an answer with these headers. */
  content(headers: Answer["headers"]): Answer["body"];
  /** Gives back what was borrowed; the body is of no more use. */
  release(): void;
}

const NO_ROOM = Buffer.alloc(0);
/** Room made at once, whatever length was promised: more than most of what kits list. */
const TRUST_BYTES = 64 * 1024;
/** Room made at first for a body that tells no length. */
const USUAL_BYTES = 16 * 1024;

/**
 * Collects a body in one buffer that grows by doubling: memory follows what has come, not what was promised, and a body
 * that drips byte by byte costs no more than one that comes in one piece.
 * @param promised length the answer told, infinite if it did not
 * @param scratch lends the first buffer, where there is one
 */
export function createBody(promised: number, scratch?: Scratch): Body {
  const first = Number.isFinite(promised) ? Math.min(promised, TRUST_BYTES) : USUAL_BYTES;
  let room: Buffer = NO_ROOM;
  let length = 0;
  let lent: Buffer | undefined;
  const release = () => {
    if (lent) scratch?.give(lent);
    lent = undefined;
  };
  const grow = (needed: number) => {
    const borrowed = length === 0 ? scratch?.take(Math.max(needed, first)) : undefined;
    const wider = borrowed ?? Buffer.allocUnsafe(Math.max(needed, room.length * 2, first));
    room.copy(wider, 0, 0, length);
    release();
    lent = borrowed;
    room = wider;
  };
  return {
    get length() {
      return length;
    },
    append(data) {
      const needed = length + data.length;
      if (needed > MAX_BODY_BYTES) throw tooLarge();
      if (needed > room.length) grow(needed);
      data.copy(room, length);
      length = needed;
    },
    content(headers) {
      const bytes = room.subarray(0, length);
      return headers["content-encoding"] === undefined ? textOf(bytes) : Buffer.from(bytes);
    },
    release,
  };
}

/** JSON is mostly ASCII, which takes no decoding, and half the memory of other text. */
export function textOf(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) ? "latin1" : "utf8");
}
