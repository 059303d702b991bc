import type { Sample } from "../../model/sample.ts";
import { fieldAt, isRecord, type Mapping, numberOf, sample, samplesOf, textAt } from "../client/mapping.ts";
import { MAX_MEMBERS, type Metric } from "./metrics.ts";

type Samples = Sample<Metric>[];

/** One field for each name, told apart by a label. */
const each = (path: string, names: readonly string[], to: Metric, label: string, scale = 1): Mapping<Metric>[] =>
  names.map((name) => ({ from: path.replace("*", name), to, labels: { [label]: name }, scale }));

const MEBIBYTE = 1024 * 1024;
const OPERATIONS = ["insert", "query", "update", "delete", "getmore", "command"];
const KINDS = ["reads", "writes", "commands"];
const LOCKS = ["readers", "writers"];

/** Fields of serverStatus (MongoDB manual, "serverStatus"); memory is told in MiB, latency in microseconds. */
const STATUS: readonly Mapping<Metric>[] = [
  { from: "uptime", to: "mongodb_uptime_seconds" },
  ...each("connections.*", ["current", "available", "active"], "mongodb_connections", "state"),
  { from: "connections.totalCreated", to: "mongodb_connections_opened_total" },
  ...each("opcounters.*", OPERATIONS, "mongodb_operations_total", "operation"),
  ...each("opcountersRepl.*", OPERATIONS, "mongodb_replicated_operations_total", "operation"),
  ...each("metrics.document.*", ["returned", "inserted", "updated", "deleted"], "mongodb_documents_total", "operation"),
  ...each("opLatencies.*.latency", KINDS, "mongodb_latency_seconds_total", "kind", 1e-6),
  ...each("opLatencies.*.ops", KINDS, "mongodb_timed_operations_total", "kind"),
  ...each("globalLock.currentQueue.*", LOCKS, "mongodb_queued_operations", "kind"),
  ...each("globalLock.activeClients.*", LOCKS, "mongodb_active_clients", "kind"),
  { from: "metrics.cursor.open.total", to: "mongodb_cursors_open" },
  { from: "metrics.cursor.timedOut", to: "mongodb_cursors_timed_out_total" },
  { from: "network.numRequests", to: "mongodb_requests_total" },
  { from: "network.bytesIn", to: "mongodb_receive_bytes_total" },
  { from: "network.bytesOut", to: "mongodb_transmit_bytes_total" },
  ...each("asserts.*", ["regular", "warning", "msg", "user"], "mongodb_assertions_total", "kind"),
  { from: "extra_info.page_faults", to: "mongodb_page_faults_total" },
  { from: "mem.resident", to: "mongodb_memory_resident_bytes", scale: MEBIBYTE },
  { from: "mem.virtual", to: "mongodb_memory_virtual_bytes", scale: MEBIBYTE },
  { from: "wiredTiger.cache.bytes currently in the cache", to: "mongodb_cache_bytes" },
  { from: "wiredTiger.cache.tracked dirty bytes in the cache", to: "mongodb_cache_dirty_bytes" },
  { from: "wiredTiger.cache.maximum bytes configured", to: "mongodb_cache_limit_bytes" },
];

/** serverStatus of a mongod or a mongos; what the one has and the other has not is left out. */
export function readStatus(status: unknown): Samples {
  const current = numberOf(fieldAt(status, "connections.current"));
  const available = numberOf(fieldAt(status, "connections.available"));
  return [
    sample("mongodb_info", 1, { version: textAt(status, "version"), process: textAt(status, "process") }),
    ...samplesOf(status, STATUS),
    ...(current !== undefined && available !== undefined && current + available > 0
      ? [sample("mongodb_connections_used_ratio" as const, current / (current + available))]
      : []),
  ];
}

/** States of members (MongoDB manual, "Replica Set Member States") by their numbers. */
const STATES: readonly string[] =
  "startup primary secondary recovering unused startup2 unknown arbiter down rollback removed".split(" ");
const SHOWN = STATES.filter((state) => state !== "unused");
const PRIMARY = 1;
const SECONDARY = 2;

interface Member {
  readonly name: string;
  readonly state: number | undefined;
  readonly isUp: boolean;
  readonly isSelf: boolean;
  /** Time of the last operation it has (ms since 1970). */
  readonly at: number | undefined;
}

function memberOf(record: Readonly<Record<string, unknown>>): Member {
  const at = record["optimeDate"];
  return {
    name: textAt(record, "name", 255),
    state: numberOf(record["state"]),
    isUp: numberOf(record["health"]) === 1,
    isSelf: record["self"] === true,
    at: at instanceof Date ? at.getTime() : undefined,
  };
}

/** replSetGetStatus: the set as this member sees it. Without a primary no lag is known. */
export function readReplicaSet(status: unknown): Samples {
  const list = isRecord(status) && Array.isArray(status["members"]) ? status["members"].filter(isRecord) : [];
  const members = list.slice(0, MAX_MEMBERS).map(memberOf);
  const newest = members.find(({ state }) => state === PRIMARY)?.at;
  const lagOf = ({ state, at, isUp }: Member) =>
    state === SECONDARY && isUp && at !== undefined && newest !== undefined
      ? Math.max(0, newest - at) / 1000
      : undefined;
  return [
    ...SHOWN.map((state) =>
      sample("mongodb_members" as const, members.filter((one) => STATES[one.state ?? -1] === state).length, { state }),
    ),
    ...members.flatMap((one): Samples => {
      const lag = lagOf(one);
      const label = { member: one.name };
      return [
        sample("mongodb_member_up", one.isUp ? 1 : 0, label),
        ...(lag === undefined ? [] : [sample("mongodb_member_lag_seconds" as const, lag, label)]),
        ...(lag === undefined || !one.isSelf ? [] : [sample("mongodb_replication_lag_seconds" as const, lag)]),
      ];
    }),
  ];
}

const DATABASE: readonly Mapping<Metric>[] = [
  { from: "totalSize", to: "mongodb_database_disk_bytes" },
  { from: "dataSize", to: "mongodb_database_data_bytes" },
  { from: "indexSize", to: "mongodb_database_index_bytes" },
  { from: "collections", to: "mongodb_database_collections" },
  { from: "objects", to: "mongodb_database_documents" },
];

/** dbStats of one database. */
export const readDatabase = (name: string, stats: unknown): Samples =>
  samplesOf(stats, DATABASE, { database: name.slice(0, 128) });
