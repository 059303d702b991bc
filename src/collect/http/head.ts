import { MAX_BODY_BYTES, malformed, tooLarge } from "./answer.ts";

/** Status line and headers of an answer. */
export interface Head {
  readonly minorVersion: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where an answer's body ends (RFC 9112, 6.3): after a length, after its last chunk, or with the connection. */
export type Framing = { readonly kind: "length"; readonly length: number } | { readonly kind: "chunked" | "close" };

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
/** No control characters, so no lone CR, LF or NUL either. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LENGTH = /^\d{1,15}$/;
/** A second one of these, even an equal one, is how two readers are made to see two bodies. */
const ONCE: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);
const NO_BODY: ReadonlySet<number> = new Set([204, 304]);

/**
 * Reads the head of an answer, blank line left out. Strict: lines end in CRLF, no line is folded, no name has blanks around it.
 * @throws {CollectError} bad_data
 */
export function parseHead(text: string): Head {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const told = STATUS_LINE.exec(statusLine);
  if (!told) throw malformed("its first line is no status line");
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const { name, value } = parseField(line);
    const before = headers[name];
    if (before !== undefined && ONCE.has(name)) throw malformed(`it has two headers ${name}`);
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return { minorVersion: Number(told[1]), status: Number(told[2]), headers };
}

/** A header, or a trailer. @throws {CollectError} bad_data */
export function parseField(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
  const value = trimmed(line, colon + 1);
  if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) throw malformed("a header has characters that it must not");
  return { name, value };
}

/** A line from `start` on, without blanks and tabs around it. By hand: `\s+$` takes quadratic time, and trim() takes more than these. */
function trimmed(line: string, start: number): string {
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** @throws {CollectError} bad_data for what could be read in two ways, and for a length over the cap */
export function framingOf({ status, minorVersion, headers }: Head): Framing {
  const length = headers["content-length"];
  const coding = headers["transfer-encoding"];
  if (length !== undefined && !LENGTH.test(length)) throw malformed("its content-length is no length");
  if (length !== undefined && coding !== undefined) throw malformed("it has a length and a transfer-encoding");
  if (NO_BODY.has(status)) return { kind: "length", length: 0 };
  if (coding !== undefined) {
    if (minorVersion === 0 || coding.toLowerCase() !== "chunked") throw malformed("its transfer-encoding is not known");
    return { kind: "chunked" };
  }
  if (length === undefined) return { kind: "close" };
  if (Number(length) > MAX_BODY_BYTES) throw tooLarge();
  return { kind: "length", length: Number(length) };
}

/** Whether the server offers to take another request on the same connection (RFC 9112, 9.3). */
export function keepsAlive({ minorVersion, headers }: Head): boolean {
  const options = (headers["connection"] ?? "").toLowerCase().split(/[\t ,]+/);
  return minorVersion === 1 ? !options.includes("close") : options.includes("keep-alive");
}
