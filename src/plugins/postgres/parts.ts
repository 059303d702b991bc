import type { Rejection, Sample } from "../../model/sample.ts";
import { isRecord, type Mapping, numberOf, sample, samplesOf } from "../client/mapping.ts";
import type { Metric } from "./metrics.ts";

type Samples = Sample<Metric>[];

/** Something that one query tells. A part that fails does not cost the others. */
export interface Part {
  readonly name: string;
  /** Selects one row with one column, `data`, of type jsonb. */
  readonly sql: string;
  /** Versions of the server (server_version_num) that have what it asks for: from, and below. */
  readonly from?: number;
  readonly below?: number;
  /** Total: whatever is not there, or not as expected, brings no sample. */
  read(data: unknown): Samples;
}

/** Databases, replicas and slots that are looked at; the metrics' caps are the same. */
export const MAX_ITEMS = 128;

const SERVER: readonly Mapping<Metric>[] = [
  { from: "started", to: "postgres_start_time_seconds" },
  { from: "max_connections", to: "postgres_max_connections" },
  { from: "standby", to: "postgres_standby" },
  { from: "xid_age", to: "postgres_transaction_id_age" },
];

const server: Part = {
  name: "server",
  sql: `select jsonb_build_object(
    'version', current_setting('server_version'),
    'started', extract(epoch from pg_postmaster_start_time()),
    'max_connections', current_setting('max_connections')::int,
    'standby', pg_is_in_recovery()::int,
    'xid_age', (select max(age(datfrozenxid)) from pg_database)) as data`,
  read: (data) => [
    ...(isRecord(data) ? [sample("postgres_info", 1, { version: String(data["version"]).slice(0, 80) } as const)] : []),
    ...samplesOf(data, SERVER),
  ],
};

/** pg_stat_activity.state, and `hidden`: sessions of others, to a user without pg_monitor. */
const STATES = [
  "active",
  "idle",
  "idle in transaction",
  "idle in transaction (aborted)",
  "fastpath function call",
  "disabled",
  "hidden",
];
const ACTIVITY: readonly Mapping<Metric>[] = [
  { from: "used", to: "postgres_connections_used_ratio" },
  { from: "blocked", to: "postgres_connections_blocked" },
  { from: "transaction", to: "postgres_longest_transaction_seconds" },
  { from: "query", to: "postgres_longest_query_seconds" },
];

/** Of a session that it may not see a role is told nothing but that it is there, and in which database. */
const CLIENTS = `(backend_type = 'client backend' or (backend_type is null and datid is not null))
  and pid <> pg_backend_pid()`;

const activity: Part = {
  name: "activity",
  sql: `select jsonb_build_object(
    'states', (select jsonb_object_agg(state, n) from (
      select coalesce(state, 'hidden') as state, count(*) as n from pg_stat_activity
      where ${CLIENTS} group by 1) s),
    'used', count(*) / current_setting('max_connections')::float8,
    'blocked', count(*) filter (where wait_event_type = 'Lock'),
    'transaction', coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0),
    'query', coalesce(max(extract(epoch from clock_timestamp() - query_start)) filter (where state = 'active'), 0)) as data
    from pg_stat_activity where ${CLIENTS}`,
  read(data) {
    if (!isRecord(data)) return [];
    const counts = isRecord(data["states"]) ? data["states"] : {};
    const connections = STATES.map((state) =>
      sample("postgres_connections" as const, numberOf(counts[state]) ?? 0, { state: snake(state) }),
    );
    return [...connections, ...samplesOf(data, ACTIVITY)];
  },
};

const row = (operation: string) => ({ to: "postgres_rows_total", labels: { operation } }) as const;
const DATABASE: readonly Mapping<Metric>[] = [
  { from: "size", to: "postgres_database_size_bytes" },
  { from: "numbackends", to: "postgres_database_connections" },
  { from: "xact_commit", to: "postgres_commits_total" },
  { from: "xact_rollback", to: "postgres_rollbacks_total" },
  { from: "blks_hit", to: "postgres_blocks_hit_total" },
  { from: "blks_read", to: "postgres_blocks_read_total" },
  { from: "tup_returned", ...row("returned") },
  { from: "tup_fetched", ...row("fetched") },
  { from: "tup_inserted", ...row("inserted") },
  { from: "tup_updated", ...row("updated") },
  { from: "tup_deleted", ...row("deleted") },
  { from: "conflicts", to: "postgres_conflicts_total" },
  { from: "deadlocks", to: "postgres_deadlocks_total" },
  { from: "temp_files", to: "postgres_temp_files_total" },
  { from: "temp_bytes", to: "postgres_temp_bytes_total" },
  { from: "checksum_failures", to: "postgres_checksum_failures_total" },
];

const databases: Part = {
  name: "databases",
  // Whole rows: columns that came with later versions are there by their names or not at all.
  sql: `select jsonb_agg(to_jsonb(s) || jsonb_build_object('size', s.size)) as data from (
    select s.*, case when has_database_privilege(s.datid, 'CONNECT') or pg_has_role('pg_read_all_stats', 'USAGE')
      then pg_database_size(s.datid) end as size
    from pg_stat_database s join pg_database d on d.oid = s.datid
    where d.datallowconn and not d.datistemplate order by s.datname limit ${MAX_ITEMS}) s`,
  read(data) {
    const rows = records(data);
    const hit = sum(rows, "blks_hit");
    const asked = hit + sum(rows, "blks_read");
    return [
      ...rows.flatMap((one) => samplesOf(one, DATABASE, { database: nameOf(one["datname"]) })),
      ...(asked > 0 ? [sample("postgres_cache_hit_ratio" as const, hit / asked)] : []),
    ];
  },
};

const MODES =
  "AccessShare RowShare RowExclusive ShareUpdateExclusive Share ShareRowExclusive Exclusive AccessExclusive SIRead".split(
    " ",
  );

const locks: Part = {
  name: "locks",
  sql: `select jsonb_build_object('waiting', coalesce(sum(n) filter (where not granted), 0),
      'modes', jsonb_object_agg(mode, n) filter (where granted)) as data
    from (select mode, granted, count(*) as n from pg_locks where pid <> pg_backend_pid() group by 1, 2) l`,
  read(data) {
    if (!isRecord(data)) return [];
    const counts = isRecord(data["modes"]) ? data["modes"] : {};
    const held = MODES.map((mode) =>
      sample("postgres_locks" as const, numberOf(counts[`${mode}Lock`]) ?? 0, { mode: snake(mode) }),
    );
    return [...held, ...samplesOf(data, [{ from: "waiting", to: "postgres_locks_waiting" as const }])];
  },
};

const REPLICA: readonly Mapping<Metric>[] = [
  { from: "bytes", to: "postgres_replica_behind_bytes" },
  { from: "seconds", to: "postgres_replica_lag_seconds" },
];

const replication: Part = {
  name: "replication",
  // A standby has nothing to write, so its newest transaction may be old without any lag.
  sql: `select jsonb_build_object(
    'lag', case when not pg_is_in_recovery() then null
      when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
      else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end,
    'count', (select count(*) from pg_stat_replication),
    'replicas', (select jsonb_agg(r) from (
      select application_name as name, coalesce(extract(epoch from max(replay_lag)), 0) as seconds,
        case when not pg_is_in_recovery() then max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) end as bytes
      from pg_stat_replication group by 1 order by 1 limit ${MAX_ITEMS}) r)) as data`,
  read: (data) => [
    ...samplesOf(data, [
      { from: "count", to: "postgres_replicas" as const },
      { from: "lag", to: "postgres_replication_lag_seconds" as const },
    ]),
    ...records(isRecord(data) ? data["replicas"] : undefined).flatMap((one) =>
      samplesOf(one, REPLICA, { replica: nameOf(one["name"]) }),
    ),
  ],
};

const SLOT: readonly Mapping<Metric>[] = [
  { from: "retained", to: "postgres_replication_slot_retained_bytes" },
  { from: "active", to: "postgres_replication_slot_active" },
];

const slots: Part = {
  name: "slots",
  sql: `select jsonb_agg(s) as data from (
    select slot_name as name, active::int as active, pg_wal_lsn_diff(
      case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end, restart_lsn) as retained
    from pg_replication_slots order by 1 limit ${MAX_ITEMS}) s`,
  read: (data) => records(data).flatMap((one) => samplesOf(one, SLOT, { slot: nameOf(one["name"]) })),
};

const checkpoints = (timed: string, requested: string): readonly Mapping<Metric>[] => [
  { from: timed, to: "postgres_checkpoints_total", labels: { kind: "timed" } },
  { from: requested, to: "postgres_checkpoints_total", labels: { kind: "requested" } },
];
const BEFORE_17 = checkpoints("checkpoints_timed", "checkpoints_req");
const SINCE_17 = checkpoints("num_timed", "num_requested");

/** Asks for the one row of a statistics view, as a whole. */
const view = (
  name: string,
  mappings: readonly Mapping<Metric>[],
  versions: Pick<Part, "from" | "below"> = {},
): Part => ({
  ...versions,
  name,
  sql: `select to_jsonb(v) as data from ${name} v`,
  read: (data) => samplesOf(data, mappings),
});

export const PARTS: readonly Part[] = [
  server,
  activity,
  databases,
  locks,
  replication,
  slots,
  view("pg_stat_bgwriter", BEFORE_17, { below: 170_000 }),
  view("pg_stat_checkpointer", SINCE_17, { from: 170_000 }),
  view("pg_stat_wal", [{ from: "wal_bytes", to: "postgres_wal_bytes_total" }], { from: 140_000 }),
  view("pg_stat_archiver", [
    { from: "archived_count", to: "postgres_wal_archived_total" },
    { from: "failed_count", to: "postgres_wal_archive_failures_total" },
  ]),
];

/** What a part that failed leaves behind. */
export const failedPart = ({ name }: Part, error: Error): Rejection => ({
  reason: "part_failed",
  detail: `${name}: ${error.message}`.slice(0, 300),
});

const records = (data: unknown) => (Array.isArray(data) ? data.filter(isRecord) : []);
const sum = (rows: readonly Readonly<Record<string, unknown>>[], key: string) =>
  rows.reduce((total, one) => total + (numberOf(one[key]) ?? 0), 0);
const nameOf = (value: unknown): string => String(value).slice(0, 128);
/** `AccessShare` and `idle in transaction (aborted)` as label values: `access_share`, `idle_in_transaction_aborted`. */
const snake = (text: string): string =>
  text
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z]+/g, "_")
    .replace(/_$/, "")
    .toLowerCase();
