/** A Buffer to append to. */
export interface GrowingBuffer {
  ascii(text: string): void;
  utf8(text: string): void;
  byte(value: number): void;
  copy(source: Buffer, from: number, to: number): void;
  length(): number;
  /** What was appended. The buffer must not be appended to any more. */
  bytes(): Buffer;
}

/** Starts with `size` bytes and doubles where that is short. */
export function growingBuffer(size: number): GrowingBuffer {
  let buffer = Buffer.allocUnsafeSlow(size);
  let used = 0;

  function reserve(bytes: number): void {
    if (used + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(used + bytes, buffer.length * 2));
    buffer.copy(larger, 0, 0, used);
    buffer = larger;
  }

  return {
    ascii(text) {
      reserve(text.length);
      used += buffer.write(text, used, "latin1");
    },
    utf8(text) {
      reserve(text.length * 3); // a UTF-16 unit becomes at most three bytes
      used += buffer.write(text, used);
    },
    byte(value) {
      reserve(1);
      buffer[used++] = value;
    },
    copy(source, from, to) {
      if (to <= from) return;
      reserve(to - from);
      used += source.copy(buffer, used, from, to);
    },
    length: () => used,
    bytes: () => buffer.subarray(0, used),
  };
}
