import assert from "node:assert/strict";
import pg from "pg";
import { type OpenStore, openStore } from "../../../src/store/open.ts";
import { options } from "../../store/make.ts";
import { timed } from "./bench.ts";
import { groupsOf, type Rows } from "./rows.ts";

/** A PostgreSQL database with gleaner's tables, and the store on it as gleaner opens it. */
export interface Place extends AsyncDisposable {
  readonly url: string;
  readonly store: OpenStore;
  query(sql: string): Promise<Record<string, unknown>[]>;
}

export async function openPlace(url: string): Promise<Place> {
  const store = await openStore(options(url));
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  return {
    url,
    store,
    query: async (sql) => (await pool.query<Record<string, unknown>>(sql)).rows,
    async [Symbol.asyncDispose]() {
      await pool.end();
      await store.close();
    },
  };
}

/** Gives every contender the same start: no rows, and no pages that the one before left to be written. */
export async function clear({ query }: Place, table: string): Promise<void> {
  await query(`truncate ${table}`);
  await query("checkpoint");
}

/** How rows are written. */
export interface Way {
  /** Rows of one write. */
  readonly size: number;
  /** Writes under way at the same time, each on a connection of its own. */
  readonly atOnce?: number;
  /** The rows are all there already. */
  readonly replay?: boolean;
}

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);

/**
 * Writes rows through the store, as its writer hands them over, and makes sure that every row was counted right and is in
 * the table exactly once.
 * @returns rows a second
 */
export async function write(place: Place, rows: Rows, { size, atOnce = 1, replay = false }: Way): Promise<number> {
  const groups = groupsOf(rows, size);
  const counted = { stored: 0, duplicate: 0 };
  const oneAfterTheOther = async () => {
    for (let group = groups.shift(); group; group = groups.shift()) {
      const { stored, duplicate } = await place.store.writeBatches(group);
      counted.stored += sum(stored);
      counted.duplicate += sum(duplicate);
    }
  };
  if (!replay) await clear(place, rows.table);
  const ms = await timed(() => Promise.all(Array.from({ length: atOnce }, oneAfterTheOther)));
  const [row] = await place.query(`select count(*)::int as n from ${rows.table}`);
  const [stored, duplicate] = replay ? [0, rows.count] : [rows.count, 0];
  assert.deepEqual({ ...counted, inTable: row?.["n"] }, { stored, duplicate, inTable: rows.count });
  return (1_000 * rows.count) / ms;
}
