import { once } from "node:events";
import { finished } from "node:stream/promises";
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import type { Pool } from "pg";
import { POSTGRESQL } from "../capabilities.ts";
import { classify } from "../classify.ts";
import { filledColumns, LAYOUTS, type Layout, type StoredRow, type TableRows } from "../rows.ts";
import type { ColumnType, Database } from "../tables.ts";
import { arraysBinary, copyBinary } from "./binary.ts";
import type { Engine, Identity } from "./engine.ts";

/**
 * Rows of one COPY or insert: all of the largest write that the writer makes, because every COPY costs the server a
 * millisecond of its own; no more, because what holds one row that is there already goes again as a whole.
 */
const ROWS_PER_STATEMENT = 5_000;

const UNIQUE_VIOLATION = "23505";

/** Connections, and the optional power to COPY. Without it, rows go by `unnest`. The seam through which tests bring another PostgreSQL. */
export interface PostgresDriver {
  readonly pool: PostgresPool;
  /** Runs `COPY … FROM STDIN` with this body, outside any transaction. */
  copyIn?(statement: string, body: Iterable<Buffer>): Promise<void>;
}

export interface PostgresSettings {
  /** Connection string; not kept, not logged. */
  readonly url: string;
  readonly poolSize: number;
  /** Longest one statement may take, on both sides of the connection (ms). */
  readonly statementTimeout: number;
  /** Longest wait for a lock (ms). */
  readonly lockTimeout: number;
}

/** How much later the client gives up than the server: the server's own error is the better one. */
const CLIENT_GRACE = 1_000;
const CONNECT_TIMEOUT = 10_000;

/**
 * What our sessions need of the server, whatever its defaults.
 * synchronous_commit: what is committed is taken off the spool, so a commit has to be durable, and with `off` it is not.
 * The other values are durable on the server itself, and are its administrator's to choose.
 * Keep-alive: half a COPY of a client that went without a word holds its keys, and the same rows could not be written
 * until the server notices; by default that is after two hours, with this after 25 s. On a unix socket it means nothing.
 */
const SESSION = `
  select set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
         set_config('tcp_keepalives_count', '3', false),
         case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', false) end`;

/** The store's engine on a PostgreSQL driver. */
export function postgresEngine(driver: PostgresDriver): Engine {
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: driver.pool }) });
  return {
    kind: "postgresql",
    capabilities: POSTGRESQL,
    db,
    async insertRows(tables) {
      const stored: Record<string, number> = {};
      for (const table of tables) stored[table.table] = await insertTable(driver, table);
      return stored;
    },
    identity: identityReader(driver.pool),
    // Not kysely's destroy(): it ends only a pool that kysely has used.
    close: () => driver.pool.end(),
  };
}

/** The timeline moves with every fail-over; a standby cannot say the one it is on. */
const IDENTITY = `
  select concat_ws('/', (select system_identifier from pg_control_system()),
                   (select oid from pg_database where datname = current_database()), to_regclass('series')::oid,
                   case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) end) as history,
         concat_ws('/', pg_relation_filenode(to_regclass('series')), pg_relation_filenode(to_regclass('documents'))) as contents`;

/** Asks which database this is, until a server says that it does not know how to tell (not every fork of PostgreSQL does). */
function identityReader(pool: PostgresPool): () => Promise<Identity | undefined> {
  let isKnown = true;
  return async () => {
    if (!isKnown) return undefined;
    const client = await pool.connect();
    try {
      const { rows } = await client.query<Identity>(IDENTITY, []);
      return rows[0];
    } catch (error) {
      if (classify(error) !== "stop") throw error;
      isKnown = false;
      return undefined;
    } finally {
      client.release();
    }
  };
}

async function insertTable(driver: PostgresDriver, { table, rows }: TableRows): Promise<number> {
  let stored = 0;
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT)
    stored += await insertChunk(driver, LAYOUTS[table], rows.slice(from, from + ROWS_PER_STATEMENT));
  return stored;
}

/**
 * Optimistic: COPY takes all rows or none and is the fastest; when it refuses them, the whole chunk goes again by an insert
 * that skips what is there. Outside a transaction, where a failed COPY would poison what follows.
 */
async function insertChunk(driver: PostgresDriver, layout: Layout, rows: readonly StoredRow[]): Promise<number> {
  const columns = filledColumns(rows);
  if (!driver.copyIn) return await insertByArrays(driver.pool, layout, columns, rows);
  try {
    await driver.copyIn(copyStatement(layout, columns), copyBinary(layout.types, columns, rows));
    return rows.length;
  } catch (error) {
    if (!isForInsert(error)) throw error;
    return await insertByArrays(driver.pool, layout, columns, rows);
  }
}

/**
 * Whether an insert may do what a COPY could not: skip rows that are there already (a replay), or cast values for a column
 * that somebody gave another type, whose binary form COPY then takes for damaged.
 */
function isForInsert(error: unknown): boolean {
  return /^(23505|22.{3}|08P01)$/.test(String(sqlState(error)));
}

async function insertByArrays(
  pool: PostgresPool,
  layout: Layout,
  columns: readonly number[],
  rows: readonly StoredRow[],
): Promise<number> {
  const client = await pool.connect();
  try {
    const { rowCount } = await client.query(arrayStatement(layout, columns), arraysBinary(layout.types, columns, rows));
    return rowCount;
  } finally {
    client.release();
  }
}

function copyStatement(layout: Layout, columns: readonly number[]): string {
  return `copy ${layout.name} (${columnList(layout, columns)}) from stdin with (format binary)`;
}

function arrayStatement(layout: Layout, columns: readonly number[]): string {
  const arrays = columns.map((column, i) => `$${i + 1}::${POSTGRESQL.types[layout.types[column] as ColumnType]}[]`);
  return `insert into ${layout.name} (${columnList(layout, columns)})
    select * from unnest(${arrays.join(", ")}) on conflict do nothing`;
}

function columnList(layout: Layout, columns: readonly number[]): string {
  return columns.map((column) => `"${layout.columns[column]}"`).join(", ");
}

function sqlState(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/**
 * Connects lazily to a real server. pg is loaded here and not before: it costs 10 MB that the embedded store does without.
 * An AbortSignal does not interrupt a COPY that waits for a lock, so every wait has a time-out: on the server for statements
 * and locks, on the client for a server that stopped answering, and keep-alive for one that went away.
 */
export async function connectPostgres(settings: PostgresSettings): Promise<PostgresDriver> {
  const { default: pg } = await import("pg");
  const { from: copyFrom } = await import("pg-copy-streams");
  const pool = new pg.Pool({
    connectionString: settings.url,
    max: settings.poolSize,
    application_name: "gleaner",
    statement_timeout: settings.statementTimeout,
    lock_timeout: settings.lockTimeout,
    query_timeout: settings.statementTimeout + CLIENT_GRACE,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    onConnect: async (client) => void (await client.query(SESSION)),
  });
  // A connection that breaks while idle or between queries emits "error"; unheard, it would end the process.
  // The next query meets the same fault and reports it.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return {
    pool: discardBroken(pool),
    async copyIn(statement, body) {
      const client = await pool.connect();
      let reusable = false;
      try {
        const stream = client.query(copyFrom(statement));
        const done = finished(stream);
        for (const piece of body) if (!stream.write(piece)) await Promise.race([done, once(stream, "drain")]);
        stream.end();
        await done;
        reusable = true;
      } catch (error) {
        reusable = sqlState(error) === UNIQUE_VIOLATION || classify(error) === "data";
        throw error;
      } finally {
        // These leave the connection as it was, and looking for a bad row meets many of them. After any other its state is unknown.
        client.release(!reusable);
      }
    },
  };
}

/**
 * A connection whose query ended without the server's answer (the client's own time-out, a lost socket) is closed when it
 * is given back: pg would hand it out again, and the next query would wait behind the one that hangs.
 */
function discardBroken(pool: Pool): PostgresPool {
  return {
    options: {},
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      let broken = false;
      const query = async (text: string, values: readonly unknown[]) => {
        try {
          return await client.query(text, [...values]);
        } catch (error) {
          broken ||= sqlState(error) === undefined;
          throw error;
        }
      };
      return { query, release: () => client.release(broken) } as unknown as PostgresPoolClient;
    },
  };
}
