/**
 * Longest message between gleaner and a plugin's process (bytes): 50,000 samples with labels. Whatever the other side
 * does, no more than this of it is in memory at once.
 */
export const MAX_FRAME = 4 * 1024 * 1024;

const HEADER = 4;

/** The other side does not keep to what was agreed; the message says how. */
export class ProtocolError extends Error {}

/** A message as it travels: its length in four bytes, and itself as JSON. @throws {ProtocolError} when it is too long */
export function frameOf(json: string): Buffer {
  const length = Buffer.byteLength(json);
  if (length > MAX_FRAME) throw new ProtocolError(`a message of ${length} bytes; ${MAX_FRAME} is the most`);
  const frame = Buffer.allocUnsafe(HEADER + length);
  frame.writeUInt32BE(length);
  frame.write(json, HEADER);
  return frame;
}

/**
 * Cuts what comes in into messages. What it holds is never more than one message, for a longer one is refused by its
 * first four bytes.
 * @throws {ProtocolError} from the returned function
 */
export function createUnframer(onMessage: (json: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer[] = [];
  let size = 0;
  /** Bytes of header and message; known once the header is there. */
  let wanted = HEADER;
  const joined = () => {
    const all = held.length === 1 && held[0] ? held[0] : Buffer.concat(held, size);
    held = [all];
    return all;
  };
  return (chunk) => {
    held.push(chunk);
    size += chunk.length;
    while (size >= wanted) {
      const all = joined();
      const length = all.readUInt32BE();
      if (length > MAX_FRAME) throw new ProtocolError(`a message of ${length} bytes; ${MAX_FRAME} is the most`);
      wanted = HEADER + length;
      if (size < wanted) return;
      onMessage(all.subarray(HEADER, wanted));
      const rest = all.subarray(wanted);
      [held, size, wanted] = [[rest], rest.length, HEADER];
    }
  };
}
