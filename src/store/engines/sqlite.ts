import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { Kysely } from "kysely";
import { SQLITE } from "../capabilities.ts";
import type { StoredCell } from "../cells.ts";
import { LAYOUTS, type TableRows } from "../rows.ts";
import type { Database, RowTableName } from "../tables.ts";
import type { Engine } from "./engine.ts";
import { createMutex } from "./mutex.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";

/** Rows bound between two turns of the event loop: about 5 ms of the widest table. */
const ROWS_PER_TURN = 500;

/** Waiting for another process's lock blocks this one, so it is short; the writer tries again. */
const BUSY_TIMEOUT = 5_000;
const BUSY_RETRY = 10;

/**
 * Opens (and creates, readable by its owner only) a SQLite database.
 * WAL with synchronous=FULL: what was committed survives a power cut; NORMAL was measured to lose seconds of rows.
 * @param path a file, or `:memory:`
 */
export function openSqlite(path: string): Engine {
  if (path !== ":memory:") createPrivately(path);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true });
  try {
    configure(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const mutex = createMutex();
  const db = new Kysely<Database>({ dialect: sqliteDialect({ database, mutex }) });
  const statements = new Map<RowTableName, StatementSync>();
  return {
    kind: "sqlite",
    capabilities: SQLITE,
    db,
    async insertRows(tables) {
      const release = await mutex.acquire();
      try {
        return await inTransaction(database, () => insertAll(database, statements, tables));
      } finally {
        release();
      }
    },
    async close() {
      const release = await mutex.acquire();
      // Not kysely's destroy(): it closes only a database that kysely has used.
      if (database.isOpen) database.close();
      release();
    },
  };
}

/**
 * Turning a new file to WAL does not wait for another process that is doing the same, so we do; blocking, as SQLite's own
 * waiting is.
 */
function configure(database: DatabaseSync): void {
  const patience = performance.now() + BUSY_TIMEOUT;
  for (;;) {
    try {
      database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > patience) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_RETRY);
    }
  }
}

/** SQLITE_BUSY, whatever the extended code. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
}

async function inTransaction<T>(database: DatabaseSync, work: () => Promise<T>): Promise<T> {
  database.exec("begin immediate");
  try {
    const result = await work();
    database.exec("commit");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}

async function insertAll(
  database: DatabaseSync,
  statements: Map<RowTableName, StatementSync>,
  tables: readonly TableRows[],
): Promise<Record<string, number>> {
  const stored: Record<string, number> = {};
  let bound = 0;
  for (const { table, rows } of tables) {
    const statement = statements.get(table) ?? database.prepare(insertStatement(table));
    statements.set(table, statement);
    let changes = 0;
    for (const row of rows) {
      changes += Number(statement.run(...row.map(toSqlite)).changes);
      if (++bound % ROWS_PER_TURN === 0) await setImmediate();
    }
    stored[table] = changes;
  }
  return stored;
}

function insertStatement(table: RowTableName): string {
  const { columns } = LAYOUTS[table];
  const names = columns.map((column) => `"${column}"`).join(", ");
  return `insert into "${table}" (${names}) values (${columns.map(() => "?").join(", ")}) on conflict do nothing`;
}

// Cells are primitives by type, so none can be taken for named parameters (sqlite-dialect.ts, bindable).
function toSqlite(cell: StoredCell): SQLInputValue {
  return typeof cell === "boolean" ? (cell ? 1 : 0) : cell;
}
