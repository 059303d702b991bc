import type { Threshold } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Plugin } from "../../model/plugin.ts";
import type { MetricSpec } from "../../model/sample.ts";
import { stat, stateTimeline, table, timeseries } from "./kinds.ts";
import { NEUTRAL, type PanelOptions, type Tile } from "./panels.ts";
import { metric, most, now, nowTable, prom } from "./queries.ts";
import { words } from "./states.ts";
import { isYesNo, UNITS, unitOf } from "./units.ts";

/** A graph with more lines than this tells nothing. */
const LINES = 12;
/** Metrics that may have more series than this are cut to LINES. */
const FEW = 16;

const YES_NO = words({ 1: { text: "yes", color: "blue" }, 0: { text: "no", color: "text" } });

/** The label that says whose series it is. */
export const ownerLabel = ({ health }: Plugin): "kit" | "target" => (health === "kit" ? "kit" : "target");

/** The panel of a metric, from nothing but what its plugin declares of it. */
export function metricPanel(plugin: Plugin, key: string, spec: MetricSpec): Tile {
  const owner = ownerLabel(plugin);
  const drawn: Drawn = { name: `gleaner_${key}`, owner, labels: spec.labels ?? [], spec };
  const options = { title: titleOf(key), description: sentence(spec.help), unit: unitOf(spec), w: 8, h: 6 } as const;
  if (spec.unit === "info") return information(drawn, options);
  if (/(^|_)(boot_time|timestamp)_seconds$/.test(key)) return moment(drawn, options);
  return isYesNo(spec.help) ? flag(drawn, options) : course(drawn, options);
}

interface Drawn {
  readonly name: string;
  readonly owner: string;
  readonly labels: readonly string[];
  readonly spec: MetricSpec;
}
type Frame = Omit<PanelOptions, "queries">;

const matchersOf = (owner: string) => `${owner}=~"$${owner}"`;
const byLabels = ({ owner, labels }: Drawn) => [owner, ...labels].map(exposed).join(", ");
/** A label that Prometheus has names for of its own arrives with a prefix. */
const exposed = (label: string) => (label === "job" || label === "instance" ? `exported_${label}` : label);
const legendOf = ({ owner, labels }: Drawn) => [...labels, owner].map((label) => `{{${exposed(label)}}}`).join(" ");

function course(drawn: Drawn, frame: Frame): Tile {
  const { name, owner, spec } = drawn;
  const selector = metric(name, matchersOf(owner));
  const isCounter = spec.type === "counter";
  const grouped = (inner: string) => `${isCounter ? "sum" : "max"} by (${byLabels(drawn)}) (${inner})`;
  const expr = grouped(isCounter ? `rate(${selector}[$__rate_interval])` : selector);
  const over = grouped(`${isCounter ? "increase" : "avg_over_time"}(${selector}[$__range] @ end())`);
  const isMany = (spec.maxSeries ?? 1) > FEW;
  const isShare = spec.unit === "ratio" && !isCounter;
  return timeseries({
    ...frame,
    ...(isMany ? { description: `${frame.description} The ${LINES} largest of the time range.` } : {}),
    ...(isShare ? { min: 0, max: 1 } : {}),
    ...thresholdsOf(spec),
    queries: [prom(isMany ? most(LINES, expr, over) : expr, legendOf(drawn))],
  });
}

function flag(drawn: Drawn, frame: Frame): Tile {
  const { name, owner } = drawn;
  const selector = metric(name, matchersOf(owner));
  const by = byLabels(drawn);
  const over = `max by (${by}) (max_over_time(${selector}[$__range] @ end()))`;
  return stateTimeline({
    ...frame,
    ...{ mappings: [YES_NO], thresholds: NEUTRAL },
    queries: [prom(most(LINES, `max by (${by}) (${selector})`, over), legendOf(drawn))],
  });
}

function moment(drawn: Drawn, frame: Frame): Tile {
  const expr = `max by (${byLabels(drawn)}) (${metric(drawn.name, matchersOf(drawn.owner))}) * 1000`;
  return stat({
    ...frame,
    ...{ unit: UNITS.DateTimeFromNow, named: true, thresholds: NEUTRAL, queries: [now(expr, legendOf(drawn))] },
  });
}

function information(drawn: Drawn, frame: Frame): Tile {
  const names = [drawn.owner, ...drawn.labels].map(exposed);
  return table({
    ...frame,
    queries: [nowTable(`max by (${names.join(", ")}) (${metric(drawn.name, matchersOf(drawn.owner))})`)],
    transformations: [{ id: "filterFieldsByName", options: { include: { names } } }],
  });
}

/** Thresholds of the metric's own alerts, drawn as lines. */
function thresholdsOf({ alert = [], type }: MetricSpec): { thresholds?: Threshold[]; lines?: boolean } {
  const above = alert.filter(({ op, where }) => (op === "gt" || op === "gte") && where === undefined);
  if (above.length === 0 || type === "counter") return {};
  const steps = above
    .map(({ threshold, severity }) => ({ value: threshold, color: severity === "critical" ? "red" : "yellow" }))
    .sort((a, b) => a.value - b.value);
  return { thresholds: [{ value: null, color: "green" }, ...steps], lines: true };
}

/** `tcp_failed_attempts_total` -> `Tcp failed attempts`. */
function titleOf(key: string): string {
  const words = key
    .replace(/_(total|bytes_total|seconds_total|bytes|seconds|ratio|celsius|info)$/, "")
    .replace(/_(bytes|seconds)$/, "");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`.replaceAll("_", " ");
}

const sentence = (help: string): string => (/[.!?]$/.test(help) ? help : `${help}.`);
