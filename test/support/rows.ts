import { DatabaseSync } from "node:sqlite";
import pg from "pg";

export type Fields = Readonly<Record<string, unknown>>;

/** A second pair of eyes on a database, past gleaner's own store. */
export interface Reader extends AsyncDisposable {
  query(sql: string): Promise<Fields[]>;
}

/** Opens an embedded database for reading. */
export function readSqlite(file: string): Reader {
  const database = new DatabaseSync(file, { readOnly: true });
  return {
    query: async (sql) =>
      database
        .prepare(sql)
        .all()
        .map((row) => ({ ...row })),
    [Symbol.asyncDispose]: async () => database.close(),
  };
}

/** Connects to a PostgreSQL database. */
export async function readPostgres(url: string): Promise<Reader> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    query: async (sql) => (await client.query(sql)).rows as Fields[],
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** A time column of either engine in epoch milliseconds. */
export const ms = (time: unknown): number => (time instanceof Date ? time.getTime() : Number(time));
