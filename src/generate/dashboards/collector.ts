import type { Definition } from "./assemble.ts";
import { bars, stat, stateTimeline, timeseries } from "./kinds.ts";
import { UIDS } from "./links.ts";
import { falling, NEUTRAL, NONE_WELCOME, rising } from "./panels.ts";
import { metric, now, orNone, prom, rate } from "./queries.ts";
import { COMPONENT_CODES, componentCode, goodBad } from "./states.ts";
import { UNITS } from "./units.ts";
import { COLLECTORS } from "./variables.ts";

const EACH = "{{instance}}";
const by = (how: string, name: string) => `${how} by (instance) (${metric(name)})`;
const perSecond = (name: string, label: string) => `sum by (${label}) (${rate(name)})`;
/** Only the reasons there are at the time: all that could be would fill the legend with zeros. */
const happening = (name: string) => orNone("reason", `${perSecond(name, "reason")} > 0`);
const quantile = (q: number, name: string, labels = "") =>
  `histogram_quantile(${q}, sum by (le${labels}) (${rate(`${name}_bucket`)}))`;

const store = stat({
  title: "Store",
  description: "Whether the database could be written last. While it cannot, everything waits in the spool.",
  ...{ w: 3, h: 4, mappings: [goodBad(["1", "up"], ["0", "down"])], thresholds: NEUTRAL },
  queries: [now(by("min", "gleaner_store_up"), EACH)],
});

const configuration = stat({
  title: "Configuration",
  description: "Whether the last load of the configuration succeeded; when not, the one before it is in force.",
  ...{ w: 3, h: 4, mappings: [goodBad(["1", "loaded"], ["0", "refused"])], thresholds: NEUTRAL },
  queries: [now(by("min", "gleaner_config_last_reload_successful"), EACH)],
});

const onTime = stat({
  title: "On time",
  description: "Share of the last minute's due runs that began within 0.1 seconds.",
  ...{
    w: 3,
    h: 4,
    unit: UNITS.PercentUnit,
    decimals: 2,
    thresholds: falling(0.9, 0.99),
    spark: true,
    noValue: "no runs",
  },
  queries: [prom(`min(${metric("gleaner_schedule_on_time_ratio")})`, "on time")],
});

const lost = stat({
  title: "Rows given up",
  description:
    "Good rows that were dropped in the time range, because neither the database nor the spool could take them.",
  ...{ w: 3, h: 4, unit: UNITS.Short, decimals: 0, thresholds: NONE_WELCOME },
  queries: [now(`sum(increase(${metric("gleaner_rows_dropped_total")}[$__range]))`, "given up")],
});

const waiting = stat({
  title: "Waiting rows",
  description: "Rows taken but not yet in the database. It stays low while the database keeps up.",
  ...{ w: 3, h: 4, unit: UNITS.Short, decimals: 0, thresholds: rising(10_000, 1_000_000), spark: true },
  queries: [prom(`sum(${metric("gleaner_store_pending_rows")})`, "rows")],
});

const lag = stat({
  title: "Event loop",
  description: "How late the event loop is, 99th percentile. Above 0.1 seconds timers and answers wait for something.",
  ...{ w: 3, h: 4, unit: UNITS.Seconds, thresholds: rising(0.1, 0.5), spark: true },
  queries: [prom(`max(${metric("gleaner_event_loop_lag_seconds")})`, "late")],
});

const memory = stat({
  title: "Memory",
  description: "Resident memory of the process.",
  ...{ w: 3, h: 4, unit: UNITS.BytesIEC, thresholds: NEUTRAL, spark: true },
  queries: [prom(`sum(${metric("process_resident_memory_bytes")})`, "resident")],
});

const cpu = stat({
  title: "CPU",
  description: "CPU time of the process: 100 % is one core.",
  ...{ w: 3, h: 4, unit: UNITS.PercentUnit, decimals: 0, thresholds: rising(0.8, 1), spark: true },
  queries: [prom(`sum(${rate("process_cpu_seconds_total")})`, "cores")],
});

const lateness = timeseries({
  title: "Schedule lag",
  description: "How late runs begin. A lag with an idle event loop is a limit of concurrency.",
  ...{ w: 6, h: 7, unit: UNITS.Seconds },
  queries: [
    prom(quantile(0.5, "gleaner_schedule_lag_seconds"), "half within"),
    prom(quantile(0.99, "gleaner_schedule_lag_seconds"), "99 % within"),
    prom(`max(${metric("gleaner_schedule_lag_max_seconds")})`, "latest"),
  ],
});

const durations = timeseries({
  title: "Duration of runs",
  description: "How long runs take, retries and waits included: 95 % within this.",
  ...{ w: 6, h: 7, unit: UNITS.Seconds },
  queries: [
    prom(quantile(0.95, "gleaner_job_duration_seconds", ", plugin, exported_job"), "{{plugin}} {{exported_job}}"),
  ],
});

const runs = timeseries({
  title: "Runs",
  description: "Runs a second, and of them the failed ones by kind and the due ones that were skipped by reason.",
  ...{ w: 6, h: 7, unit: UNITS.CountsPerSecond },
  queries: [
    prom(`sum(${rate("gleaner_job_runs_total")})`, "all"),
    prom(orNone("kind", perSecond("gleaner_job_failures_total", "kind")), "failed: {{kind}}"),
    prom(orNone("reason", perSecond("gleaner_job_skipped_total", "reason")), "skipped: {{reason}}"),
  ],
});

const stored = timeseries({
  title: "Rows stored",
  description: "New rows a second by table, and rows that were stored already, which is harmless.",
  ...{ w: 6, h: 7, unit: UNITS.RowsPerSecond, stacked: true },
  queries: [
    prom(perSecond("gleaner_store_rows_total", "table"), "{{table}}"),
    prom(`sum(${rate("gleaner_store_duplicate_rows_total")})`, "known already"),
  ],
});

const trouble = timeseries({
  title: "Errors, rejected and given up",
  description:
    "Failed writes, rows or values that could not be used, and good rows that were given up, each by reason, a second. The last must be 0.",
  ...{ w: 6, h: 7, unit: UNITS.CountsPerSecond },
  queries: [
    prom(happening("gleaner_store_errors_total"), "error: {{reason}}"),
    prom(happening("gleaner_rows_rejected_total"), "rejected: {{reason}}"),
    prom(happening("gleaner_rows_dropped_total"), "given up: {{reason}}"),
  ],
});

const spool = timeseries({
  title: "Spool",
  description: "What waits on disk for the database, and the age of the oldest. Both go to 0 soon after an outage.",
  ...{ w: 6, h: 7, unit: UNITS.BytesIEC },
  queries: [
    prom(by("sum", "gleaner_spool_bytes"), "size"),
    prom(
      `(time() - ${metric("gleaner_spool_oldest_timestamp_seconds")}) * (${metric("gleaner_spool_oldest_timestamp_seconds")} > bool 0)`,
      "age of the oldest",
    ),
  ],
  fields: [
    {
      matcher: { id: "byName", options: "age of the oldest" },
      properties: [
        { id: "unit", value: UNITS.Seconds },
        { id: "custom.axisPlacement", value: "right" },
      ],
    },
  ],
});

const scrapes = timeseries({
  title: "Cost of scrapes",
  description: "How long an exposition takes to make: the mean, and 99 % within.",
  ...{ w: 6, h: 7, unit: UNITS.Seconds },
  queries: [
    prom(
      `sum(${rate("gleaner_scrape_duration_seconds_sum")}) / sum(${rate("gleaner_scrape_duration_seconds_count")})`,
      "mean",
    ),
    prom(quantile(0.99, "gleaner_scrape_duration_seconds"), "99 % within"),
  ],
});

const cardinality = timeseries({
  title: "Series",
  description:
    "Series in the last exposition, and points a second that were not exposed, by reason: a limit, or two that claim the same series.",
  ...{ w: 6, h: 7, unit: UNITS.Short },
  queries: [
    prom(by("sum", "gleaner_scrape_series"), "series"),
    prom(perSecond("gleaner_series_dropped_total", "reason"), "left out: {{reason}}"),
  ],
});

const components = stateTimeline({
  title: "Health of components",
  description:
    "Jobs of targets that are no kits, the way to targets with several jobs, and the parts of gleaner itself, judged every 30 seconds. /api/health says why.",
  ...{ w: 12, h: 9, mappings: [COMPONENT_CODES], interval: "30s" },
  queries: [prom(componentCode(), "{{component}}")],
});

const success = timeseries({
  title: "Success of jobs",
  description:
    "The ten jobs with the smallest share of runs that did not fail within five minutes. /api/buffers/<target> has the runs.",
  ...{ w: 6, h: 9, unit: UNITS.PercentUnit, max: 1 },
  queries: [
    prom(
      `bottomk(10, min by (target, exported_job) (${metric("gleaner_job_success_ratio", 'window="5m"')}))`,
      "{{target}} {{exported_job}}",
    ),
  ],
});

const buffers = timeseries({
  title: "Memory of buffers",
  description:
    "What the runs of about the last hour take in memory, and the bound. At the bound they reach less far back.",
  ...{ w: 6, h: 9, unit: UNITS.BytesIEC },
  queries: [
    prom(by("sum", "gleaner_buffer_memory_bytes"), "in use"),
    prom(by("sum", "gleaner_buffer_memory_limit_bytes"), "bound"),
  ],
});

const loop = timeseries({
  title: "Event loop and collections of garbage",
  description: "Lateness of the event loop, and the share of time that collecting garbage takes.",
  ...{ w: 8, h: 8, unit: UNITS.Seconds },
  queries: [
    prom(by("max", "gleaner_event_loop_lag_seconds"), "late, 99th percentile"),
    prom(by("max", "nodejs_eventloop_lag_mean_seconds"), "late, mean"),
    prom(`sum by (kind) (${rate("nodejs_gc_duration_seconds_sum")})`, "collecting {{kind}}"),
  ],
});

const heap = timeseries({
  title: "Memory of the process",
  description: "Resident memory and heap. A steady rise over days is a leak.",
  ...{ w: 8, h: 8, unit: UNITS.BytesIEC },
  queries: [
    prom(by("sum", "process_resident_memory_bytes"), "resident"),
    prom(by("sum", "nodejs_heap_size_used_bytes"), "heap in use"),
    prom(by("sum", "nodejs_external_memory_bytes"), "outside the heap"),
  ],
});

const families = bars({
  title: "Largest metrics",
  description: "The ten metrics with the most series.",
  ...{ w: 8, h: 8, unit: UNITS.Short, decimals: 0, min: 0, thresholds: NEUTRAL },
  queries: [now(`sort_desc(topk(10, count by (__name__) (${metric("", '__name__=~"gleaner_.+"')})))`, "{{__name__}}")],
});

const versions = stat({
  title: "Versions",
  description: "What runs: gleaner, its Node, and the platform.",
  ...{ w: 24, h: 3, unit: UNITS.NoUnit, thresholds: NEUTRAL },
  queries: [
    now(
      `max by (instance, version, node_version, platform, arch) (${metric("gleaner_build_info")})`,
      "gleaner {{version}} on Node {{node_version}}, {{platform}} {{arch}}, at {{instance}}",
    ),
  ],
});
/** gleaner about itself: does it come to everything in time, and does all of it arrive? */
export const collector: Definition = {
  uid: UIDS.collector,
  title: "gleaner / Collector",
  description: "gleaner about itself: does it come to everything in time, and does all of it arrive?",
  range: "3h",
  variables: COLLECTORS,
  tiles: [store, configuration, onTime, lost, waiting, lag, memory, cpu].concat(
    [lateness, durations, runs, stored],
    [trouble, spool, scrapes, cardinality],
  ),
  folded: [
    { title: "Components and buffers", tiles: [components, success, buffers] },
    { title: "Process", tiles: [loop, heap, families, versions] },
  ],
};
