import type { MetricSpec } from "../../model/sample.ts";
import { CONNECTIONS, LAG, replication } from "./alerts.ts";

const counter = { type: "counter" } as const;
const channel = { labels: ["channel"], maxSeries: 64 } as const;
const database = { labels: ["database"], maxSeries: 128 } as const;

/** What mysql_monitor brings back. */
export const METRICS = {
  mysql_info: { help: "Version of the server.", unit: "info", labels: ["version"], maxSeries: 1 },
  mysql_uptime_seconds: { help: "Time since the server started.", unit: "seconds" },
  mysql_read_only: { help: "Whether ordinary users cannot write." },
  mysql_threads_connected: { help: "Connections open now, gleaner's too." },
  mysql_threads_running: { help: "Connections that are doing something, gleaner's too." },
  mysql_max_connections: { help: "Connections that the server accepts at most." },
  mysql_connections_used_ratio: {
    help: "Share of the accepted connections in use.",
    unit: "ratio",
    alert: CONNECTIONS,
  },
  mysql_max_used_connections: { help: "Most connections that were open at once since the start." },
  mysql_queries_total: { ...counter, help: "Statements executed, those within stored programs too." },
  mysql_questions_total: { ...counter, help: "Statements that clients sent." },
  mysql_slow_queries_total: { ...counter, help: "Queries that took longer than long_query_time." },
  mysql_commands_total: { ...counter, help: "Statements by command.", labels: ["command"], maxSeries: 8 },
  mysql_connections_total: { ...counter, help: "Attempts to connect, successful or not." },
  mysql_aborted_clients_total: { ...counter, help: "Clients that went without closing their connection." },
  mysql_aborted_connects_total: { ...counter, help: "Attempts to connect that failed or were refused." },
  mysql_receive_bytes_total: { ...counter, help: "Bytes received from clients.", unit: "bytes" },
  mysql_transmit_bytes_total: { ...counter, help: "Bytes sent to clients.", unit: "bytes" },
  mysql_innodb_buffer_pool_size_bytes: { help: "Size of InnoDB's buffer pool.", unit: "bytes" },
  mysql_innodb_buffer_pool_hit_ratio: {
    help: "Share of InnoDB's page requests that its buffer pool served, since the start.",
    unit: "ratio",
  },
  mysql_innodb_buffer_pool_pages: { help: "Pages of InnoDB's buffer pool by use.", labels: ["state"] },
  mysql_innodb_buffer_pool_dirty_pages: { help: "Pages of InnoDB's buffer pool that are still to be written." },
  mysql_innodb_buffer_pool_read_requests_total: { ...counter, help: "Pages asked of InnoDB's buffer pool." },
  mysql_innodb_buffer_pool_reads_total: { ...counter, help: "Pages that InnoDB had to read from disk." },
  mysql_handlers_total: {
    ...counter,
    help: "Requests to storage engines, by operation; many of read_rnd_next are scans of whole tables.",
    labels: ["operation"],
    maxSeries: 12,
  },
  mysql_innodb_row_lock_waits_total: { ...counter, help: "Waits for a row lock." },
  mysql_innodb_row_lock_wait_seconds_total: { ...counter, help: "Time spent waiting for row locks.", unit: "seconds" },
  mysql_innodb_row_lock_waiting: { help: "Row locks waited for now." },
  mysql_innodb_deadlocks_total: { ...counter, help: "Deadlocks, where the server counts them." },
  mysql_temp_tables_total: { ...counter, help: "Temporary tables that statements made." },
  mysql_temp_disk_tables_total: { ...counter, help: "Temporary tables that statements made on disk." },
  mysql_open_tables: { help: "Tables open now." },
  mysql_opened_tables_total: { ...counter, help: "Tables opened." },
  mysql_table_locks_waited_total: { ...counter, help: "Table locks that had to be waited for." },
  mysql_replica_receiving: {
    ...channel,
    help: "Whether the replica receives changes of its source, by channel.",
    alert: replication("mysql_replica_not_receiving", "receives no changes of its source"),
  },
  mysql_replica_applying: {
    ...channel,
    help: "Whether the replica applies what it received, by channel.",
    alert: replication("mysql_replica_not_applying", "does not apply what it received"),
  },
  mysql_replication_lag_seconds: {
    ...channel,
    help: "How far the replica is behind its source, by channel; absent while replication is stopped.",
    unit: "seconds",
    alert: LAG,
  },
  mysql_database_size_bytes: { ...database, help: "Data and indexes of the database.", unit: "bytes" },
  mysql_database_tables: { ...database, help: "Tables of the database." },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
