import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlite } from "../../src/store/engines/sqlite.ts";
import { migrateDatabase } from "../../src/store/migrate.ts";
import { atLeast, type BenchOptions, inTurn, type Line, line, timed } from "./support/bench.ts";
import { droneRows, sampleRows, type TableRows } from "./support/rows.ts";

async function fresh() {
  const folder = mkdtempSync(join(tmpdir(), "gleaner-bench-"));
  const engine = await openSqlite(join(folder, "bench.db"));
  await migrateDatabase(engine);
  return {
    engine,
    async [Symbol.asyncDispose]() {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Rows a second into a new database, in transactions of `batch` rows. */
async function rate(rows: TableRows, batch: number): Promise<number> {
  await using database = await fresh();
  const ms = await timed(async () => {
    for (let from = 0; from < rows.rows.length; from += batch)
      await database.engine.insertRows([{ table: rows.table, rows: rows.rows.slice(from, from + batch) }]);
  });
  return (1_000 * rows.rows.length) / ms;
}

/** Drone rows and samples into the embedded store, in batches, beside one transaction a row; every transaction is on disk when it ends. */
export async function run({ quick }: BenchOptions): Promise<Line[]> {
  const lines: Line[] = [];
  const n = quick ? 20_000 : 100_000;
  for (const [name, rows] of [
    ["drones", droneRows(n)],
    ["samples", sampleRows(n)],
  ] as const) {
    const few = { ...rows, rows: rows.rows.slice(0, quick ? 500 : 2_000) };
    const taken = await inTurn(
      {
        hundred: () => rate(rows, 100),
        thousand: () => rate(rows, 1_000),
        most: () => rate(rows, 5_000),
        single: () => rate(few, 1),
      },
      { repetitions: quick ? 1 : 3 },
    );
    const common = { bench: "store-sqlite", unit: "rows/s", against: "a transaction a row", theirs: taken.single };
    lines.push(
      line({ ...common, what: `${name}, batches of 100`, ours: taken.hundred }),
      line({ ...common, what: `${name}, batches of 1,000`, ours: taken.thousand }),
      line({ ...common, what: `${name}, batches of 5,000`, ours: taken.most, bar: atLeast(20) }),
    );
  }
  return lines;
}
