/** One sample as a line of an exposition has it. */
export interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** As written: milliseconds in the text format, seconds in OpenMetrics. */
  readonly timestamp?: number;
}

/** Why a line is no sample that can be taken. `name`: it has a name or label that the classic formats do not know. */
export type LineFault = "syntax" | "name" | "value" | "label_twice";

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const QUOTE = 34;
const BRACE = 123;

/** `1.5`, `1e9`, `+Inf`, `NaN`: what Go's ParseFloat reads, without its hexadecimal forms; undefined for anything else. */
export function readNumber(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text);
  const sign = INFINITE.exec(text)?.[1];
  if (sign !== undefined) return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?nan$/i.test(text) ? Number.NaN : undefined;
}

function take(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function skipBlanks(text: string, at: number): number {
  let end = at;
  while (text.charCodeAt(end) === 32 || text.charCodeAt(end) === 9) end++;
  return end;
}

/** Reads a line that is neither empty nor a comment; an exemplar at its end is not looked at. */
export function readLine(text: string): Line | LineFault {
  const name = take(NAME, text, 0);
  // A name in quotes, within the braces: Prometheus 3 writes those that are not classic so.
  if (name === undefined) return text.charCodeAt(0) === BRACE ? "name" : "syntax";
  let at = skipBlanks(text, name.length);
  const labels: Record<string, string> = {};
  if (text.charCodeAt(at) === BRACE) {
    const end = readLabels(text, at + 1, labels);
    if (typeof end === "string") return end;
    at = skipBlanks(text, end);
  } else if (at === name.length) return "syntax";
  return readEnd(name, labels, text, at);
}

/** Reads labels from behind the opening brace; where they end, or what is wrong with them. */
function readLabels(text: string, from: number, labels: Record<string, string>): number | LineFault {
  let at = skipBlanks(text, from);
  while (text[at] !== "}") {
    const label = take(LABEL, text, at);
    if (label === undefined) return text.charCodeAt(at) === QUOTE ? "name" : "syntax";
    at = skipBlanks(text, at + label.length);
    if (text[at] !== "=") return "syntax";
    at = skipBlanks(text, at + 1);
    if (text.charCodeAt(at) !== QUOTE) return "syntax";
    const end = closingQuote(text, at + 1);
    if (end < 0) return "syntax";
    if (Object.hasOwn(labels, label)) return "label_twice";
    labels[label] = unescapeValue(text.slice(at + 1, end));
    at = skipBlanks(text, end + 1);
    if (text[at] === ",") at = skipBlanks(text, at + 1);
    else if (text[at] !== "}") return "syntax";
  }
  return at + 1;
}

/** The first quote from a place on that no backslash stands for; -1 where there is none. */
function closingQuote(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\" && end - 1 - slashes >= from) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\n": "\n", "\\\\": "\\", '\\"': '"' };

/** Any other backslash stands for itself, as in Prometheus. */
function unescapeValue(text: string): string {
  return text.includes("\\") ? text.replace(/\\[n\\"]/g, (pair) => ESCAPES[pair] ?? pair) : text;
}

function readEnd(name: string, labels: Line["labels"], text: string, at: number): Line | LineFault {
  const exemplar = text.indexOf(" # ", at);
  const [written = "", time, ...more] = (exemplar < 0 ? text.slice(at) : text.slice(at, exemplar))
    .trim()
    .split(/[ \t]+/);
  if (more.length > 0) return "syntax";
  const value = readNumber(written);
  if (value === undefined) return "value";
  if (time === undefined) return { name, labels, value };
  const timestamp = readNumber(time);
  return timestamp === undefined || !Number.isFinite(timestamp) ? "value" : { name, labels, value, timestamp };
}
