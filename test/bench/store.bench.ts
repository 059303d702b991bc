import assert from "node:assert/strict";
import { startCluster, whyNoPostgres } from "../store/postgres.ts";
import { temporaryFolder } from "../support/folder.ts";
import { atLeast, type Bar, type BenchOptions, inTurn, type Line, line, notMeasured } from "./support/bench.ts";
import { clear, openPlace, type Place, type Way, write } from "./support/place.ts";
import { copyAll, copyBatches, exportRows, insertValues } from "./support/rivals.ts";
import { drones, firstOf, type Rows, readyMade, samples } from "./support/rows.ts";

/** Rows a second of everybody who writes these rows. */
async function rates(place: Place, rows: Rows, folder: string, quick: boolean) {
  const { url } = place;
  await write(place, rows, { size: 1_000 });
  const file = await exportRows(url, rows.table, `${folder}/${rows.table}`);
  const contents = () => place.query(`select sum(hashtextextended(t::text, 0))::text as hash from ${rows.table} t`);
  const stored = await contents();
  const [few, some] = [readyMade(firstOf(rows, quick ? 500 : 2_000)), readyMade(firstOf(rows, 10_000))];
  const theirs = (count: number, work: () => number | Promise<number>) => async () => {
    await clear(place, rows.table);
    return (1_000 * count) / (await work());
  };
  const ours = (way: Way) => () => write(place, rows, way);
  const rate = await inTurn(
    {
      copy: theirs(rows.count, () => copyAll(url, file)),
      copies: theirs(rows.count, () => copyBatches(url, file, 100)),
      single: theirs(few.rows.length, () => insertValues(url, few, 1)),
      values: theirs(some.rows.length, () => insertValues(url, some, 500)),
      hundred: ours({ size: 100 }),
      hundredAgain: ours({ size: 100, replay: true }),
      thousand: ours({ size: 1_000 }),
      thousandAgain: ours({ size: 1_000, replay: true }),
      most: ours({ size: 10_000 }),
      mostAgain: ours({ size: 10_000, replay: true }),
      two: ours({ size: 1_000, atOnce: 2 }),
      twoAgain: ours({ size: 1_000, atOnce: 2, replay: true }),
    },
    { repetitions: quick ? 1 : 5 },
  );
  await clear(place, rows.table);
  copyAll(url, file);
  assert.deepEqual(await contents(), stored, "psql wrote other rows than the store did");
  return rate;
}

/** The same as lines: what is ours beside what is theirs. */
function linesOf(name: string, rate: Awaited<ReturnType<typeof rates>>): Line[] {
  const beside = (what: string, ours: number, [against, theirs]: readonly [string, number], bar?: Bar) =>
    line({ bench: "store", what: `${name}, ${what}`, unit: "rows/s", ours, against, theirs, ...(bar ? { bar } : {}) });
  const copy = ["\\copy, one statement", rate.copy] as const;
  const copies = ["psql, COPYs of 100", rate.copies] as const;
  return [
    beside("batches of 1,000", rate.thousand, copy, atLeast(0.45)),
    beside("batches of 10,000", rate.most, copy, atLeast(0.45)),
    beside("two batches of 1,000 at once", rate.two, copy, atLeast(0.6)),
    beside("batches of 100", rate.hundred, copies, atLeast(0.45)),
    beside("batches of 1,000", rate.thousand, ["one-row INSERTs", rate.single], atLeast(35)),
    beside("batches of 1,000", rate.thousand, ["INSERT … VALUES of 500", rate.values]),
    beside("1,000 replayed", rate.thousandAgain, copy, atLeast(0.2)),
    beside("10,000 replayed", rate.mostAgain, copy, atLeast(0.2)),
    beside("two of 1,000 replayed at once", rate.twoAgain, copy, atLeast(0.2)),
    beside("100 replayed", rate.hundredAgain, copies, atLeast(0.2)),
  ];
}

async function measure(place: string, url: string, { quick }: BenchOptions): Promise<Line[]> {
  using folder = temporaryFolder();
  await using opened = await openPlace(url);
  const n = quick ? 10_000 : 50_000;
  const lines: Line[] = [];
  for (const [what, rows] of [
    ["drones", drones(n)],
    ["samples", samples(n)],
  ] as const)
    lines.push(...linesOf(`${what}${place}`, await rates(opened, rows, folder.path, quick)));
  return lines;
}

/**
 * Rows into PostgreSQL by the store's own writeBatches, beside psql, which neither knows natural keys nor counts what it has
 * seen before, and beside INSERTs that skip what is there. The server runs with its defaults: every commit is on disk.
 */
export async function run(options: BenchOptions): Promise<Line[]> {
  const reason = whyNoPostgres();
  if (reason) throw new Error(reason);
  const cluster = await startCluster({ durable: true });
  const lines = await measure("", await cluster.createDatabase(), options).finally(() => cluster.stop());
  const timescale = process.env["TEST_TIMESCALE_URL"];
  if (timescale) return [...lines, ...(await measure(" in a hypertable", timescale, options))];
  const what = "drones and samples in hypertables";
  return [...lines, notMeasured({ bench: "store", what, unit: "rows/s" }, "TEST_TIMESCALE_URL names no server")];
}
