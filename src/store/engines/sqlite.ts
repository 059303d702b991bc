import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { Kysely } from "kysely";
import { SQLITE } from "../capabilities.ts";
import type { StoredCell } from "../cells.ts";
import { LAYOUTS, type TableRows } from "../rows.ts";
import type { Database, RowTableName } from "../tables.ts";
import type { Engine } from "./engine.ts";
import { createMutex } from "./mutex.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { openSqliteFile, type SqliteFile } from "./sqlite-file.ts";

/** Rows bound between two turns of the event loop: about 5 ms of the widest table. */
const ROWS_PER_TURN = 500;

/**
 * Opens (and creates, readable by its owner only) a SQLite database.
 * @param path a file, or `:memory:`
 */
export function openSqlite(path: string): Engine {
  const file = openSqliteFile(path);
  const mutex = createMutex();
  const db = new Kysely<Database>({ dialect: sqliteDialect({ file, mutex }) });
  const insert = inserting(file);
  return {
    kind: "sqlite",
    capabilities: SQLITE,
    db,
    async insertRows(tables) {
      const release = await mutex.acquire();
      try {
        file.refresh();
        return await insert(tables);
      } finally {
        release();
      }
    },
    async identity() {
      const release = await mutex.acquire();
      try {
        file.refresh();
        return { history: file.identity(), contents: "" };
      } finally {
        release();
      }
    },
    async close() {
      const release = await mutex.acquire();
      // Not kysely's destroy(): it closes only a database that kysely has used.
      file.close();
      release();
    },
  };
}

/** The hot write, with its statements prepared once a file. */
function inserting(file: SqliteFile): Engine["insertRows"] {
  let prepared = { database: file.current(), statements: new Map<RowTableName, StatementSync>() };
  return (tables) => {
    const database = file.current();
    if (prepared.database !== database) prepared = { database, statements: new Map() };
    return inTransaction(database, () => insertAll(database, prepared.statements, tables));
  };
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
