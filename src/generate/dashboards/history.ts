// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import { NEWS, transitions } from "./annotations.ts";
import type { Definition } from "./assemble.ts";
import { table, timeseries } from "./kinds.ts";
import { link, pluginUid, UIDS } from "./links.ts";
import { field } from "./panels.ts";
import { prom, rate, rows, rowsOrNone, series } from "./queries.ts";
import { goodBad, OUTCOME_WORDS, OUTCOMES, SEVERITY_WORDS, STATE_WORDS, STATES } from "./states.ts";
import { bin, PER_HOUR, tiered } from "./tiers.ts";
import { UNITS } from "./units.ts";
import { BOTH, quoted, rowVariable } from "./variables.ts";

const NONE = "'none in this time range'";
const toPlugin = link("Open the plugin", UIDS.history, pluginUid("${__data.fields.Plugin}"));

const executions = timeseries({
  title: "Executions",
  description:
    "Recorded runs in each interval by what came of them: every run of plugins, and of kits those that failed.",
  ...{ w: 8, h: 7, unit: UNITS.Short, decimals: 0, bars: true, stacked: true, interval: "1m" },
  queries: [
    series(`
      select ${bin("started_at")} as time, status as metric, count(*) as runs
      from plugin_executions
      where $__timeFilter(started_at)
      group by 1, 2 order by 1`),
  ],
  fields: Object.entries(OUTCOMES).map(([name, { color }]) => field(new RegExp(`^(runs )?${name}$`), { color })),
});

const changes = timeseries({
  title: "Changes of state",
  description: "Changes in each interval by the state they led to, of kits and plugins.",
  ...{ w: 8, h: 7, unit: UNITS.Short, decimals: 0, bars: true, stacked: true, interval: "1m" },
  queries: [
    series(`
      select ${bin("time")} as time, case when kind = 'identity' then 'another identity' else to_state end as metric,
             count(*) as changes
      from health_events
      where $__timeFilter(time)
      group by 1, 2 order by 1`),
  ],
  fields: Object.entries(STATES).map(([name, { color }]) => field(new RegExp(`^(changes )?${name}$`), { color })),
});

const success = timeseries({
  title: "Success of collections",
  description:
    "Share of all collections, those of kits included, that did not fail. From the metrics, whose range may be shorter.",
  ...{ w: 8, h: 7, unit: UNITS.PercentUnit, max: 1, interval: "1m" },
  queries: [
    prom(
      `1 - (sum by (plugin) (${rate("gleaner_job_failures_total")}) or sum by (plugin) (${rate("gleaner_job_runs_total")}) * 0) / sum by (plugin) (${rate("gleaner_job_runs_total")})`,
      "{{plugin}}",
    ),
  ],
});

const transitionsTable = table({
  title: "Latest changes of state",
  description: "What changed, from what to what, and why; at most 500, the latest first.",
  ...{ w: 12, h: 8, sortBy: "Time", descending: true },
  queries: [
    rowsOrNone(
      `
      select time as "Time", id as "What", from_state as "From", to_state as "To", severity as "Severity", details as "Why"
      from health_events
      where $__timeFilter(time)
      order by time desc limit 500`,
      ["null::timestamptz", NONE, "null::text", "null::text", "null::text", "null::text"],
    ),
  ],
  fields: [
    field("Time", { width: 160 }),
    field(/^(From|To)$/, { mappings: [STATE_WORDS], cell: "color-text", width: 90 }),
    field("Severity", { mappings: [SEVERITY_WORDS], cell: "color-text", width: 90 }),
  ],
});

const failed = table({
  title: "Latest failed executions",
  description: "Runs that failed, with what went wrong; at most 500, the latest first.",
  ...{ w: 12, h: 8, sortBy: "Time", descending: true },
  queries: [
    rowsOrNone(
      `
      select started_at as "Time", plugin_id as "Plugin", target_id as "Target", job as "Job", status as "Outcome",
             error_kind as "Kind", error_message as "Error", duration_ms as "Took", attempts as "Tries"
      from plugin_executions
      where $__timeFilter(started_at) and status = 'failed'
      order by started_at desc limit 500`,
      [
        ...["null::timestamptz", "null::text", NONE, "null::text", "null::text", "null::text", "null::text"],
        ...["null::double precision", "null::integer"],
      ],
    ),
  ],
  fields: [
    field("Time", { width: 160 }),
    field("Outcome", { mappings: [OUTCOME_WORDS], cell: "color-text", width: 80 }),
    field("Took", { unit: UNITS.Milliseconds, decimals: 0, width: 80 }),
    field("Tries", { decimals: 0, width: 60 }),
    field("Plugin", { links: [toPlugin] }),
  ],
});

const alerts = table({
  title: "Alert history",
  description:
    "Alerts that fired and resolved, as Grafana or Alertmanager told gleaner; at most 500, the latest first.",
  ...{ w: 8, h: 9, sortBy: "Time", descending: true },
  queries: [
    rowsOrNone(
      `
      select case when triggered then time else coalesce(ends_at, received_at, time) end as "Time",
             alert_id as "Alert", triggered as "Fired", value as "Value", message as "Message"
      from alert_history
      where $__timeFilter(time)
      order by 1 desc limit 500`,
      ["null::timestamptz", NONE, "null::boolean", "null::double precision", "null::text"],
    ),
  ],
  fields: [
    field("Time", { width: 160 }),
    field("Fired", { mappings: [goodBad(["false", "resolved"], ["true", "fired"])], cell: "color-text", width: 80 }),
    field("Value", { unit: UNITS.Short, width: 80 }),
  ],
});

const deadLetters = table({
  title: "Dead letters",
  description:
    "Rows that the database refused, kept with the reason: gleaner dead-letter list shows them whole and can bring them back.",
  ...{ w: 6, h: 9 },
  queries: [
    rowsOrNone(
      `
      select table_name as "Table", reason as "Reason", count(*) as "Rows", max(time) as "Latest"
      from (select * from dead_letters where $__timeFilter(time) limit 100000) as refused
      group by 1, 2 order by 3 desc limit 200`,
      ["'all tables'", NONE, "0::bigint", "null::timestamptz"],
    ),
  ],
  fields: [field("Rows", { decimals: 0, width: 70 })],
});

const METRIC = quoted("metric");
const TARGETS = quoted("target");
/** The series chosen: a graph with more lines than these tells nothing. */
const CHOSEN = `s.series_id in (select series_id from series where metric_name = ${METRIC} and target_id in (${TARGETS})
                     order by series_id limit 8)`;

function samples(name: string, time: string, mean: string, highest: string) {
  const from = `${name} s join series r on r.series_id = s.series_id`;
  return { table: name, from, time, where: CHOSEN, values: [mean, highest] };
}

const oneMetric = timeseries({
  title: "One metric for years",
  description:
    "Mean and highest value of the chosen metric in each interval: rows for days, hours for weeks, days for years. Up to eight series.",
  ...{ w: 10, h: 9, unit: UNITS.Short, interval: "1m" },
  queries: [
    series(
      tiered({
        values: { mean: "avg", highest: "max" },
        name: "r.target_id || ' ' || (select coalesce(string_agg(value, ' ' order by key), '') from jsonb_each_text(r.labels))",
        raw: samples("samples", "s.time", "avg(s.value)", "max(s.value)"),
        hourly: samples("samples_hourly", "s.bucket", "sum(s.avg * s.count) / nullif(sum(s.count), 0)", "max(s.max)"),
        daily: samples("samples_daily", "s.bucket", "sum(s.avg * s.count) / nullif(sum(s.count), 0)", "max(s.max)"),
      }),
    ),
  ],
});

/** Observations an hour of one table. */
function observed(name: "drones" | "signals") {
  const rolled = (tier: string) => ({
    ...{ table: `${name}_${tier}`, time: "bucket" },
    values: [`sum(total_detections) ${PER_HOUR}`],
  });
  const raw = { table: name, time: "time", values: [`count(*) ${PER_HOUR}`] };
  return series(tiered({ raw, hourly: rolled("hourly"), daily: rolled("daily"), values: { [name]: "sum" } }));
}

const detections = timeseries({
  title: "Observations of all kits",
  description: "Rows of drones and signals an hour, of all kits: hours for weeks, days for years.",
  ...{ w: 24, h: 8, unit: UNITS.Short, decimals: 0, interval: "1m", bars: true },
  queries: [observed("drones"), observed("signals")],
});

const kept = table({
  title: "What is kept",
  description:
    "From when on the database has each kind of row; older ones were rolled up or deleted, as the retention settings say.",
  ...{ w: 24, h: 8 },
  queries: [
    rows(`
      select 'drones' as "Rows", (select min(time) from drones) as "From", (select max(time) from drones) as "To"
      union all select 'signals', (select min(time) from signals), (select max(time) from signals)
      union all select 'drones, hourly', (select min(bucket) from drones_hourly), (select max(bucket) from drones_hourly)
      union all select 'drones, daily', (select min(bucket) from drones_daily), (select max(bucket) from drones_daily)
      union all select 'executions', (select min(started_at) from plugin_executions), (select max(started_at) from plugin_executions)
      union all select 'changes of state', (select min(time) from health_events), (select max(time) from health_events)
      union all select 'alert history', (select min(time) from alert_history), (select max(time) from alert_history)
      limit 20`),
  ],
});

/** What happened: runs, changes of state, alerts, refused rows, and any metric over years. */
export const history: Definition = {
  uid: UIDS.history,
  title: "gleaner / History",
  description: "What happened: runs, changes of state, alerts, refused rows, and any metric over years.",
  range: "24h",
  refresh: "1m",
  variables: [
    ...BOTH,
    rowVariable({
      ...{ name: "metric", label: "Metric", description: "The metric of the graph for years; counters are left out." },
      sql: String.raw`
        select metric_name as "__value", metric_name as "__text"
        from (select distinct metric_name from series where metric_name not like '%\_total') as gauges
        order by metric_name <> 'memory_used_ratio', metric_name limit 2000`,
    }),
    rowVariable({
      ...{ name: "target", label: "Target", description: "Targets of the graph for years.", multi: true },
      sql: `
        select target_id as "__value", target_id as "__text"
        from (select distinct target_id from series where metric_name = ${METRIC}) as targets order by 1 limit 2000`,
    }),
  ],
  annotations: [transitions(NEWS)],
  tiles: [executions, changes, success, transitionsTable, failed, alerts, deadLetters, oneMetric],
  folded: [{ title: "Observations, and what is kept", tiles: [detections, kept] }],
};
