/** Text rules that both exposition formats share: names, escapes, numbers. */

/** The two formats a scrape can get: Prometheus text 0.0.4 and OpenMetrics 1.0. */
export type Format = "text" | "openmetrics";

export type FamilyType = "gauge" | "counter" | "histogram";

/** A family ready to be written: its header, and its sample lines. A picture of one moment; it no longer changes. */
export interface ExposedFamily {
  /** Full name; a counter's ends in `_total`. */
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly unit?: string;
  readonly size: number;
  /**
   * All sample lines in UTF-8, each ending in a newline: the same bytes in both formats, so that no series changes identity.
   * Takes as many turns of the event loop as it needs. The bytes are shared and must not be changed.
   */
  lines(): Promise<Buffer>;
}

// OpenMetrics 1.0 reserves names and label names that start with an underscore; a series must not exist in one format only.
const METRIC_NAME = /^[a-zA-Z:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z][a-zA-Z0-9_]*$/;
const UNIT = /^[a-zA-Z0-9_:]+$/;

export const isMetricName = (name: string): boolean => METRIC_NAME.test(name);
export const isLabelName = (name: string): boolean => LABEL_NAME.test(name);

/** The name OpenMetrics gives the family: a counter's without `_total`. */
export function baseName(name: string, type: FamilyType): string {
  return type === "counter" ? name.slice(0, -"_total".length) : name;
}

// OpenMetrics 1.0, "Suffixes": names must not clash once the suffixes of each type are on.
const SUFFIXES: Readonly<Record<FamilyType, readonly string[]>> = {
  gauge: [""],
  counter: ["", "_total", "_created"],
  histogram: ["", "_bucket", "_count", "_sum", "_created"],
};

/** Every name a family takes up in either format; no other family may use one of them. */
export function claimedNames(name: string, type: FamilyType): string[] {
  const base = baseName(name, type);
  return SUFFIXES[type].map((suffix) => base + suffix);
}

/** The unit, where OpenMetrics allows one: it has to be the suffix of the family's base name. */
export function allowedUnit(family: Pick<ExposedFamily, "name" | "type" | "unit">): string | undefined {
  const { name, type, unit } = family;
  if (unit === undefined || unit === "info" || !UNIT.test(unit)) return undefined;
  return baseName(name, type).endsWith(`_${unit}`) ? unit : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", '"': '\\"' };
const escaped = (char: string): string => ESCAPES[char] ?? char;

/**
 * A label value between its quotes. Lone surrogates become U+FFFD here, before series are compared:
 * UTF-8 would do the same at the end and make two series one.
 */
export function escapeLabelValue(value: string): string {
  return /[\\\n"\ud800-\udfff]/.test(value) ? value.toWellFormed().replace(/[\\\n"]/g, escaped) : value;
}

/** HELP text: OpenMetrics escapes the double quote too, text 0.0.4 must not. */
export function escapeHelp(help: string, format: Format): string {
  return help.replace(format === "text" ? /[\\\n]/g : /[\\\n"]/g, escaped);
}

/** A value that Go's ParseFloat reads back exactly: JavaScript prints the shortest decimal that does, but not for these four. */
export function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

/** `le` as OpenMetrics wants it, `1.0` and not `1`; used in both formats, since `le` is part of a series' identity. */
export function formatBound(bound: number | string): string {
  if (bound === "+Inf") return bound;
  const text = formatValue(Number(bound));
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
