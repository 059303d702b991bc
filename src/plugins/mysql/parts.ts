import type { Sample } from "../../model/sample.ts";
import { type Mapping, numberOf, sample, samplesOf } from "../client/mapping.ts";
import type { Metric } from "./metrics.ts";
import { isMariaDB, type Row, type Session } from "./session.ts";

type Samples = Sample<Metric>[];

const command = (name: string): Mapping<Metric> => ({
  ...{ from: `Com_${name}`, to: "mysql_commands_total", labels: { command: name } },
});
const handler = (operation: string): Mapping<Metric> => ({
  ...{ from: `Handler_${operation}`, to: "mysql_handlers_total", labels: { operation } },
});
const pages = (state: string): Mapping<Metric> => ({
  ...{ from: `Innodb_buffer_pool_pages_${state}`, to: "mysql_innodb_buffer_pool_pages", labels: { state } },
});

/** What the server asks of its storage engines: rows written and changed, and the ways in which rows are read. */
const HANDLERS =
  "write update delete read_first read_last read_key read_next read_prev read_rnd read_rnd_next commit rollback".split(
    " ",
  );

/** Names in SHOW GLOBAL STATUS, and of variables. */
const FIELDS: readonly Mapping<Metric>[] = [
  { from: "Uptime", to: "mysql_uptime_seconds" },
  { from: "read_only", to: "mysql_read_only" },
  { from: "max_connections", to: "mysql_max_connections" },
  { from: "Threads_connected", to: "mysql_threads_connected" },
  { from: "Threads_running", to: "mysql_threads_running" },
  { from: "Max_used_connections", to: "mysql_max_used_connections" },
  { from: "Connections", to: "mysql_connections_total" },
  { from: "Aborted_clients", to: "mysql_aborted_clients_total" },
  { from: "Aborted_connects", to: "mysql_aborted_connects_total" },
  { from: "Queries", to: "mysql_queries_total" },
  { from: "Questions", to: "mysql_questions_total" },
  { from: "Slow_queries", to: "mysql_slow_queries_total" },
  ...["select", "insert", "update", "delete", "replace", "commit", "rollback"].map(command),
  { from: "Bytes_received", to: "mysql_receive_bytes_total" },
  { from: "Bytes_sent", to: "mysql_transmit_bytes_total" },
  { from: "innodb_buffer_pool_size", to: "mysql_innodb_buffer_pool_size_bytes" },
  ...["data", "free", "misc"].map(pages),
  { from: "Innodb_buffer_pool_pages_dirty", to: "mysql_innodb_buffer_pool_dirty_pages" },
  { from: "Innodb_buffer_pool_read_requests", to: "mysql_innodb_buffer_pool_read_requests_total" },
  { from: "Innodb_buffer_pool_reads", to: "mysql_innodb_buffer_pool_reads_total" },
  ...HANDLERS.map(handler),
  { from: "Innodb_row_lock_waits", to: "mysql_innodb_row_lock_waits_total" },
  { from: "Innodb_row_lock_time", to: "mysql_innodb_row_lock_wait_seconds_total", scale: 0.001 },
  { from: "Innodb_row_lock_current_waits", to: "mysql_innodb_row_lock_waiting" },
  { from: "Innodb_deadlocks", to: "mysql_innodb_deadlocks_total" },
  { from: "Created_tmp_tables", to: "mysql_temp_tables_total" },
  { from: "Created_tmp_disk_tables", to: "mysql_temp_disk_tables_total" },
  { from: "Open_tables", to: "mysql_open_tables" },
  { from: "Opened_tables", to: "mysql_opened_tables_total" },
  { from: "Table_locks_waited", to: "mysql_table_locks_waited_total" },
];

const VARIABLES = ["max_connections", "innodb_buffer_pool_size", "read_only"];

/** `Variable_name` and `Value` rows as a record; ON and OFF as 1 and 0. */
function recordOf(rows: readonly Row[]): Readonly<Record<string, string>> {
  const number: Readonly<Record<string, string>> = { ON: "1", OFF: "0", READ_ONLY: "1" };
  return Object.fromEntries(
    rows.map((row) => {
      const value = String(row["Value"]);
      return [String(row["Variable_name"]), number[value] ?? value];
    }),
  );
}

/** What SHOW GLOBAL STATUS and three variables tell; any user may ask for them. */
export async function readStatus({ version, query }: Session): Promise<Samples> {
  const names = VARIABLES.map((name) => `'${name}'`).join(", ");
  const found = recordOf([
    ...(await query("show global status")),
    ...(await query(`show global variables where variable_name in (${names})`)),
  ]);
  const requests = numberOf(found["Innodb_buffer_pool_read_requests"]) ?? 0;
  const reads = numberOf(found["Innodb_buffer_pool_reads"]) ?? 0;
  return [
    sample("mysql_info", 1, { version: version.slice(0, 80) }),
    ...samplesOf(found, FIELDS),
    ...(requests > 0 ? [sample("mysql_innodb_buffer_pool_hit_ratio" as const, Math.max(0, 1 - reads / requests))] : []),
  ];
}

/** The statement that lists all channels of a replica has had three names. */
function replicaStatement(version: string): string {
  if (isMariaDB(version)) return "show all slaves status";
  const [major = 0, minor = 0, patch = 0] = version.split(/[^\d]+/).map(Number);
  const isNew = major > 8 || (major === 8 && (minor > 0 || patch >= 22));
  return isNew ? "show replica status" : "show slave status";
}

/** The first of these columns that is there. */
const column = (row: Row, ...names: readonly string[]): unknown =>
  names.map((name) => row[name]).find((v) => v != null);

const MAX_CHANNELS = 64;

/** State and lag of each channel of a replica; nothing for a server that is none. */
export async function readReplication({ version, query }: Session): Promise<Samples> {
  const rows = await query(replicaStatement(version));
  return rows.slice(0, MAX_CHANNELS).flatMap((row) => {
    const channel = String(column(row, "Connection_name", "Channel_Name") ?? "").slice(0, 128);
    const lag = numberOf(column(row, "Seconds_Behind_Source", "Seconds_Behind_Master"));
    const running = (...names: readonly string[]) => (column(row, ...names) === "Yes" ? 1 : 0);
    return [
      sample("mysql_replica_receiving", running("Replica_IO_Running", "Slave_IO_Running"), { channel }),
      sample("mysql_replica_applying", running("Replica_SQL_Running", "Slave_SQL_Running"), { channel }),
      // NULL while it does not run: unknown, and certainly not 0.
      ...(lag === undefined ? [] : [sample("mysql_replication_lag_seconds" as const, lag, { channel })]),
    ];
  });
}

export const MAX_DATABASES = 128;

const SIZES = `select table_schema as name, count(*) as tables, sum(data_length + index_length) as size
  from information_schema.tables
  where table_schema not in ('information_schema', 'performance_schema', 'mysql', 'sys') and table_type <> 'VIEW'
  group by 1 order by 1 limit ${MAX_DATABASES}`;

/** Size of each database that the user may see. Costs a look at every table. */
export async function readSizes({ query }: Session): Promise<Samples> {
  return (await query(SIZES)).flatMap((row) =>
    samplesOf(
      row,
      [
        { from: "size", to: "mysql_database_size_bytes" as const },
        { from: "tables", to: "mysql_database_tables" as const },
      ],
      { database: String(row["name"]).slice(0, 128) },
    ),
  );
}
