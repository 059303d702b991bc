import type { Sample } from "../../model/sample.ts";
import { type Mapping, sample, samplesOf } from "../client/mapping.ts";
import type { Metric } from "./metrics.ts";

/** INFO as a record: `key:value` lines; section titles and blank lines left out. */
export function parseInfo(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const colon = line.indexOf(":");
    return line.startsWith("#") || colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
  });
  return Object.fromEntries(pairs);
}

const FIELDS: readonly Mapping<Metric>[] = [
  { from: "uptime_in_seconds", to: "redis_uptime_seconds" },
  { from: "connected_clients", to: "redis_connected_clients" },
  { from: "blocked_clients", to: "redis_blocked_clients" },
  { from: "maxclients", to: "redis_max_clients" },
  { from: "used_memory", to: "redis_memory_used_bytes" },
  { from: "used_memory_rss", to: "redis_memory_rss_bytes" },
  { from: "used_memory_peak", to: "redis_memory_peak_bytes" },
  { from: "maxmemory", to: "redis_memory_max_bytes" },
  { from: "total_connections_received", to: "redis_connections_received_total" },
  { from: "rejected_connections", to: "redis_connections_rejected_total" },
  { from: "total_commands_processed", to: "redis_commands_total" },
  { from: "total_error_replies", to: "redis_error_replies_total" },
  { from: "total_net_input_bytes", to: "redis_receive_bytes_total" },
  { from: "total_net_output_bytes", to: "redis_transmit_bytes_total" },
  { from: "keyspace_hits", to: "redis_keyspace_hits_total" },
  { from: "keyspace_misses", to: "redis_keyspace_misses_total" },
  { from: "expired_keys", to: "redis_expired_keys_total" },
  { from: "evicted_keys", to: "redis_evicted_keys_total" },
  { from: "loading", to: "redis_loading" },
  { from: "rdb_last_save_time", to: "redis_last_save_timestamp_seconds" },
  { from: "rdb_changes_since_last_save", to: "redis_changes_since_last_save" },
  { from: "aof_enabled", to: "redis_aof_enabled" },
  { from: "connected_slaves", to: "redis_replicas" },
  { from: "master_last_io_seconds_ago", to: "redis_primary_last_heard_seconds" },
  { from: "used_cpu_sys", to: "redis_cpu_seconds_total", labels: { mode: "system" } },
  { from: "used_cpu_user", to: "redis_cpu_seconds_total", labels: { mode: "user" } },
];

/** Fields that are one word when all is well. */
const WELL: readonly (readonly [string, string, Metric])[] = [
  ["role", "master", "redis_primary"],
  ["rdb_last_bgsave_status", "ok", "redis_last_save_ok"],
  ["aof_last_write_status", "ok", "redis_aof_last_write_ok"],
  ["master_link_status", "up", "redis_primary_link_up"],
];

/** Everything that INFO tells, in samples. Versions that lack a field bring fewer. */
export function samplesOfInfo(info: Readonly<Record<string, string>>): Sample<Metric>[] {
  const version = info["valkey_version"] ?? info["redis_version"] ?? "unknown";
  const labels = { version: version.slice(0, 80), mode: (info["redis_mode"] ?? "unknown").slice(0, 80) };
  return [
    sample("redis_info", 1, labels),
    ...samplesOf(info, FIELDS),
    ...WELL.flatMap(([field, well, metric]) => (field in info ? [sample(metric, info[field] === well ? 1 : 0)] : [])),
    ...Object.entries(info).flatMap(keysOf),
  ];
}

/** `db0` and `keys=8,expires=2,avg_ttl=0`. */
function keysOf([name, value]: [string, string]): Sample<Metric>[] {
  const found = /^db\d{1,5}$/.test(name) ? /^keys=(\d+),expires=(\d+)/.exec(value) : null;
  if (!found) return [];
  const database = { database: name.slice(2) };
  return [sample("redis_keys", Number(found[1]), database), sample("redis_keys_expiring", Number(found[2]), database)];
}
