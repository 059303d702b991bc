import type { Alert, AlertGroup, AlertSpec } from "../../model/alert.ts";
import type { Plugin } from "../../model/plugin.ts";
import type { MetricSpec } from "../../model/sample.ts";

/** The label that says whose a plugin's series are. */
export const ownerLabel = ({ health }: Pick<Plugin, "health">): "kit" | "target" =>
  health === "kit" ? "kit" : "target";

/** `{mode="idle"}`, or nothing. */
export function selectorOf(where: Readonly<Record<string, string>> = {}): string {
  const matchers = Object.entries(where).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return matchers.length > 0 ? `{${matchers.join(",")}}` : "";
}

/** `kit_disk_almost_full` -> `Kit disk almost full`. */
export const titleOf = (id: string): string => (id[0] ?? "").toUpperCase() + id.slice(1).replaceAll("_", " ");

/** The thresholds that plugins declare beside their metrics: a group for each plugin that has some. */
export function thresholdGroups(plugins: readonly Plugin[]): AlertGroup[] {
  const groups = plugins.map((plugin) => ({
    name: plugin.id.replaceAll("_", "-"),
    interval: "1m",
    alerts: Object.entries(plugin.metrics).flatMap(([metric, spec]) =>
      (spec.alert ?? []).map((alert) => thresholdAlert(plugin, metric, spec, alert)),
    ),
  }));
  return groups.filter(({ alerts }) => alerts.length > 0);
}

function thresholdAlert(plugin: Plugin, metric: string, { labels = [] }: MetricSpec, spec: AlertSpec): Alert {
  const { name, where, ...parts } = spec;
  const shown = [ownerLabel(plugin), ...labels.filter((label) => where?.[label] === undefined)];
  // One alert for a thing, however many collectors or scrape jobs see it; the one that is worse counts.
  const worst = spec.op === "lt" || spec.op === "lte" ? "min" : "max";
  return {
    ...parts,
    id: name,
    title: titleOf(name),
    labels: shown,
    query: `${worst} by (${shown.join(", ")}) (gleaner_${metric}${selectorOf(where)})`,
  };
}
