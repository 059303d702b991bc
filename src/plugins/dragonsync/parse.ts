import { CollectError } from "../../model/run.ts";

/** Deepest nesting an answer may have. A real one has 4 levels; JSON.stringify and structuredClone break in the thousands. */
const MAX_DEPTH = 32;
/** A body up to here (characters) may be parsed before its depth is known: were it all brackets, they would make some MB of arrays. */
const SMALL_BODY = 131_072;
const BYTE_ORDER_MARK = 0xfeff;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A parsed body, and how many bare NaN / Infinity tokens became null on the way. */
export interface Parsed {
  readonly value: unknown;
  readonly notNumbers: number;
}

/**
 * Parses a kit's answer. Kits write their bodies with Python's json.dumps, which puts bare `NaN`, `Infinity` and
 * `-Infinity` where a sensor had no number; JSON has no such words. Those, and nothing else, become null.
 * Linear in the size of the body, whatever is in it.
 * @param what names the request in errors: `GET /drones`
 * @throws {CollectError} bad_data, with the position and the start of the body
 */
export function parseBody(body: string, what: string): Parsed {
  const text = body.charCodeAt(0) === BYTE_ORDER_MARK ? body.slice(1) : body;
  const isSmall = body.length <= SMALL_BODY;
  if (!isSmall) refuseDeep(text, what);
  const value = parsed(text);
  // Looking through what was parsed takes a fifth of the time of looking through the bytes.
  if (isSmall && (value === undefined || isDeeper(value, MAX_DEPTH))) refuseDeep(text, what);
  return value === undefined ? parsePatched(text, what) : { value, notNumbers: 0 };
}

/** Undefined when it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parsePatched(text: string, what: string): Parsed {
  const patched = withoutNotNumbers(text);
  try {
    return { value: JSON.parse(patched.text), notNumbers: patched.count };
  } catch (error) {
    const message = (error as Error).message;
    const reason = message.replace(/ in JSON at position .*|, \S*".*" ?\S* is not valid JSON$/s, "");
    throw badData(what, `not JSON at position ${errorPosition(message, patched)}: ${printable(reason)}`, text);
  }
}

/** Offset of the quote that ends the string opened at `start`, or the text's length. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  for (let code = text.charCodeAt(i); i < text.length && code !== QUOTE; code = text.charCodeAt(i)) {
    i += code === BACKSLASH ? 2 : 1;
  }
  return i;
}

/** Whether there are more levels of objects and arrays than that. */
function isDeeper(value: unknown, levels: number): boolean {
  if (!isNested(value)) return false;
  if (levels === 0) return true;
  // Of an array of values rather than by name: looking up each name of so many kinds of objects takes longer than to parse them.
  const inner = Array.isArray(value) ? value : Object.values(value);
  for (let i = 0; i < inner.length; i++) if (isNested(inner[i]) && isDeeper(inner[i], levels - 1)) return true;
  return false;
}

function isNested(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function refuseDeep(text: string, what: string): void {
  const deep = tooDeepAt(Buffer.from(text));
  if (deep >= 0) throw badData(what, `nested deeper than ${MAX_DEPTH} levels at position ${deep}`, text);
}

/** Offset of the bracket that nests too deep, or -1. On bytes, one flat loop: half of the time of parsing, and of a text it would be all of it. */
function tooDeepAt(body: Buffer): number {
  let depth = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] as number;
    if (byte === QUOTE) {
      for (i++; i < body.length; i++) {
        const inner = body[i];
        if (inner === QUOTE) break;
        if (inner === BACKSLASH) i++;
      }
    } else if ((byte | 0x20) === 0x7b) {
      // "[" and "{" differ in one bit, and so do "]" and "}".
      if (++depth > MAX_DEPTH) return i;
    } else if ((byte | 0x20) === 0x7d) depth--;
  }
  return -1;
}

interface Patched {
  readonly text: string;
  readonly count: number;
  /** Offsets in the original of each NaN: "null" is one letter longer and moves what follows. */
  readonly grown: readonly number[];
}

/**
 * Replaces bare NaN and ±Infinity outside strings by null, in one pass: a regular expression that steps over strings
 * is quadratic on a body full of unclosed quotes. What was invalid around a token stays invalid (`1NaN`, `NaNs`).
 */
function withoutNotNumbers(text: string): Patched {
  const pieces: string[] = [];
  const grown: number[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
      continue;
    }
    const length = notNumberLength(text, i, code);
    if (length === 0) continue;
    // Padded to the token's length where that is longer, so that only NaN moves what follows.
    pieces.push(text.slice(from, i), "null".padEnd(length));
    if (length === 3) grown.push(i);
    from = i + length;
    i = from - 1;
  }
  const count = pieces.length / 2;
  return { text: pieces.join("") + text.slice(from), count, grown };
}

function notNumberLength(text: string, i: number, code: number): number {
  if (code === 0x4e) return text.startsWith("NaN", i) ? 3 : 0;
  if (code === 0x49) return text.startsWith("Infinity", i) ? 8 : 0;
  return code === 0x2d && text.startsWith("Infinity", i + 1) ? 9 : 0;
}

/** Where the original is wrong. V8 tells it in some messages only; it never does for a value that isn't one. */
function errorPosition(message: string, { text, grown }: Patched): number | "unknown" {
  const told = /at position (\d+)/.exec(message)?.[1];
  const ended = message.startsWith("Unexpected end");
  const position = told !== undefined ? Number(told) : ended ? text.length : foreignAt(text);
  if (position < 0) return "unknown";
  const moved = grown.findIndex((offset, before) => offset + before >= position);
  return position - (moved === -1 ? grown.length : moved);
}

const WORDS = ["true", "false", "null"];

/** Offset of the first character outside strings that starts no value where one must be, or goes on wrongly; -1 if none. */
function foreignAt(text: string): number {
  let last = ":"; // a text starts as a field's value does
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (" \t\r\n".includes(char)) continue;
    const word = WORDS.find((one) => one[0] === char);
    if (word !== undefined) {
      const wrong = [...word].findIndex((letter, n) => text[i + n] !== letter);
      if (wrong !== -1) return i + wrong;
      i += word.length - 1;
    } else if (char === '"') i = endOfString(text, i);
    else if (",:]}".includes(char)) {
      if ("[:,".includes(last) && last + char !== "[]") return i;
    } else if (!"{[0123456789+-.eE".includes(char) || (/e/i.test(char) && !/\d/.test(last))) return i;
    last = char;
  }
  return -1;
}

function badData(what: string, problem: string, text: string): CollectError {
  const start = printable(text.slice(0, 400)).slice(0, 80);
  const body = text === "" ? "the body is empty" : `the body starts with ${JSON.stringify(start)}`;
  return new CollectError("bad_data", `${what}: ${problem}; ${body}`);
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "");
}
