import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { tiered } from "../../src/generate/dashboards/tiers.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "../store/postgres.ts";

/** Rows of a hundred days, ten minutes apart; rolled up as maintenance does it, all but the newest hours and days. */
const SET_UP = `
  create table things (time timestamptz not null, kind text not null);
  insert into things select at, 'thing' from generate_series('2026-01-01Z'::timestamptz, '2026-04-10T15:25Z', interval '10 minutes') at;
  create table things_hourly as
    select date_trunc('hour', time) as bucket, count(*)::bigint as n from things where time < '2026-04-10T14:00Z' group by 1;
  create table things_daily as
    select date_trunc('day', time) as bucket, count(*)::bigint as n from things where time < '2026-04-09' group by 1`;

const QUERY = tiered({
  values: { n: "sum" },
  raw: { table: "things", time: "time", values: ["count(*)"] },
  hourly: { table: "things_hourly", time: "bucket", values: ["sum(n)"] },
  daily: { table: "things_daily", time: "bucket", values: ["sum(n)"] },
});

/** The query as Grafana's data source would send it. */
const expanded = (from: string, to: string, stepMs: number) =>
  QUERY.replace(/\$__timeFilter\(([^)]*)\)/g, `$1 between '${from}' and '${to}'`)
    .replaceAll("$__timeFrom()", `'${from}'`)
    .replaceAll("$__timeTo()", `'${to}'`)
    .replaceAll("$__interval_ms", `${stepMs}`);

describe("figures from three tiers", { skip: whyNoPostgres() }, () => {
  let cluster: TestCluster;
  let pool: pg.Pool;
  before(async () => {
    cluster = await startCluster();
    pool = new pg.Pool({ connectionString: `${await cluster.createDatabase()}&options=-c%20timezone%3DUTC`, max: 1 });
    await pool.query(SET_UP);
  });
  after(async () => {
    await pool.end();
    await cluster.stop();
  });

  async function points(from: string, to: string, stepMs: number) {
    const { rows } = await pool.query<{ time: Date; n: string }>(expanded(from, to, stepMs));
    return rows.map(({ time, n }) => ({ time: time.toISOString(), n: Number(n) }));
  }
  const total = (rows: readonly { n: number }[]) => rows.reduce((sum, { n }) => sum + n, 0);

  it("reads rows for a few hours, in the panel's steps", async () => {
    const found = await points("2026-03-01T00:00Z", "2026-03-01T05:59Z", 1_800_000);
    assert.equal(found.length, 12);
    assert.ok(found.every(({ n }) => n === 3));
  });

  it("reads hours for weeks, and rows for the hours that are not rolled up", async () => {
    const found = await points("2026-04-01T00:00Z", "2026-04-10T15:59Z", 60_000);
    assert.equal(found.length, 9 * 24 + 16);
    assert.deepEqual(found.at(-1), { time: "2026-04-10T15:00:00.000Z", n: 3 });
    assert.equal(total(found), 9 * 144 + 15 * 6 + 3);
  });

  it("reads days for months, then hours, then rows, and counts nothing twice", async () => {
    const found = await points("2026-01-01T00:00Z", "2026-04-10T15:59Z", 60_000);
    assert.equal(found.length, 100);
    assert.equal(total(found), 99 * 144 + 15 * 6 + 3);
  });

  it("does without roll-ups that are still empty", async () => {
    await pool.query("begin; delete from things_hourly; delete from things_daily");
    try {
      const found = await points("2026-01-01T00:00Z", "2026-04-10T15:59Z", 60_000);
      assert.equal(total(found), 99 * 144 + 15 * 6 + 3);
    } finally {
      await pool.query("rollback");
    }
  });

  /** The scans of a table in the plan as it was carried out. */
  async function scans(table: string, from: string, to: string): Promise<string[]> {
    const { rows } = await pool.query(`explain (analyze, costs off, timing off) ${expanded(from, to, 60_000)}`);
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    return [...plan.matchAll(new RegExp(`Scan (?:using \\w+ )?on ${table} .*`, "g"))].map(([line]) => line);
  }

  it("reads no roll-up for a short range", async () => {
    for (const table of ["things_hourly", "things_daily"])
      for (const line of await scans(table, "2026-03-01T00:00Z", "2026-03-01T05:59Z"))
        assert.match(line, /never executed/);
  });

  it("reads only the newest rows for a long range", async () => {
    await pool.query("create index on things (time); analyze things");
    const [line] = await scans("things", "2026-01-01T00:00Z", "2026-04-10T15:59Z");
    assert.match(line ?? "", /using things_time_idx/);
    assert.match(line ?? "", /rows=9 /);
  });
});
