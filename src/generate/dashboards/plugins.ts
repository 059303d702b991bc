// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import { PLUGIN_STATES } from "../../model/health.ts";
import { NEWS, transitions } from "./annotations.ts";
import type { Definition } from "./assemble.ts";
import { joined, stat, stateTimeline, table, timeseries } from "./kinds.ts";
import { link, pluginUid, UIDS } from "./links.ts";
import { falling, field, NEUTRAL, rising } from "./panels.ts";
import { metric, now, nowTable, orNone, prom, rate, rows, series } from "./queries.ts";
import { STATE_CODES, STATES, stateOfPlugin, targetStateCode } from "./states.ts";
import { bin, TO } from "./tiers.ts";
import { UNITS } from "./units.ts";
import { BOTH } from "./variables.ts";

const OPEN = "Open the plugin";
const increase = (name: string) => `sum by (plugin) (increase(${metric(name)}[$__range]))`;
/** Failed runs of every plugin that ran, 0 where none failed. */
const failed = `(${increase("gleaner_job_failures_total")} or ${increase("gleaner_job_runs_total")} * 0)`;
const success = `1 - ${failed} / ${increase("gleaner_job_runs_total")}`;
/** Seconds a collection, over the windows of a rate or all of the time range. */
const meanSeconds = (grown: (name: string) => string) =>
  `${grown("gleaner_job_duration_seconds_sum")} / ${grown("gleaner_job_duration_seconds_count")}`;

const byState = stat({
  title: "Targets by state",
  description:
    "How many targets of plugins are in each state, kits aside. Degraded: two failures in a row. Failing: five.",
  ...{ w: 12, h: 4, named: true, unit: UNITS.Short, decimals: 0, noValue: "none" },
  queries: PLUGIN_STATES.map((state) =>
    now(`sum(max by (target) (${metric("gleaner_target_state", `state="${state}"`)}))`, state),
  ),
  fields: PLUGIN_STATES.map((state) => field(state, { color: STATES[state].color })),
});

const overall = stat({
  title: "Success of collections",
  description: "Share of all collections in the time range that did not fail.",
  ...{ w: 6, h: 4, unit: UNITS.PercentUnit, decimals: 2, thresholds: falling(0.9, 0.99) },
  queries: [
    now(
      `1 - (sum(increase(${metric("gleaner_job_failures_total")}[$__range])) or on () vector(0)) / sum(increase(${metric("gleaner_job_runs_total")}[$__range]))`,
      "success",
    ),
  ],
});

const pace = stat({
  title: "Collections a minute",
  description: "Finished collections of all plugins and kits.",
  ...{ w: 6, h: 4, unit: UNITS.Short, decimals: 0, thresholds: NEUTRAL, spark: true },
  queries: [prom(`sum(${rate("gleaner_job_runs_total")}) * 60`, "a minute")],
});

const all = table({
  title: "Plugins",
  description:
    "Every plugin that has targets, the worst first: the state of its worst target, and its collections in the time range. Click a plugin for all of its metrics.",
  ...{ w: 24, h: 9, sortBy: "Worst state", descending: true, noValue: "-" },
  queries: [
    nowTable(stateOfPlugin()),
    nowTable(`count by (plugin) (count by (plugin, target) (increase(${metric("gleaner_job_runs_total")}[$__range])))`),
    nowTable(increase("gleaner_job_runs_total")),
    nowTable(success),
    nowTable(meanSeconds(increase)),
    nowTable(
      `histogram_quantile(0.95, sum by (plugin, le) (increase(${metric("gleaner_job_duration_seconds_bucket")}[$__range])))`,
    ),
    rows(`
      select plugin_id as plugin, avg(metrics_count)::double precision as "Samples"
      from plugin_executions
      where $__timeFilter(started_at) and started_at > ${TO} - interval '1 day' and status = 'success'
      group by 1 order by 1 limit 500`),
  ],
  transformations: joined("plugin", [
    { name: "Plugin", from: "plugin" },
    { name: "Worst state", from: 0 },
    { name: "Targets", from: 1 },
    { name: "Collections", from: 2 },
    { name: "Success", from: 3 },
    { name: "Mean time", from: 4 },
    { name: "95 % within", from: 5 },
    { name: "Samples a collection", from: "Samples" },
  ]),
  fields: [
    field("Plugin", { links: [link(OPEN, UIDS.plugins, pluginUid("${__data.fields.Plugin}"))] }),
    field("Worst state", { mappings: [STATE_CODES], cell: "color-background", width: 110 }),
    field(/^(Targets|Collections|Samples a collection)$/, { unit: UNITS.Short, decimals: 0 }),
    field("Success", { unit: UNITS.PercentUnit, decimals: 2, thresholds: falling(0.9, 0.99), cell: "color-text" }),
    field(/^(Mean time|95 % within)$/, { unit: UNITS.Seconds, thresholds: rising(5, 20), cell: "color-text" }),
  ],
});

const timeline = stateTimeline({
  title: "State of each target",
  description: "How each target fared. Click a bar for the plugin.",
  ...{ w: 8, h: 10, mappings: [STATE_CODES], interval: "15s" },
  queries: [prom(targetStateCode(), "{{target}}")],
  links: [link(OPEN, UIDS.plugins, pluginUid("${__field.labels.plugin}"))],
});

const times = timeseries({
  title: "Collection time",
  description: "How long a collection takes on the mean, retries and waits included.",
  ...{ w: 8, h: 10, unit: UNITS.Seconds, interval: "1m" },
  queries: [
    prom(
      meanSeconds((name) => `sum by (plugin) (${rate(name)})`),
      "{{plugin}}",
    ),
  ],
});

const failures = timeseries({
  title: "Failed collections",
  description:
    "Failed collections a minute by plugin and kind of failure: bug is ours, unreachable and timeout are the network's, bad data and HTTP status the other side's.",
  ...{ w: 8, h: 10, unit: UNITS.Short, interval: "1m" },
  queries: [
    prom(orNone("kind", `sum by (plugin, kind) (${rate("gleaner_job_failures_total")}) * 60`), "{{plugin}} {{kind}}"),
  ],
});

const samples = timeseries({
  title: "Samples stored",
  description:
    "Samples of each plugin's collections in each interval, of the last two days of the time range. Kits store rows and no samples.",
  ...{ w: 24, h: 8, unit: UNITS.Short, decimals: 0, interval: "1m", stacked: true, bars: true },
  queries: [
    series(`
      select ${bin("started_at")} as time, plugin_id as metric, sum(metrics_count)::double precision as samples
      from plugin_executions
      where $__timeFilter(started_at) and started_at > ${TO} - interval '2 days' and metrics_count > 0
      group by 1, 2 order by 1`),
  ],
});

/** All plugins: which of them do not collect well, and why. */
export const plugins: Definition = {
  uid: UIDS.plugins,
  title: "gleaner / Plugins",
  description: "All plugins: which of them do not collect well, and why.",
  range: "3h",
  variables: BOTH,
  annotations: [transitions(`kind = 'target' and ${NEWS}`)],
  tiles: [byState, overall, pace, all, timeline, times, failures],
  folded: [{ title: "Samples", tiles: [samples] }],
};
