import type { MetricSpec } from "../../model/sample.ts";
import { LINK, MEMORY, SAVING } from "./alerts.ts";

const database = { labels: ["database"], maxSeries: 64 } as const;
const counter = { type: "counter" } as const;
const bytes = { unit: "bytes" } as const;

/** What redis_monitor brings back. */
export const METRICS = {
  redis_info: { help: "Version and mode of the server.", unit: "info", labels: ["version", "mode"], maxSeries: 1 },
  redis_uptime_seconds: { help: "Time since the server started.", unit: "seconds" },
  redis_connected_clients: { help: "Clients that are connected, gleaner too." },
  redis_blocked_clients: { help: "Clients that wait in a blocking command." },
  redis_max_clients: { help: "Clients that the server accepts at most." },
  redis_connections_received_total: { ...counter, help: "Connections accepted." },
  redis_connections_rejected_total: { ...counter, help: "Connections refused because there were too many." },
  redis_commands_total: { ...counter, help: "Commands processed." },
  redis_error_replies_total: { ...counter, help: "Commands that were answered with an error." },
  redis_receive_bytes_total: { ...counter, ...bytes, help: "Bytes received." },
  redis_transmit_bytes_total: { ...counter, ...bytes, help: "Bytes sent." },
  redis_memory_used_bytes: { ...bytes, help: "Memory that data and buffers take." },
  redis_memory_rss_bytes: { ...bytes, help: "Memory of the process, as the system sees it." },
  redis_memory_peak_bytes: { ...bytes, help: "Highest memory that data and buffers took." },
  redis_memory_max_bytes: { ...bytes, help: "Limit of memory; 0 is none." },
  redis_memory_limit_used_ratio: {
    help: "Share of the memory limit in use, where there is one.",
    unit: "ratio",
    alert: MEMORY,
  },
  redis_keys: { ...database, help: "Keys in each database." },
  redis_keys_expiring: { ...database, help: "Keys with an expiry in each database." },
  redis_keyspace_hits_total: { ...counter, help: "Lookups of keys that were there." },
  redis_keyspace_misses_total: { ...counter, help: "Lookups of keys that were not there." },
  redis_expired_keys_total: { ...counter, help: "Keys that expired." },
  redis_evicted_keys_total: { ...counter, help: "Keys dropped to stay within the memory limit." },
  redis_slowlog_entries: { help: "Entries in the log of slow commands." },
  redis_loading: { help: "Whether the server is still loading its data." },
  redis_last_save_timestamp_seconds: { help: "When the data were last saved to disk (RDB).", unit: "seconds" },
  redis_changes_since_last_save: { help: "Changes since the data were last saved to disk (RDB)." },
  redis_last_save_ok: { help: "Whether the last save to disk (RDB) succeeded.", alert: SAVING },
  redis_aof_enabled: { help: "Whether every change is written to a log (AOF)." },
  redis_aof_last_write_ok: { help: "Whether the last write to the log of changes (AOF) succeeded." },
  redis_primary: { help: "Whether the server is a primary and no replica." },
  redis_replicas: { help: "Replicas that are connected." },
  redis_primary_link_up: { help: "Whether a replica is connected to its primary.", alert: LINK },
  redis_primary_last_heard_seconds: { help: "Time since a replica last heard from its primary.", unit: "seconds" },
  redis_cpu_seconds_total: { ...counter, help: "CPU time used by the server.", unit: "seconds", labels: ["mode"] },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
