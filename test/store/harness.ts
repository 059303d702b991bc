import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { type Capabilities, POSTGRESQL, SQLITE } from "../../src/store/capabilities.ts";
import { type OpenStore, openStore } from "../../src/store/open.ts";
import type { Retention } from "../../src/store/store.ts";
import { type ColumnType, ROW_TABLES, type RowTableName } from "../../src/store/tables.ts";
import { options } from "./make.ts";
import type { TestCluster } from "./postgres.ts";

export type Fields = Record<string, unknown>;

/** An empty database of some engine, the store on it, and a second pair of eyes that reads past the store. */
export interface Bench {
  readonly store: OpenStore;
  readonly url: string;
  readonly capabilities: Capabilities;
  query(sql: string): Promise<Fields[]>;
  /** Names and declared types of a table's columns. */
  columns(table: string): Promise<Record<string, string>>;
  /** Makes the database refuse drones whose column is like this, until `accept`. */
  refuse(column: string, like: string): Promise<void>;
  accept(): Promise<void>;
  /** Closes the store and opens it again, with empty caches. */
  reopen(retention?: Retention): Promise<OpenStore>;
  close(): Promise<void>;
}

/** An engine that the suite runs on. */
export interface Subject {
  readonly name: string;
  open(): Promise<Bench>;
}

export const sqliteSubject: Subject = {
  name: "SQLite",
  async open() {
    const directory = mkdtempSync(join(tmpdir(), "gleaner-store-"));
    const file = join(directory, "gleaner.db");
    let store = await openStore(options(`sqlite:${file}`));
    const reader = new DatabaseSync(file, { readOnly: true });
    const query = async (sql: string) =>
      reader
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }));
    const execute = async (sql: string) => {
      const database = new DatabaseSync(file, { timeout: 5_000 });
      database.exec(sql);
      database.close();
    };
    return {
      get store() {
        return store;
      },
      url: `sqlite:${file}`,
      refuse: (column, like) =>
        execute(
          `create trigger refuse before insert on drones when new.${column} like '${like}' begin select raise(abort, 'poison'); end`,
        ),
      accept: () => execute("drop trigger refuse"),
      capabilities: SQLITE,
      query,
      columns: async (table) =>
        Object.fromEntries(
          (await query(`select name, type from pragma_table_info('${table}')`)).map((c) => [
            c["name"],
            String(c["type"]).toLowerCase(),
          ]),
        ) as Record<string, string>,
      async reopen(retention) {
        await store.close();
        store = await openStore(options(`sqlite:${file}`, retention));
        return store;
      },
      async close() {
        reader.close();
        await store.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
};

export const pgColumnsQuery = (table: string) =>
  `select column_name as name, udt_name as type from information_schema.columns where table_name = '${table}'`;
// information_schema speaks of internal names.
const PG_NAMES: Readonly<Record<string, string>> = {
  float8: "double precision",
  int4: "integer",
  int8: "bigint",
  bool: "boolean",
  varchar: "varchar(20)",
};

export const pgColumns = (rows: readonly Fields[]): Record<string, string> =>
  Object.fromEntries(rows.map(({ name, type }) => [name, PG_NAMES[String(type)] ?? String(type)]));

export const postgresSubject = (cluster: () => TestCluster): Subject => ({
  name: "PostgreSQL",
  async open() {
    const url = await cluster().createDatabase();
    let store = await openStore(options(url));
    const reader = new pg.Client({ connectionString: url });
    await reader.connect();
    const query = async (sql: string) => (await reader.query(sql)).rows as Fields[];
    return {
      get store() {
        return store;
      },
      url,
      refuse: async (column, like) =>
        void (await query(`alter table drones add constraint poison check (${column} not like '${like}') not valid`)),
      accept: async () => void (await query("alter table drones drop constraint poison")),
      capabilities: POSTGRESQL,
      query,
      columns: async (table) => pgColumns(await query(pgColumnsQuery(table))),
      async reopen(retention) {
        await store.close();
        store = await openStore(options(url, retention));
        return store;
      },
      async close() {
        await reader.end();
        await store.close();
      },
    };
  },
});

/** A table's rows the way every engine should hold them: times as ISO text, flags as booleans, JSON parsed, in the order of the key. */
export async function contents(bench: Bench, table: RowTableName, where = "true"): Promise<Fields[]> {
  const { key, columns } = ROW_TABLES[table];
  const rows = await bench.query(`select * from ${table} where ${where} order by ${key.join(", ")}`);
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(columns as Record<string, ColumnType>).map(([name, type]) => [
        name,
        plain(bench.capabilities, type, row[name]),
      ]),
    ),
  );
}

function plain(capabilities: Capabilities, type: ColumnType, cell: unknown): unknown {
  if (cell === null) return null;
  if (type === "time") return new Date(cell as number | Date).toISOString();
  if (type === "boolean") return Boolean(cell);
  if (type === "bigint") return Number(cell);
  return type === "json" ? capabilities.parseJson(cell) : cell;
}
