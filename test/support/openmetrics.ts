import { identity, type ParsedSample, parseSampleLine, unescapeChar } from "./sample-line.ts";

export interface OpenMetricsFamily {
  /** Without the type's suffix: a counter's is `foo`, its sample `foo_total`. */
  readonly name: string;
  type: string;
  unit: string | undefined;
  help: string | undefined;
  readonly samples: ParsedSample[];
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  gauge: [""],
  unknown: [""],
  counter: ["_total", "_created"],
  info: ["_info"],
  histogram: ["_bucket", "_count", "_sum", "_created"],
};
const NAME = /^[a-zA-Z:][a-zA-Z0-9_:]*$/; // a leading underscore is reserved
const CANONICAL_BOUND = /^(?:\+Inf|-?\d+\.\d+|-?\d+(?:\.\d+)?e[+-]\d+)$/;

/**
 * Reads an OpenMetrics 1.0 exposition and throws on the first thing the standard forbids, or that gleaner has
 * promised not to do (timestamps, exemplars). promtool's own import misses missing `_total`, interleaved
 * families and duplicates. Messages start with the line's number.
 */
export function parseOpenMetrics(body: Buffer): OpenMetricsFamily[] {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  if (!text.endsWith("# EOF\n")) throw new Error("does not end with # EOF and a newline");
  const families = new Map<string, OpenMetricsFamily>();
  let current: OpenMetricsFamily | undefined;
  const lines = text.split("\n").slice(0, -1);
  lines.forEach((line, index) => {
    try {
      if (line === "# EOF") {
        if (index !== lines.length - 1) throw new Error("# EOF before the end");
        return;
      }
      if (line === "") throw new Error("blank line");
      if (line.startsWith("#")) current = readDescriptor(line, families, current);
      else readSample(line, current);
    } catch (cause) {
      throw new Error(`line ${index + 1}: ${(cause as Error).message}: ${line}`, { cause });
    }
  });
  const all = [...families.values()];
  checkNames(all);
  checkDuplicates(all);
  for (const family of all) checkFamily(family);
  return all;
}

function readDescriptor(
  line: string,
  families: Map<string, OpenMetricsFamily>,
  current: OpenMetricsFamily | undefined,
): OpenMetricsFamily {
  const [, keyword, name = "", rest = ""] = /^# (TYPE|UNIT|HELP) (\S+) (.*)$/s.exec(line) ?? [];
  if (keyword === undefined) throw new Error("a comment that is no TYPE, UNIT or HELP");
  if (keyword === "TYPE") {
    if (!NAME.test(name)) throw new Error("bad or reserved family name");
    if (families.has(name)) throw new Error("family appears twice");
    if (!(rest in SUFFIXES)) throw new Error("unknown type");
    const family = { name, type: rest, unit: undefined, help: undefined, samples: [] };
    families.set(name, family);
    return family;
  }
  if (current === undefined || current.name !== name) throw new Error(`${keyword} outside its family`);
  if (current.samples.length > 0) throw new Error(`${keyword} after samples`);
  if (current.help !== undefined || (keyword === "UNIT" && current.unit !== undefined)) {
    throw new Error(`${keyword} twice or out of the order TYPE, UNIT, HELP`);
  }
  if (keyword === "UNIT") {
    if (!name.endsWith(`_${rest}`) || current.type === "info") throw new Error("unit is not the suffix of the name");
    current.unit = rest;
  } else {
    if (/(?<!\\)(?:\\\\)*"/.test(rest)) throw new Error("unescaped quote in HELP");
    current.help = rest.replace(/\\(.?)/gs, (_all, char: string) => unescapeChar(char));
  }
  return current;
}

function readSample(line: string, family: OpenMetricsFamily | undefined): void {
  const sample = parseSampleLine(line);
  if (family === undefined) throw new Error("sample without a TYPE before it");
  const suffixes = SUFFIXES[family.type] ?? [];
  if (!suffixes.some((suffix) => sample.name === family.name + suffix)) {
    throw new Error(`sample name does not fit ${family.type} ${family.name}`);
  }
  for (const [label] of sample.labels) if (label.startsWith("_")) throw new Error("reserved label name");
  if (family.type === "counter" && !(sample.value >= 0)) throw new Error("counter negative or NaN");
  const bound = /[{,]le="([^"]*)"/.exec(line)?.[1];
  if (sample.name === `${family.name}_bucket` && family.type === "histogram") {
    if (bound === undefined || !CANONICAL_BOUND.test(bound)) throw new Error("le is missing or not canonical");
  }
  family.samples.push(sample);
}

/** No name may mean two things once every type's suffixes are on. */
function checkNames(families: readonly OpenMetricsFamily[]): void {
  const taken = new Map<string, string>();
  for (const family of families) {
    for (const name of new Set([family.name, ...(SUFFIXES[family.type] ?? []).map((suffix) => family.name + suffix)])) {
      const other = taken.get(name);
      if (other !== undefined) throw new Error(`${name} clashes: ${other} and ${family.name}`);
      taken.set(name, family.name);
    }
  }
}

function checkDuplicates(families: readonly OpenMetricsFamily[]): void {
  const seen = new Set<string>();
  for (const id of families.flatMap((family) => family.samples.map(identity))) {
    if (seen.has(id)) throw new Error(`series twice: ${id}`);
    seen.add(id);
  }
}

function checkFamily(family: OpenMetricsFamily): void {
  if (family.type !== "histogram") return;
  const groups = contiguousGroups(family);
  for (const group of groups) {
    const buckets = group.filter(({ name }) => name.endsWith("_bucket"));
    const bounds = buckets.map(({ labels }) => Number((labelOf(labels, "le") ?? "").replace("Inf", "Infinity")));
    const counts = buckets.map(({ value }) => value);
    const count = group.find(({ name }) => name === `${family.name}_count`)?.value;
    if (bounds.some((bound, i) => i > 0 && bound <= (bounds[i - 1] ?? Number.NaN))) {
      throw new Error(`${family.name}: buckets out of order`);
    }
    if (counts.some((value, i) => i > 0 && value < (counts[i - 1] ?? Number.NaN))) {
      throw new Error(`${family.name}: buckets are not cumulative`);
    }
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${family.name}: no +Inf bucket`);
    if (count !== counts.at(-1)) throw new Error(`${family.name}: _count is not the +Inf bucket`);
    if (!group.some(({ name }) => name === `${family.name}_sum`)) throw new Error(`${family.name}: no _sum`);
  }
}

/** Splits a histogram's samples by their labels without `le`; labels that come back later are interleaved. */
function contiguousGroups(family: OpenMetricsFamily): ParsedSample[][] {
  const groups = new Map<string, ParsedSample[]>();
  let last: string | undefined;
  for (const sample of family.samples) {
    const key = identity({ name: "", labels: sample.labels.filter(([label]) => label !== "le") });
    const group = groups.get(key);
    if (group !== undefined && key !== last) throw new Error(`${family.name}: metrics are interleaved`);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
    last = key;
  }
  return [...groups.values()];
}

function labelOf(labels: ParsedSample["labels"], name: string): string | undefined {
  return labels.find(([label]) => label === name)?.[1];
}
