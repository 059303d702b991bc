import type { Alert, AlertGroup } from "../model/alert.ts";

const STORE_LOOK = [
  "The log: one line when writing began to fail, with the database's own message.",
  "`curl -s http://127.0.0.1:9470/-/ready` says why the store cannot be written.",
  "`gleaner check` tries the database with the configured address and user.",
];
const here = { labels: ["instance"] } as const;

const DOWN: Alert = {
  ...here,
  id: "gleaner_down",
  title: "gleaner down",
  // 0 when Prometheus cannot scrape it, and also when Prometheus knows no such target at all.
  query: 'up{job="gleaner"} or absent(up{job="gleaner"}) - 1',
  op: "lt",
  threshold: 1,
  for: "1m",
  // A notification cannot be recorded while gleaner is down: it must still fire when it is back.
  keepFiringFor: "5m",
  severity: "critical",
  firesOnNoData: true,
  summary: "gleaner does not answer Prometheus.",
  description:
    "Prometheus has not been able to scrape gleaner ({instance}) for a minute, or has no scrape job named gleaner.",
  runbook: {
    meaning: "The scrape of gleaner's /metrics fails, or Prometheus has no job `gleaner`.",
    impact:
      "Probably nothing is collected. Every other alert on gleaner's metrics is blind until it is back, and those that fire end.",
    check: [
      "`systemctl status gleaner`, or `docker compose ps gleaner` and `docker compose logs --tail 50 gleaner`.",
      "`curl -s http://127.0.0.1:9470/-/healthy` on its host.",
      "Prometheus, Status > Targets: `401` means the token, `connection refused` the process, a time-out the network.",
    ],
    fix: [
      "Start it; it says in one sentence why it cannot. What waits in the spool is not lost.",
      "Give Prometheus the token of gleaner (`credentials_file`).",
      "The job has another name: call it `gleaner`, or change the rules with `gleaner generate`.",
    ],
  },
};

const STORE_DOWN: Alert = {
  ...here,
  id: "store_down",
  title: "Database down",
  query: "min by (instance) (gleaner_store_up)",
  op: "lt",
  threshold: 1,
  for: "2m",
  keepFiringFor: "2m",
  severity: "critical",
  summary: "gleaner cannot write its database.",
  description: "The last writes of {instance} failed; what is collected is kept in the spool.",
  runbook: {
    meaning:
      "The database does not take what is written: it is down, unreachable, read-only, full, or refuses the user.",
    impact:
      "Nothing is lost until the spool is full (`store.spool.max_bytes`, 2 GiB by default). SQL panels show nothing new; /metrics goes on.",
    check: [...STORE_LOOK, "`gleaner_spool_bytes` and `gleaner_store_pending_rows`: how much waits."],
    fix: [
      "Start the database, free its disk, or correct `DATABASE_URL`; gleaner needs no restart.",
      "A fail-over left it read-only: point gleaner at the new primary.",
    ],
  },
};

const SPOOL_GROWING: Alert = {
  ...here,
  id: "spool_growing",
  title: "Spool growing",
  query: "max by (instance) (deriv(gleaner_spool_bytes[15m]))",
  op: "gt",
  threshold: 1_024,
  for: "15m",
  severity: "warning",
  summary: "The spool grows by {value:bytes} a second.",
  description: "More is collected by {instance} than the database takes; the spool has grown for half an hour.",
  runbook: {
    meaning: "Rows come faster than the database takes them, or it takes none.",
    impact:
      "Panels that read the database lag behind. When the spool is full the oldest rows are given up, or collecting pauses.",
    check: [
      "`gleaner_store_up`; if it is 0 see [store_down](#store_down).",
      "`rate(gleaner_rows_taken_total[5m])` against `sum(rate(gleaner_store_rows_total[5m]))`: is there more than before?",
      "The database's own load: locks, a running backup, a slow disk.",
      "`predict_linear(gleaner_spool_bytes[1h], 6 * 3600)` against `store.spool.max_bytes`.",
    ],
    fix: [
      "Relieve the database; give it a faster disk or more memory.",
      "Collect less often (`interval`, `poll_interval`), or leave devices out.",
      "Raise `store.spool.max_bytes` while it lasts.",
    ],
  },
};

const SPOOL_OLD: Alert = {
  ...here,
  id: "spool_old",
  title: "Spool old",
  // 0 while the spool is empty.
  query:
    "max by (instance) ((time() - gleaner_spool_oldest_timestamp_seconds) * (gleaner_spool_oldest_timestamp_seconds > bool 0))",
  op: "gt",
  threshold: 900,
  for: "5m",
  severity: "warning",
  summary: "The oldest rows have waited {value:duration} for the database.",
  runbook: {
    meaning: "What was collected that long ago is not in the database yet.",
    impact: "Panels that read the database lack that much. Nothing is lost until the spool is full.",
    check: [...STORE_LOOK, "`gleaner_store_errors_total`: does writing fail, or is it slow?"],
    fix: ["As for [store_down](#store_down) and [spool_growing](#spool_growing)."],
  },
};

const ROWS_DROPPED: Alert = {
  labels: ["reason"],
  id: "rows_dropped",
  title: "Rows dropped",
  query: "sum by (reason) (increase(gleaner_rows_dropped_total[15m]))",
  op: "gt",
  threshold: 0,
  for: "0s",
  severity: "critical",
  summary: "About {value} good rows were given up: {reason}.",
  runbook: {
    meaning:
      "Rows are lost. `spool_full`: no room was left in the spool. `memory_full`: neither spool nor database took anything. `spool_damaged`: the spool's file was damaged. `closed`: gleaner was stopped before they were durable.",
    impact: "These rows are gone for good.",
    check: [
      "The log names reason and number at the time.",
      "`df` of `data_dir`, and `gleaner_spool_bytes` against `store.spool.max_bytes`.",
      "The kernel's log for errors of the disk.",
    ],
    fix: [
      "Bring the database back, see [store_down](#store_down).",
      "Free space in `data_dir`; replace a disk that reports errors.",
      "`store.spool.when_full: block` stops collecting instead of giving up the oldest rows.",
    ],
  },
};

const ROWS_REFUSED: Alert = {
  labels: ["reason"],
  id: "rows_refused",
  title: "Rows refused",
  query: 'sum by (reason) (increase(gleaner_rows_rejected_total{reason=~"dead_letter|unstorable"}[15m]))',
  op: "gt",
  threshold: 0,
  for: "0s",
  severity: "warning",
  summary: "About {value} rows could not be stored: {reason}.",
  runbook: {
    meaning:
      "`dead_letter`: the database refused single rows, which are kept with its reason. `unstorable`: rows without a complete key, which no table takes.",
    impact: "These rows are missing in their tables; the rest was stored.",
    check: ["`gleaner dead-letter list`: the rows, each with the database's reason.", "The log at that time."],
    fix: [
      "Mend the cause (a constraint or trigger added by hand, a damaged index), then `gleaner dead-letter retry --all`.",
      "Rows that nobody needs: `gleaner dead-letter drop --all`.",
    ],
  },
};

const VALUES_REJECTED: Alert = {
  labels: [],
  id: "values_rejected",
  title: "Many values rejected",
  query: "sum(rate(gleaner_rows_rejected_total[15m])) / clamp_min(sum(rate(gleaner_rows_taken_total[15m])), 0.001)",
  op: "gt",
  threshold: 0.2,
  for: "30m",
  severity: "warning",
  summary: "Many values are rejected: {value:percent} of the number of rows taken.",
  description:
    "Single unreadable values are common with field kits; this is more than one for every five rows, for half an hour.",
  runbook: {
    meaning:
      "A source sends much that cannot be used: wrong types, numbers out of range, clocks that are off, metrics or labels a plugin does not declare.",
    impact: "The values are null or missing; the raw ones are kept in the column `extra` of kit tables.",
    check: [
      "`topk(5, rate(gleaner_rows_rejected_total[15m]))`: which reason.",
      "`LOG_LEVEL=debug` logs target, reason and an example of each.",
      "Which kits were updated or added lately?",
    ],
    fix: [
      "`clock_off`, `future_time`, `past_time`: set the kit's clock.",
      "`wrong_type`, `not_an_object` after an update of a kit: report it with a captured answer.",
      "`undeclared_metric`, `undeclared_label`, `too_many_series`: a defect of the plugin, or its cap is too low for this host.",
    ],
  },
};

const EVENT_LOOP: Alert = {
  ...here,
  id: "event_loop_lag",
  title: "Event loop lags",
  query: "max by (instance) (gleaner_event_loop_lag_seconds)",
  op: "gt",
  threshold: 0.25,
  for: "10m",
  keepFiringFor: "10m",
  severity: "warning",
  summary: "gleaner's event loop is late by {value:duration}.",
  runbook: {
    meaning:
      "One in a hundred turns of the event loop is late by more than 250 ms: the process has more to do than one core manages, or does not get that core.",
    impact: "Polls start late, time-outs strike early, and scrapes take long.",
    check: [
      '`rate(process_cpu_seconds_total{job="gleaner"}[5m])`: near 1 is one whole core.',
      "`gleaner_scrape_series` and `gleaner_scrape_duration_seconds`: how large is an exposition, and how many ask for it?",
      "The host: CPU steal and pressure, swapping, limits of the container.",
    ],
    fix: [
      "Give it a core, or lift the container's CPU limit.",
      "Poll less often, or leave out what nobody looks at; scrape less often than every 5 s.",
    ],
  },
};

const CARDINALITY: Alert = {
  labels: [],
  id: "series_limit",
  title: "Too many series",
  query:
    'sum(increase(gleaner_series_dropped_total{reason="series_limit"}[15m])) + sum(increase(gleaner_rows_rejected_total{reason="too_many_series"}[15m]))',
  op: "gt",
  threshold: 0,
  for: "5m",
  severity: "warning",
  summary: "Series are left out because a cap is reached.",
  runbook: {
    meaning: "A metric has more label values than its cap, or all series together are more than the snapshot takes.",
    impact: "Those over the cap are missing in /metrics; memory and Prometheus are safe.",
    check: [
      '`gleaner_scrape_series`, and `topk(10, count by (__name__) ({job="gleaner"}))`.',
      "`LOG_LEVEL=debug` names target and metric.",
    ],
    fix: [
      "Leave devices, mounts or containers out that come and go (`exclude_…` of the plugin).",
      "A label that holds an id is a defect of the plugin: report it.",
    ],
  },
};

const RELOAD: Alert = {
  ...here,
  id: "config_reload_failed",
  title: "Configuration not usable",
  query: "min by (instance) (gleaner_config_last_reload_successful)",
  op: "lt",
  threshold: 1,
  for: "1m",
  severity: "warning",
  summary: "The changed configuration of gleaner is not usable; the old one stays in force.",
  runbook: {
    meaning: "gleaner.yaml or kits.yaml was changed, and cannot be loaded.",
    impact: "gleaner runs on with what it had; at the next start it would refuse to start.",
    check: ["`gleaner check` prints every problem as `file:line:column`.", "The log at the time of the change."],
    fix: ["Correct the file; it is loaded within 30 s, or at once after `kill -HUP`."],
  },
};

const COMPONENT_CRITICAL: Alert = {
  labels: ["component"],
  id: "component_critical",
  title: "Component critical",
  query: 'max by (component) (gleaner_component_health{state="critical"})',
  op: "gt",
  threshold: 0,
  for: "5m",
  keepFiringFor: "2m",
  severity: "critical",
  summary: "{component} is critical.",
  description:
    "{component} has been critical for 5 minutes: a job that has never succeeded, the way to a target whose jobs mostly fail, or a part of gleaner's own.",
  runbook: {
    meaning:
      "`job/<target>/<job>`: no run has succeeded since gleaner watches the target. `target/<target>`: fewer than half of the runs of its jobs succeed, on the mean. `gleaner/store`: the database has been away for two minutes. `gleaner/spool`: it is full, and collecting waits.",
    impact: "Nothing, or too little, is known of that target; with one of gleaner's own parts it is everything.",
    check: [
      "`curl -s http://127.0.0.1:9470/api/health`: the reason, and since when.",
      "`curl -s 'http://127.0.0.1:9470/api/buffers/<target>?limit=20'`: the last runs of each of its jobs.",
      "`select * from health_events where kind = 'component' and id = '<component>' order by time desc limit 20`.",
    ],
    fix: [
      "A job that has never succeeded: address, credentials or rights in gleaner.yaml; `gleaner run <target>` tries once.",
      "`gleaner/store` and `gleaner/spool`: as for [store_down](#store_down).",
    ],
  },
};

/** Alerts on gleaner itself. */
export const SELF_ALERTS: AlertGroup = {
  name: "collector",
  interval: "30s",
  alerts: [
    DOWN,
    STORE_DOWN,
    SPOOL_GROWING,
    SPOOL_OLD,
    ROWS_DROPPED,
    ROWS_REFUSED,
    VALUES_REJECTED,
    EVENT_LOOP,
    CARDINALITY,
    RELOAD,
    COMPONENT_CRITICAL,
  ],
};
