import type { Format } from "./format.ts";

/** What a scraper gets: the format, the exact Content-Type of the answer, and whether the body is gzipped. */
export interface Negotiated {
  readonly format: Format;
  readonly contentType: string;
  readonly gzip: boolean;
}

/** The two request headers that matter, as node:http gives them. */
export interface AcceptHeaders {
  readonly accept?: string | undefined;
  readonly "accept-encoding"?: string | undefined;
}

/** One element of an Accept-like header. */
interface Range {
  readonly value: string;
  readonly q: number;
  readonly params: ReadonlyMap<string, string>;
}

/** Content-Type of text 0.0.4. */
export const TEXT_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS = "application/openmetrics-text";
// Our exposition is the same in both versions of OpenMetrics; Prometheus before 2.34 asks for 0.0.1 only.
const OPENMETRICS_VERSIONS: readonly string[] = ["1.0.0", "0.0.1"];
/** https://prometheus.io/docs/instrumenting/escaping_schemes/ */
const ESCAPING_SCHEMES: readonly string[] = ["allow-utf-8", "underscores", "dots", "values"];

/**
 * Chooses format and encoding for a scrape. The highest q wins; a named type beats a wildcard, an earlier one a later.
 * Wildcards, browsers, no header at all and types we do not have get text 0.0.4: a scraper can read it, a 406 helps nobody.
 * The answer is put together from constants; nothing of the request is echoed.
 */
export function negotiate(headers: AcceptHeaders): Negotiated {
  const gzip = acceptsGzip(headers["accept-encoding"]);
  const best = parse(headers.accept ?? "")
    .map((range) => ({ range, rank: rankOf(range) }))
    .filter(({ range, rank }) => rank > 0 && range.q > 0)
    .sort((a, b) => b.range.q - a.range.q || b.rank - a.rank)[0]?.range;
  if (best?.value !== OPENMETRICS) return { format: "text", contentType: TEXT_CONTENT_TYPE, gzip };
  return { format: "openmetrics", contentType: openMetricsType(best), gzip };
}

/** 2 for a type we serve, 1 for a wildcard that text 0.0.4 satisfies, 0 for the rest. */
function rankOf({ value, params }: Range): number {
  const version = params.get("version");
  if (value === OPENMETRICS) return version === undefined || OPENMETRICS_VERSIONS.includes(version) ? 2 : 0;
  if (value === "text/plain") return version === undefined || version === "0.0.4" ? 2 : 0;
  return value === "*/*" || value === "text/*" ? 1 : 0;
}

function openMetricsType({ params }: Range): string {
  const version = params.get("version") === "0.0.1" ? "0.0.1" : "1.0.0";
  // All our names are in the classic character set: whatever scheme was asked for, underscores is what they are in already.
  const escaping = ESCAPING_SCHEMES.includes(params.get("escaping") ?? "") && version === "1.0.0";
  return `${OPENMETRICS}; version=${version}; charset=utf-8${escaping ? "; escaping=underscores" : ""}`;
}

function acceptsGzip(header: string | undefined): boolean {
  const codings = parse(header ?? "");
  const qOf = (name: string): number | undefined => codings.find(({ value }) => value === name)?.q;
  const gzip = qOf("gzip") ?? qOf("x-gzip") ?? qOf("*") ?? 0;
  return gzip > 0 && gzip >= (qOf("identity") ?? 0);
}

/** Splits at every comma, quoted or not: a parameter with one in it is none of ours, and its halves match nothing. */
function parse(header: string): Range[] {
  return header.split(",").map((element) => {
    const [value = "", ...rest] = element.split(";").map((part) => part.trim());
    const params = new Map(rest.map(parameter));
    return { value: value.toLowerCase(), q: quality(params.get("q")), params };
  });
}

function parameter(text: string): [string, string] {
  const [name = "", value = ""] = text.split("=", 2).map((part) => part.trim());
  return [name.toLowerCase(), value.replace(/^"(.*)"$/, "$1").toLowerCase()];
}

/** RFC 9110, 12.4.2. A q that is no number counts as absent. */
function quality(q: string | undefined): number {
  const value = Number.parseFloat(q ?? "1");
  return Number.isNaN(value) ? 1 : Math.min(Math.max(value, 0), 1);
}
