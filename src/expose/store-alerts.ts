import type { Alert } from "../model/alert.ts";

const STORE_LOOK = [
  "The log: one line when writing began to fail, with the database's own message.",
  "`curl -s http://127.0.0.1:9470/-/ready` says why the store cannot be written.",
  "`gleaner check` tries the database with the configured address and user.",
];
const here = { labels: ["instance"] } as const;

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

/** Alerts on what becomes of the rows. */
export const STORE_ALERTS: readonly Alert[] = [STORE_DOWN, SPOOL_GROWING, SPOOL_OLD, ROWS_DROPPED, ROWS_REFUSED];
