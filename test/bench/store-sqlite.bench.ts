import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../src/store/open.ts";
import { LAYOUTS } from "../../src/store/rows.ts";
import { options } from "../store/make.ts";
import { temporaryFolder } from "../support/folder.ts";
import { atLeast, type BenchOptions, inTurn, type Line, line, timed } from "./support/bench.ts";
import { drones, firstOf, groupsOf, type Rows, readyMade, samples } from "./support/rows.ts";

/** Rows a second through the store into a new file, in writes of so many rows. */
async function ours(rows: Rows, size: number): Promise<number> {
  using folder = temporaryFolder();
  const store = await openStore(options(`sqlite:${folder.at("bench.db")}`));
  const groups = groupsOf(rows, size);
  const ms = await timed(async () => {
    for (const group of groups) await store.writeBatches(group);
  });
  const { [rows.table]: stored } = await store.rowCounts();
  await store.close();
  if (stored !== rows.count) throw new Error(`${stored} of ${rows.count} rows were stored`);
  return (1_000 * rows.count) / ms;
}

/** The same into the same tables by a prepared INSERT a row, every one its own transaction, each on disk when it ends. */
async function oneByOne(rows: Rows): Promise<number> {
  using folder = temporaryFolder();
  const file = folder.at("bench.db");
  await (await openStore(options(`sqlite:${file}`))).close();
  const { table, rows: ready } = readyMade(rows);
  const { columns } = LAYOUTS[table];
  using database = new DatabaseSync(file);
  database.exec("pragma synchronous = full");
  const insert = database.prepare(
    `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")}) on conflict do nothing`,
  );
  const ms = await timed(() => {
    for (const row of ready) insert.run(...row.map((cell) => (typeof cell === "boolean" ? Number(cell) : cell)));
  });
  return (1_000 * ready.length) / ms;
}

/** Drone rows and samples into the embedded store, beside one transaction a row; every transaction is on disk when it ends. */
export async function run({ quick }: BenchOptions): Promise<Line[]> {
  const lines: Line[] = [];
  const n = quick ? 10_000 : 50_000;
  for (const rows of [drones(n), samples(n)]) {
    const taken = await inTurn(
      {
        hundred: () => ours(rows, 100),
        thousand: () => ours(rows, 1_000),
        most: () => ours(rows, 5_000),
        single: () => oneByOne(firstOf(rows, quick ? 500 : 2_000)),
      },
      { repetitions: quick ? 1 : 5 },
    );
    const common = { bench: "store-sqlite", unit: "rows/s", against: "a transaction a row", theirs: taken.single };
    lines.push(
      line({ ...common, what: `${rows.table}, batches of 100`, ours: taken.hundred }),
      line({ ...common, what: `${rows.table}, batches of 1,000`, ours: taken.thousand, bar: atLeast(20) }),
      line({ ...common, what: `${rows.table}, batches of 5,000`, ours: taken.most, bar: atLeast(20) }),
    );
  }
  return lines;
}
