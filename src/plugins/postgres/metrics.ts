import type { MetricSpec } from "../../model/sample.ts";
import { CONNECTIONS, WRAPAROUND } from "./alerts.ts";

const database = { labels: ["database"], maxSeries: 128 } as const;
const counter = { ...database, type: "counter" } as const;

/** What postgres_monitor brings back. */
export const METRICS = {
  postgres_info: { help: "Version of the server.", unit: "info", labels: ["version"], maxSeries: 1 },
  postgres_start_time_seconds: { help: "When the server started.", unit: "seconds" },
  postgres_standby: { help: "Whether the server is a standby that replays another's changes." },
  postgres_max_connections: { help: "Connections that the server accepts at most." },
  postgres_connections: { help: "Client connections in each state, gleaner's own left out.", labels: ["state"] },
  postgres_connections_used_ratio: {
    help: "Share of the accepted connections that clients hold.",
    unit: "ratio",
    alert: CONNECTIONS,
  },
  postgres_connections_blocked: { help: "Client connections that wait for a lock." },
  postgres_longest_transaction_seconds: { help: "Age of the oldest open transaction.", unit: "seconds" },
  postgres_longest_query_seconds: {
    help: "How long the longest of the running queries has been running.",
    unit: "seconds",
  },
  postgres_database_size_bytes: { ...database, help: "Size of the database on disk.", unit: "bytes" },
  postgres_database_connections: { ...database, help: "Backends connected to the database." },
  postgres_commits_total: { ...counter, help: "Transactions committed." },
  postgres_rollbacks_total: { ...counter, help: "Transactions rolled back." },
  postgres_blocks_hit_total: { ...counter, help: "Blocks that were found in shared buffers." },
  postgres_blocks_read_total: { ...counter, help: "Blocks that had to be read." },
  postgres_cache_hit_ratio: {
    help: "Share of block requests of all databases that shared buffers served, since statistics were reset.",
    unit: "ratio",
  },
  postgres_rows_total: {
    help: "Rows returned, fetched, inserted, updated and deleted.",
    type: "counter",
    labels: ["database", "operation"],
    maxSeries: 640,
  },
  postgres_deadlocks_total: { ...counter, help: "Deadlocks detected." },
  postgres_conflicts_total: { ...counter, help: "Queries cancelled on a standby because of recovery." },
  postgres_temp_files_total: { ...counter, help: "Temporary files that queries created." },
  postgres_temp_bytes_total: { ...counter, help: "Bytes written to temporary files.", unit: "bytes" },
  postgres_checksum_failures_total: { ...counter, help: "Pages whose checksum was wrong, where checksums are on." },
  postgres_locks: { help: "Locks held, by mode.", labels: ["mode"] },
  postgres_locks_waiting: { help: "Locks that are waited for." },
  postgres_transaction_id_age: {
    help: "Transactions since the oldest that is not frozen, over all databases; at 2^31 the server stops.",
    alert: WRAPAROUND,
  },
  postgres_replicas: { help: "Replicas that are connected." },
  postgres_replica_behind_bytes: {
    help: "How far a replica's replay is behind in bytes of WAL.",
    unit: "bytes",
    labels: ["replica"],
    maxSeries: 128,
  },
  postgres_replica_lag_seconds: {
    help: "How far a replica's replay is behind in time.",
    unit: "seconds",
    labels: ["replica"],
    maxSeries: 128,
  },
  postgres_replication_lag_seconds: {
    help: "On a standby, the age of the newest replayed transaction; 0 when all that was received is replayed.",
    unit: "seconds",
  },
  postgres_replication_slot_active: {
    help: "Whether somebody reads the replication slot.",
    labels: ["slot"],
    maxSeries: 128,
  },
  postgres_replication_slot_retained_bytes: {
    help: "WAL that is kept for the replication slot.",
    unit: "bytes",
    labels: ["slot"],
    maxSeries: 128,
  },
  postgres_checkpoints_total: { help: "Checkpoints, on time and requested.", type: "counter", labels: ["kind"] },
  postgres_wal_bytes_total: { help: "WAL generated.", type: "counter", unit: "bytes" },
  postgres_wal_archived_total: { help: "WAL files archived.", type: "counter" },
  postgres_wal_archive_failures_total: { help: "Failed attempts to archive a WAL file.", type: "counter" },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
