import type { Query } from "../../../src/artefacts/dashboards/queries.ts";
import type { Field, Frame } from "./frames.ts";
import { durationText, intervalOf, rateIntervalOf, type View } from "./range.ts";
import { type Chosen, inPromql, interpolate } from "./variables.ts";

/** A Prometheus server by its HTTP API. */
export interface Prometheus {
  /** `http://127.0.0.1:9090` */
  readonly url: string;
}

/** One series of an answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: string])[];
}

/** Asks the HTTP API; throws with Prometheus's own words when it refuses. */
export async function ask<T>(
  { url }: Prometheus,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<T> {
  // Long expressions do not fit a URL; what takes no parameters takes no POST either.
  const isQuery = Object.keys(parameters).length > 0;
  const request = isQuery ? { method: "POST", body: new URLSearchParams(parameters) } : {};
  const response = await fetch(`${url}/api/v1/${path}`, request);
  const body = (await response.json()) as { status: string; error?: string; data: T };
  if (body.status !== "success") throw new Error(`${body.error}: ${parameters["query"] ?? path}`);
  return body.data;
}

interface Result {
  readonly resultType: "matrix" | "vector" | "scalar";
  readonly result: readonly { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[];
}

/** The value of an expression at a time (epoch ms). */
export async function instant(prometheus: Prometheus, query: string, at: number): Promise<Series[]> {
  const { resultType, result } = await ask<Result>(prometheus, "query", { query, time: String(at / 1_000) });
  if (resultType === "scalar") return [{ metric: {}, values: [result as unknown as [number, string]] }];
  return result.map(({ metric, value, values }) => ({ metric, values: values ?? (value ? [value] : []) }));
}

/** Puts Grafana's own variables and the dashboard's into an expression. */
export function expand(expr: string, chosen: Chosen, view: View, interval: number): string {
  const range = Math.round((view.to - view.from) / 1_000);
  const own: Chosen = new Map<string, string>([
    ["__interval", durationText(interval)],
    ["__interval_ms", String(interval)],
    ["__rate_interval", durationText(rateIntervalOf(view, interval))],
    ["__rate_interval_ms", String(rateIntervalOf(view, interval))],
    ["__range", `${range}s`],
    ["__range_s", String(range)],
    ["__range_ms", String(view.to - view.from)],
  ]);
  return interpolate(
    interpolate(expr, own, (value) => String(value)),
    chosen,
    inPromql,
  );
}

/** `{{label}}` replaced; without a legend the labels are the name, as in Grafana. */
export function legendOf(legend: string | undefined, metric: Readonly<Record<string, string>>): string {
  if (legend && legend !== "__auto")
    return legend.replaceAll(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? "");
  const { __name__: name = "", ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(", ")}}` : name;
}

/** Runs a panel's query as Grafana does. @param many whether the panel has several queries in table format */
export async function runPromql(
  prometheus: Prometheus,
  query: Query,
  {
    chosen,
    view,
    points,
    least,
    many,
  }: { chosen: Chosen; view: View; points: number; least: number | undefined; many: boolean },
): Promise<{ readonly series: readonly Series[]; readonly frames: readonly Frame[]; readonly text: string }> {
  const interval = intervalOf(view, points, least);
  const text = expand(query.text, chosen, view, interval);
  const series = query.instant
    ? await instant(prometheus, text, view.to)
    : await ranged(prometheus, text, view, interval);
  const frames = query.format === "table" ? [table(query.refId, series, many)] : series.map((one) => frame(query, one));
  return { series, frames, text };
}

async function ranged(prometheus: Prometheus, query: string, { from, to }: View, interval: number): Promise<Series[]> {
  // Grafana aligns the range to the step.
  const [start, end] = [Math.floor(from / interval), Math.floor(to / interval)].map((n) => (n * interval) / 1_000);
  const parameters = { query, start: String(start), end: String(end), step: String(interval / 1_000) };
  const { result } = await ask<Result>(prometheus, "query_range", parameters);
  return result.map(({ metric, values = [] }) => ({ metric, values }));
}

const time = (values: Series["values"]): Field => ({
  ...{ name: "Time", type: "time", labels: {} },
  values: values.map(([seconds]) => seconds * 1_000),
});

function frame({ refId, legend }: Query, { metric, values }: Series): Frame {
  const numbers = values.map(([, value]) => Number(value));
  return {
    refId,
    fields: [
      time(values),
      { name: "Value", type: "number", labels: metric, values: numbers, shownAs: legendOf(legend, metric) },
    ],
  };
}

/** One row for each series, a column for each label. */
function table(refId: string, series: readonly Series[], many: boolean): Frame {
  const rows = series.flatMap(({ metric, values }) => values.map((value) => ({ metric, value })));
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return {
    refId,
    fields: [
      time(rows.map(({ value }) => value)),
      ...labels.map(
        (name): Field => ({ name, type: "string", labels: {}, values: rows.map(({ metric }) => metric[name] ?? "") }),
      ),
      {
        ...{ name: many ? `Value #${refId}` : "Value", type: "number", labels: {} },
        values: rows.map(({ value }) => Number(value[1])),
      },
    ],
  };
}
