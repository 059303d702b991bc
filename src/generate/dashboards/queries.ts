// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import type { Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import type { DataSourceRef } from "@grafana/grafana-foundation-sdk/common";

/** Data sources by variable, so that a user can point a dashboard at others; the provisioned ones are the defaults. */
export const PROMETHEUS: DataSourceRef = { type: "prometheus", uid: "${datasource}" };
export const DATABASE: DataSourceRef = { type: "grafana-postgresql-datasource", uid: "${database}" };
export const MIXED: DataSourceRef = { type: "datasource", uid: "-- Mixed --" };

/** A query of a panel, before it has its letter. */
export interface Query {
  readonly datasource: DataSourceRef;
  readonly body: Readonly<Record<string, unknown>>;
}

/** `gleaner_kit_up{job=~"$job", …}`: every selector is held to the chosen collectors. */
export function metric(name: string, matchers = ""): string {
  const own = 'job=~"$job", instance=~"$instance"';
  return `${name}{${matchers === "" ? own : `${own}, ${matchers}`}}`;
}

/** Per-second rate of a counter. */
export const rate = (name: string, matchers = ""): string => `rate(${metric(name, matchers)}[$__rate_interval])`;

/** The expression, or 0 under the label value `none` while it has no series: counters of what never happened do not exist. */
export const orNone = (label: string, expr: string): string =>
  `${expr} or on () label_replace(vector(0), "${label}", "none", "", "")`;

/**
 * The series of `expr` that were the largest by `over`, an expression with the same labels as of the end of the time range:
 * the same ones all along, where a plain topk changes its mind at every step.
 */
export const most = (count: number, expr: string, over: string): string => `${expr} and topk(${count}, ${over})`;

/** Over the panel's time range. `legend`: text with `{{label}}`. */
export function prom(expr: string, legend = ""): Query {
  return {
    datasource: PROMETHEUS,
    body: { expr, legendFormat: legend, editorMode: "code", range: true, instant: false, format: "time_series" },
  };
}

/** As of the end of the time range, one value a series. */
export function now(expr: string, legend = ""): Query {
  return {
    datasource: PROMETHEUS,
    body: { expr, legendFormat: legend, editorMode: "code", range: false, instant: true, format: "time_series" },
  };
}

/** As of the end of the time range, as rows with a column per label. */
export function nowTable(expr: string): Query {
  return {
    datasource: PROMETHEUS,
    body: { expr, editorMode: "code", range: false, instant: true, format: "table" },
  };
}

const sql = (format: "table" | "time_series", rawSql: string): Query => ({
  datasource: DATABASE,
  body: { rawSql: dedent(rawSql), format, editorMode: "code", rawQuery: true },
});

/** Rows. */
export const rows = (rawSql: string): Query => sql("table", rawSql);

/**
 * Rows, or one that says that there are none: an empty table looks like one that does not work. `none`: that row's cells
 * as SQL, with their types.
 */
export function rowsOrNone(rawSql: string, none: readonly string[]): Query {
  return rows(
    [
      "with found as materialized (",
      dedent(rawSql),
      ")",
      "select * from found",
      `union all select ${none.join(", ")} where not exists (select 1 from found)`,
    ].join("\n"),
  );
}

/** `time`, and either columns of numbers or a text column `metric` that names the series; ordered by time. */
export const series = (rawSql: string): Query => sql("time_series", rawSql);

/** Takes out the indentation that SQL has among TypeScript. */
export function dedent(text: string): string {
  const lines = text.replace(/^\n+|\s+$/g, "").split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  const least = Math.min(...indents);
  return lines.map((line) => line.slice(least).trimEnd()).join("\n");
}

/** The queries with their letters, each with its own data source. */
export function lettered(queries: readonly Query[]): Dataquery[] {
  return queries.map(
    ({ datasource, body }, index) => ({ datasource, ...body, refId: letter(index) }) as unknown as Dataquery,
  );
}

/** A, B, … Z. */
export function letter(index: number): string {
  return String.fromCharCode("A".charCodeAt(0) + index);
}

/** The one data source of the queries, or the mixed one. */
export function sourceOf(queries: readonly Query[]): DataSourceRef {
  const [first] = queries;
  return first && queries.every(({ datasource }) => datasource === first.datasource) ? first.datasource : MIXED;
}
