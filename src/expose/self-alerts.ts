import type { Alert, AlertGroup } from "../model/alert.ts";
import { STORE_ALERTS } from "./store-alerts.ts";

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

const RUNS_LATE: Alert = {
  ...here,
  id: "runs_late",
  title: "Runs begin late",
  query: "min by (instance) (gleaner_schedule_on_time_ratio)",
  op: "lt",
  threshold: 0.9,
  for: "10m",
  keepFiringFor: "10m",
  severity: "warning",
  summary: "Only {value:percent} of the runs that are due begin on time.",
  runbook: {
    meaning:
      "For ten minutes more than a tenth of the due runs began more than 0.1 s late, or did not happen because the one before was still under way.",
    impact: "Kits and targets are looked at less often than configured, and gaps appear in their data.",
    check: [
      '`topk(5, increase(gleaner_job_skipped_total{reason="overlap"}[10m]))`: jobs that take longer than their interval.',
      "`gleaner_event_loop_lag_seconds`: late as well, and gleaner has more to do than it gets done; not late, and runs wait for a free place.",
    ],
    fix: [
      "A job that takes longer than its interval: a longer `interval`, or a shorter `timeout`.",
      "Runs that wait for a free place: raise `scheduler.max_concurrent`, or `kits.max_concurrent`.",
      "A busy event loop: as for [event_loop_lag](#event_loop_lag).",
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

const PLUGINS_FAILED: Alert = {
  ...here,
  id: "plugins_failed",
  title: "Plugins not in force",
  query: "sum by (instance) (gleaner_plugins_failed) + sum by (instance) (gleaner_plugin_changes_refused)",
  op: "gt",
  threshold: 0,
  for: "5m",
  severity: "warning",
  summary: "{value} plugins are not in force as they are configured.",
  runbook: {
    meaning: "An external plugin cannot be loaded, or a plugin's row in the database is not usable.",
    impact:
      "Nothing is collected by an external plugin that is not there; a row that is not usable leaves the old one in force.",
    check: ["`gleaner plugins list`, and the log: each is named with the reason.", "`gleaner check`."],
    fix: [
      "Install or mend the plugin; it is tried again.",
      "Correct the row, or delete it: gleaner.yaml is the seed of the next one.",
    ],
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
    ...STORE_ALERTS,
    VALUES_REJECTED,
    EVENT_LOOP,
    RUNS_LATE,
    CARDINALITY,
    RELOAD,
    PLUGINS_FAILED,
    COMPONENT_CRITICAL,
  ],
};
