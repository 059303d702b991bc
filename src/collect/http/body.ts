import { MAX_BODY_BYTES, tooLarge } from "./answer.ts";

/** A body that is on its way. */
export interface Body {
  /** Bytes that have come so far. */
  readonly length: number;
  /** Copies what came. @throws {CollectError} when it is more than the cap */
  append(data: Buffer): void;
  /** All that came. */
  bytes(): Buffer;
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
 */
export function createBody(promised: number): Body {
  const first = Number.isFinite(promised) ? Math.min(promised, TRUST_BYTES) : USUAL_BYTES;
  let room = NO_ROOM;
  let length = 0;
  const grow = (needed: number) => {
    const wider = Buffer.allocUnsafe(Math.max(needed, room.length * 2, first));
    room.copy(wider, 0, 0, length);
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
    bytes: () => room.subarray(0, length),
  };
}
