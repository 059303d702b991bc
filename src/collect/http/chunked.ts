import { MAX_BODY_BYTES, MAX_HEAD_BYTES, malformed, tooLarge } from "./answer.ts";
import { parseField } from "./head.ts";

/** Takes the next bytes of an answer. Returns how many of them come after its end, or GOES_ON while it has none. */
export type Feed = (data: Buffer) => number;
export const GOES_ON = -1;

const TOKEN = "[!#$%&'*+\\-.^_`|~\\da-z]+";
/** Size of a chunk in hexadecimal, and extensions, which nobody uses: stepped over. */
const SIZE_LINE = new RegExp(`^([\\da-f]{1,16})(?:;${TOKEN}(?:=(?:${TOKEN}|"[\\t !#-[\\]-~]*"))?)*$`, "i");
const CR = 0x0d;
const LF = 0x0a;

/**
 * Takes a chunked body apart (RFC 9112, 7.1), and hands its data on as views of what came. Extensions and trailers, which
 * a server could send for ever without any data, may have as many bytes as a head.
 */
export function createChunked(append: (data: Buffer) => void): Feed {
  const line = createLine();
  let spare = MAX_HEAD_BYTES;
  let left = 0;
  let expects: "size" | "data" | "end of data" | "trailer" = "size";

  const spend = (bytes: number) => {
    spare -= bytes;
    if (spare < 0) throw malformed("its chunks have too much around them");
  };

  function onLine(text: string): boolean {
    if (expects === "trailer") {
      spend(text.length);
      if (text !== "") parseField(text);
      return text === "";
    }
    if (expects === "end of data") {
      if (text !== "") throw malformed("a chunk is longer than its size");
      expects = "size";
      return false;
    }
    const digits = SIZE_LINE.exec(text)?.[1];
    if (digits === undefined) throw malformed("a chunk has no size");
    spend(text.length - digits.length);
    left = Number.parseInt(digits, 16);
    if (left > MAX_BODY_BYTES) throw tooLarge();
    expects = left === 0 ? "trailer" : "data";
    return false;
  }

  return (data) => {
    let at = 0;
    while (at < data.length) {
      if (expects === "data") {
        const part = data.subarray(at, at + left);
        append(part);
        at += part.length;
        left -= part.length;
        if (left === 0) expects = "end of data";
      } else {
        const end = data.indexOf(LF, at);
        const text = line(data.subarray(at, end === -1 ? data.length : end + 1));
        at = end === -1 ? data.length : end + 1;
        if (text !== undefined && onLine(text)) return data.length - at;
      }
    }
    return GOES_ON;
  };
}

/** Collects a line that ends in CRLF, without it; undefined while it is not whole. */
function createLine(): (part: Buffer) => string | undefined {
  let text = "";
  return (part) => {
    text += part.toString("latin1");
    if (text.length > MAX_HEAD_BYTES) throw malformed("a line between its chunks is too long");
    if (part.at(-1) !== LF) return undefined;
    if (text.charCodeAt(text.length - 2) !== CR) throw malformed("a line between its chunks does not end in CRLF");
    const whole = text.slice(0, -2);
    text = "";
    return whole;
  };
}
