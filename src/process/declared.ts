import type { Plugin } from "../model/plugin.ts";
import { type Collected, type MetricSpec, type Rejection, UNITS } from "../model/sample.ts";

/** Further metrics of one harvest: an exporter rarely has a thousand families. */
const MAX_METRICS = 5_000;
const MAX_LABELS = 64;
/** Characters of a help text that are kept. */
const MAX_HELP = 1_000;

const METRIC_NAME = /^[a-zA-Z:][a-zA-Z0-9_:]{0,199}$/;
const LABEL_NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,199}$/;
/** They say whose series it is, on everything. */
const OWN_LABELS: ReadonlySet<string> = new Set(["target", "kit"]);

type Specs = Readonly<Record<string, MetricSpec>>;

/**
 * Every metric a harvest may use: those of its plugin, and where the plugin says that there are such,
 * the further ones that come with the harvest. One that is bad never costs another.
 */
export function declaredMetrics(
  plugin: Pick<Plugin, "metrics" | "furtherMetrics">,
  { metrics: further = {} }: Pick<Collected, "metrics">,
): { readonly metrics: Specs; readonly rejected: readonly Rejection[] } {
  const own: Specs = plugin.metrics;
  if (plugin.furtherMetrics === undefined) return { metrics: own, rejected: [] };
  const entries = Object.entries(further).filter(([key]) => !Object.hasOwn(own, key));
  const taken = entries.slice(0, MAX_METRICS);
  const sound = taken.flatMap(([key, spec]): [string, MetricSpec][] => (isSpec(key, spec) ? [[key, plain(spec)]] : []));
  const rejected = [
    { reason: "bad_metric", detail: "no declaration of a metric", count: taken.length - sound.length },
    { reason: "too_many_metrics", detail: `more than ${MAX_METRICS}`, count: entries.length - taken.length },
  ];
  return { metrics: { ...Object.fromEntries(sound), ...own }, rejected: rejected.filter(({ count }) => count > 0) };
}

/** Whether this declares a metric; the types say so, but a plugin may be someone else's JavaScript. */
function isSpec(key: string, spec: MetricSpec): boolean {
  if (typeof spec !== "object" || spec === null || !METRIC_NAME.test(key)) return false;
  const { help, type = "gauge", unit, labels = [], maxSeries = 1 } = spec;
  return (
    typeof help === "string" &&
    (type === "gauge" || (type === "counter" && key.endsWith("_total"))) &&
    (unit === undefined || UNITS.includes(unit)) &&
    Array.isArray(labels) &&
    labels.length <= MAX_LABELS &&
    labels.every((label) => typeof label === "string" && LABEL_NAME.test(label) && !OWN_LABELS.has(label)) &&
    maxSeries >= 1
  );
}

const plain = ({ help, type, unit, labels, maxSeries, ownName }: MetricSpec): MetricSpec => ({
  help: help.slice(0, MAX_HELP),
  ...(type === undefined ? {} : { type }),
  ...(unit === undefined ? {} : { unit }),
  ...(labels === undefined ? {} : { labels }),
  ...(maxSeries === undefined ? {} : { maxSeries }),
  ...(ownName === true ? { ownName } : {}),
});
