import { setImmediate as nextTurn } from "node:timers/promises";
import { type Line, type LineFault, readLine } from "./line.ts";

/** What an exposition says about a family. */
export interface Family {
  readonly type: string;
  readonly help: string;
}

/** A sample with what its family says about it. */
export interface Parsed extends Line {
  /** The family it belongs to; its own name where none is declared. */
  readonly family: string;
  readonly type: string;
  readonly help: string;
}

export type Format = "text" | "openmetrics";

export interface Exposition {
  readonly samples: readonly Parsed[];
  /** Lines that could not be read, by why. */
  readonly faults: ReadonlyMap<LineFault | "truncated", number>;
  /** Lines that say something: samples, and what is none. */
  readonly lines: number;
}

/** Lines read between two turns of the event loop: well under 10 ms. */
const LINES_PER_TURN = 4_000;

/** Suffixes of a family's samples by its type; the empty one is the family's own name. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total", ""],
  histogram: ["_bucket", "_count", "_sum"],
  gaugehistogram: ["_bucket", "_gcount", "_gsum"],
  summary: ["_count", "_sum", ""],
  info: ["_info", ""],
};
const ALL_SUFFIXES = ["_bucket", "_count", "_sum", "_total", "_gcount", "_gsum", "_info", "_created"];

/** The format that a content type names; what names none is the text format, as exporters by the dozen do it. */
export const formatOf = (contentType: string | undefined): Format =>
  /^application\/openmetrics-text\b/i.test(contentType ?? "") ? "openmetrics" : "text";

/**
 * Reads an exposition, text 0.0.4 or OpenMetrics 1.0. One line that is bad costs no other. Lets the event loop turn on the way.
 * Not taken: `_created` samples, which say when a counter was made, and exemplars.
 */
export async function parseExposition(text: string, format: Format): Promise<Exposition> {
  const families = new Map<string, { type: string; help: string }>();
  const samples: Parsed[] = [];
  const faults = new Map<LineFault | "truncated", number>();
  const note = (fault: LineFault | "truncated") => faults.set(fault, (faults.get(fault) ?? 0) + 1);
  let lines = 0;
  let ended = false;
  let sinceTurn = 0;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf("\n", from);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(from, end).trim();
    from = end + 1;
    if (++sinceTurn === LINES_PER_TURN) {
      sinceTurn = 0;
      await nextTurn();
    }
    if (line === "# EOF") ended = true;
    else if (line.startsWith("#")) describe(line, families, format);
    else if (line !== "") {
      lines += 1;
      const read = readLine(line);
      if (typeof read === "string") note(read);
      else push(samples, read, families);
    }
  }
  if (format === "openmetrics" && !ended) note("truncated");
  return { samples, faults, lines };
}

const DESCRIPTOR = /^#[ \t]+(TYPE|HELP)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?$/s;

function describe(line: string, families: Map<string, { type: string; help: string }>, format: Format): void {
  const [, keyword, name = "", rest = ""] = DESCRIPTOR.exec(line) ?? [];
  if (keyword === undefined) return;
  const family = families.get(name) ?? { type: "untyped", help: "" };
  families.set(name, family);
  if (keyword === "TYPE") family.type = rest.trim().toLowerCase();
  else
    family.help = rest.replace(format === "text" ? /\\[n\\]/g : /\\[n\\"]/g, (pair) =>
      pair === "\\n" ? "\n" : (pair[1] ?? ""),
    );
}

function push(samples: Parsed[], line: Line, families: ReadonlyMap<string, Family>): void {
  const family = familyOf(line.name, families);
  if (family === undefined) samples.push({ ...line, family: line.name, type: "untyped", help: "" });
  else if (family !== "created") samples.push({ ...line, ...family });
}

function familyOf(name: string, families: ReadonlyMap<string, Family>) {
  const own = families.get(name);
  if (own !== undefined) return { family: name, ...own };
  const suffix = ALL_SUFFIXES.find((one) => name.endsWith(one));
  if (suffix === undefined) return undefined;
  const base = name.slice(0, -suffix.length);
  const family = families.get(base);
  if (family === undefined) return undefined;
  if (suffix === "_created") return SUFFIXES[family.type] === undefined ? undefined : ("created" as const);
  return SUFFIXES[family.type]?.includes(suffix) ? { family: base, ...family } : undefined;
}
