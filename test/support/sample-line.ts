/** One sample as an exposition line says it. `labels` are in the order of the line. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

// What Go's ParseFloat and OpenMetrics both read, in the spelling both agree on.
const NUMBER = /^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/** Reads a value; throws on anything that is not a number in both formats. */
export function parseValue(text: string): number {
  if (!NUMBER.test(text)) throw new Error(`bad number ${JSON.stringify(text)}`);
  return Number(text.replace("Inf", "Infinity"));
}

/** Reads `name{a="b",c="d"} 1`, character by character. Timestamps and exemplars are errors: gleaner writes none. */
export function parseSampleLine(line: string): ParsedSample {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error("no metric name");
  const labels: [string, string][] = [];
  let at = name.length;
  if (line[at] === "{") {
    at += 1;
    while (line[at] !== "}") {
      const label = /^[a-zA-Z_][a-zA-Z0-9_]*/.exec(line.slice(at))?.[0];
      if (label === undefined) throw new Error("no label name");
      at += label.length;
      if (line.slice(at, at + 2) !== '="') throw new Error("label without a quoted value");
      const { value, end } = parseQuoted(line, at + 2);
      if (labels.some(([known]) => known === label)) throw new Error(`label ${label} twice`);
      labels.push([label, value]);
      at = end;
      if (line[at] === ",") at += 1;
      else if (line[at] !== "}") throw new Error("labels neither go on nor end");
    }
    at += 1;
  }
  if (line[at] !== " ") throw new Error("no single space before the value");
  return { name, labels, value: parseValue(line.slice(at + 1)) };
}

/** Reads an escaped string from behind its opening quote to behind its closing one. */
function parseQuoted(text: string, from: number): { value: string; end: number } {
  let value = "";
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') return { value, end: at + 1 };
    if (char === "\\") {
      at += 1;
      value += unescapeChar(text[at]);
    } else value += char;
  }
  throw new Error("unterminated label value");
}

/** The character that a backslash and `char` stand for. */
export function unescapeChar(char: string | undefined): string {
  if (char === "n") return "\n";
  if (char === "\\" || char === '"') return char;
  throw new Error(`bad escape \\${char ?? ""}`);
}

/** Equal for equal series and for nothing else: labels sorted, empty ones left out as Prometheus does. */
export function identity(sample: Pick<ParsedSample, "name" | "labels">): string {
  const labels = sample.labels.filter(([, value]) => value !== "").toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sample.name, labels]);
}
