import type { MetricSpec } from "../../model/sample.ts";
import { CONNECTIONS, LAG, MEMBER_DOWN } from "./alerts.ts";

/** Members of a replica set at most (the server's own limit), and databases that have series of their own. */
export const MAX_MEMBERS = 50;
export const MAX_DATABASES = 128;

const counter = { type: "counter" } as const;
const bytes = { unit: "bytes" } as const;
const operation = { ...counter, labels: ["operation"], maxSeries: 6 } as const;
const member = { labels: ["member"], maxSeries: MAX_MEMBERS } as const;
const database = { labels: ["database"], maxSeries: MAX_DATABASES } as const;

/** What mongodb_monitor brings back. */
export const METRICS = {
  mongodb_info: {
    help: "Version and process of the server.",
    unit: "info",
    labels: ["version", "process"],
    maxSeries: 1,
  },
  mongodb_uptime_seconds: { help: "Time since the server started.", unit: "seconds" },
  mongodb_connections: {
    help: "Connections of clients by state: current ones, those among them that are active, and those still available.",
    labels: ["state"],
  },
  mongodb_connections_used_ratio: {
    help: "Share of the accepted connections in use.",
    unit: "ratio",
    alert: CONNECTIONS,
  },
  mongodb_connections_opened_total: { ...counter, help: "Connections opened." },
  mongodb_operations_total: { ...operation, help: "Operations that clients asked for." },
  mongodb_replicated_operations_total: { ...operation, help: "Operations applied to follow the primary." },
  mongodb_documents_total: { ...operation, help: "Documents returned and changed." },
  mongodb_latency_seconds_total: { ...counter, help: "Time spent on operations.", unit: "seconds", labels: ["kind"] },
  mongodb_timed_operations_total: { ...counter, help: "Operations whose time was taken.", labels: ["kind"] },
  mongodb_queued_operations: { help: "Operations that wait for a lock.", labels: ["kind"] },
  mongodb_active_clients: { help: "Clients with an operation under way.", labels: ["kind"] },
  mongodb_cursors_open: { help: "Cursors that are open." },
  mongodb_cursors_timed_out_total: { ...counter, help: "Cursors closed because their client did not come back." },
  mongodb_requests_total: { ...counter, help: "Requests received." },
  mongodb_receive_bytes_total: { ...counter, ...bytes, help: "Bytes received." },
  mongodb_transmit_bytes_total: { ...counter, ...bytes, help: "Bytes sent." },
  mongodb_assertions_total: { ...counter, help: "Assertions raised.", labels: ["kind"] },
  mongodb_page_faults_total: { ...counter, help: "Page faults of the process." },
  mongodb_memory_resident_bytes: { ...bytes, help: "Memory of the process that is in RAM." },
  mongodb_memory_virtual_bytes: { ...bytes, help: "Address space of the process." },
  mongodb_cache_bytes: { ...bytes, help: "Data in the storage engine's cache." },
  mongodb_cache_dirty_bytes: { ...bytes, help: "Data in the storage engine's cache that is still to be written." },
  mongodb_cache_limit_bytes: { ...bytes, help: "Size of the storage engine's cache." },
  mongodb_primary: { help: "Whether the server takes writes: a primary, a lone server, or a router." },
  mongodb_replication_lag_seconds: {
    help: "How far this secondary is behind its primary; absent elsewhere.",
    unit: "seconds",
  },
  mongodb_members: { help: "Members of the replica set in each state.", labels: ["state"] },
  mongodb_member_up: { ...member, help: "Whether this server sees the member of its replica set.", alert: MEMBER_DOWN },
  mongodb_member_lag_seconds: {
    ...member,
    help: "How far each secondary is behind the primary.",
    unit: "seconds",
    alert: LAG,
  },
  mongodb_databases: { help: "Databases." },
  mongodb_database_disk_bytes: { ...database, ...bytes, help: "Disk space of the database with its indexes." },
  mongodb_database_data_bytes: { ...database, ...bytes, help: "Uncompressed size of the documents." },
  mongodb_database_index_bytes: { ...database, ...bytes, help: "Disk space of the indexes." },
  mongodb_database_collections: { ...database, help: "Collections of the database." },
  mongodb_database_documents: { ...database, help: "Documents of the database." },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
