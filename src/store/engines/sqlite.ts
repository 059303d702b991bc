import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { Kysely } from "kysely";
import { SQLITE } from "../capabilities.ts";
import type { StoredCell } from "../cells.ts";
import { filledColumns, LAYOUTS, type TableRows } from "../rows.ts";
import type { Database, RowTableName } from "../tables.ts";
import type { Engine } from "./engine.ts";
import { createMutex } from "./mutex.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { openSqliteFile } from "./sqlite-file.ts";

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
  return {
    kind: "sqlite",
    capabilities: SQLITE,
    db,
    async insertRows(tables) {
      const release = await mutex.acquire();
      try {
        file.refresh();
        const database = file.current();
        return await inTransaction(database, () => insertAll(database, tables));
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

async function insertAll(database: DatabaseSync, tables: readonly TableRows[]): Promise<Record<string, number>> {
  const stored: Record<string, number> = {};
  let bound = 0;
  for (const { table, rows } of tables) {
    const columns = filledColumns(rows);
    const statement = database.prepare(insertStatement(table, columns));
    let changes = 0;
    for (const row of rows) {
      changes += Number(statement.run(...columns.map((i) => toSqlite(row[i] as StoredCell))).changes);
      if (++bound % ROWS_PER_TURN === 0) await setImmediate();
    }
    stored[table] = changes;
  }
  return stored;
}

function insertStatement(table: RowTableName, columns: readonly number[]): string {
  const names = columns.map((i) => `"${LAYOUTS[table].columns[i]}"`).join(", ");
  return `insert into "${table}" (${names}) values (${columns.map(() => "?").join(", ")}) on conflict do nothing`;
}

// Cells are primitives by type, so none can be taken for named parameters (sqlite-dialect.ts, bindable).
function toSqlite(cell: StoredCell): SQLInputValue {
  return typeof cell === "boolean" ? (cell ? 1 : 0) : cell;
}
