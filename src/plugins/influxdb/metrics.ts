import type { AlertSpec } from "../../model/alert.ts";
import type { MetricSpec } from "../../model/sample.ts";

const UNHEALTHY: readonly AlertSpec[] = [
  {
    name: "influxdb_unhealthy",
    op: "lt",
    threshold: 1,
    for: "2m",
    severity: "error",
    summary: "{target} says that it is not healthy.",
    runbook: {
      meaning: "InfluxDB answers, and `/health` has not said `pass` for 2 minutes.",
      impact: "Writes or queries fail, or both.",
      check: ["`curl http://<server>:8086/health`: its message says what is wrong.", "The server's log, and its disk."],
      fix: ["Mend what it names; a restart reads all shards again, which takes a while."],
    },
  },
];

const counter = { type: "counter" } as const;
const database = { labels: ["database"], maxSeries: 128 } as const;

/** What influxdb_monitor brings back. What 1.x calls a database is a bucket in 2.x. */
export const METRICS = {
  influxdb_info: { help: "Version of the server.", unit: "info", labels: ["version"], maxSeries: 1 },
  influxdb_ping_seconds: { help: "How long the server took to answer a ping.", unit: "seconds" },
  influxdb_healthy: { help: "Whether the server says that it is healthy (2.x).", alert: UNHEALTHY },
  influxdb_uptime_seconds: { help: "Time since the server started.", unit: "seconds" },
  influxdb_databases: { help: "Databases, or buckets in 2.x." },
  influxdb_series: { ...database, help: "Series of the database or bucket." },
  influxdb_measurements: { ...database, help: "Measurements of the database or bucket." },
  influxdb_disk_bytes: {
    ...database,
    help: "Disk space that the shards of the database or bucket take.",
    unit: "bytes",
  },
  influxdb_requests_total: { ...counter, help: "HTTP requests." },
  influxdb_client_errors_total: { ...counter, help: "HTTP requests answered with 4xx." },
  influxdb_server_errors_total: { ...counter, help: "HTTP requests answered with 5xx." },
  influxdb_write_requests_total: { ...counter, help: "Requests to write." },
  influxdb_write_seconds_total: { ...counter, help: "Time spent on requests to write.", unit: "seconds" },
  influxdb_query_requests_total: { ...counter, help: "Queries over HTTP." },
  influxdb_query_seconds_total: { ...counter, help: "Time spent on queries over HTTP.", unit: "seconds" },
  influxdb_queries_active: { help: "Queries that are running." },
  influxdb_points_written_total: { ...counter, help: "Points written." },
  influxdb_points_dropped_total: { ...counter, help: "Points dropped out of writes that otherwise succeeded." },
  influxdb_points_failed_total: { ...counter, help: "Points of writes that failed." },
  influxdb_authentication_failures_total: { ...counter, help: "Requests with wrong credentials (1.x)." },
  influxdb_memory_bytes: { help: "Memory that the server has from the system.", unit: "bytes" },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;

/** Databases that have series of their own; the caps above are the same. */
export const MAX_DATABASES = 128;
