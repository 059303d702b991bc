import type { SQLInputValue } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { Mutex } from "./mutex.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** The one connection of a SQLite file and the lock that hands it out. */
export interface SqliteHandle {
  readonly file: SqliteFile;
  readonly mutex: Mutex;
}

/** kysely over node:sqlite: one connection behind a lock, transactions that lock at their beginning. */
export function sqliteDialect(handle: SqliteHandle): Dialect {
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => sqliteDriver(handle),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** kysely believes SQLite's DDL is not transactional and leaves half a schema when a migration fails. It is. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function sqliteDriver({ file, mutex }: SqliteHandle): Driver {
  const connection = sqliteConnection(file);
  const releases = new WeakMap<DatabaseConnection, () => void>();
  const run = async (statement: string) => void (await connection.executeQuery(CompiledQuery.raw(statement)));
  return {
    init: async () => {},
    async acquireConnection() {
      const release = await mutex.acquire();
      try {
        file.refresh();
      } catch (error) {
        release();
        throw error;
      }
      releases.set(connection, release);
      return connection;
    },
    // IMMEDIATE takes the write lock at once: a second migrator waits here instead of failing half-way.
    beginTransaction: () => run("begin immediate"),
    commitTransaction: () => run("commit"),
    rollbackTransaction: async () => {
      // SQLite rolls back by itself on a full disk and the like.
      if (file.current().isTransaction) await run("rollback");
    },
    async releaseConnection(held) {
      releases.get(held)?.();
    },
    destroy: async () => file.close(),
  };
}

function sqliteConnection(file: SqliteFile): DatabaseConnection {
  return {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const statement = file.current().prepare(sql);
      const values = parameters.map(bindable);
      if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    },
    // biome-ignore lint/correctness/useYield: the interface wants a generator, and nothing here streams.
    async *streamQuery() {
      throw new Error("streaming is not supported by the SQLite engine");
    },
  };
}

/**
 * What node:sqlite can bind. An object as the first parameter would be taken for named parameters without a word,
 * shifting every value, so anything else is refused.
 */
function bindable(value: unknown): SQLInputValue {
  if (value instanceof Date) return value.getTime();
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "bigint")
    return value;
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`SQLite cannot bind a value of type ${typeof value}`);
}
