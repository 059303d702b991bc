import assert from "node:assert/strict";
import { after as afterAll, before, describe, it } from "node:test";
import pg from "pg";
import { days } from "../../src/model/duration.ts";
import { POSTGRESQL } from "../../src/store/capabilities.ts";
import type { PostgresDriver } from "../../src/store/engines/postgres.ts";
import { type OpenStore, openStore } from "../../src/store/open.ts";
import type { Retention } from "../../src/store/store.ts";
import { type Bench, type Fields, pgColumns, pgColumnsQuery, type Subject } from "./harness.ts";
import { after, batch, drone, options, RETENTION, T0 } from "./make.ts";
import { startEmbedded } from "./pglite.ts";
import { storeSuite } from "./suite.ts";

/** A database with TimescaleDB, wherever it runs. */
interface Place {
  readonly url: string;
  readonly driver?: PostgresDriver;
  query(sql: string): Promise<Fields[]>;
  close(): Promise<void>;
}

/** TimescaleDB in this process, always. */
async function embedded(): Promise<Place> {
  return { url: "postgresql://localhost/embedded", ...(await startEmbedded()) };
}

/** A real server, where one is named: a database of its own, dropped at the end. */
async function server(): Promise<Place> {
  const url = new URL(String(process.env["TEST_TIMESCALE_URL"]));
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  const name = `gleaner_test_${process.pid}_${Date.now()}`;
  await admin.query(`create database ${name}`);
  url.pathname = `/${name}`;
  const reader = new pg.Client({ connectionString: url.href });
  await reader.connect();
  // Its jobs would run at once, and drop rows of the tests' fixed past.
  await reader.query("create extension if not exists timescaledb");
  await reader.query("select _timescaledb_functions.stop_background_workers()");
  return {
    url: url.href,
    query: async (sql) => (await reader.query(sql)).rows as Fields[],
    async close() {
      await reader.end();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

function subject(name: string, place: () => Place): Subject {
  return {
    name,
    async open(): Promise<Bench> {
      const { url, driver, query } = place();
      const open = (retention?: Retention) => openStore(options(url, retention), driver ? { postgres: driver } : {});
      let store = await open();
      return {
        get store() {
          return store;
        },
        url,
        capabilities: POSTGRESQL,
        query,
        refuse: async (column, like) =>
          void (await query(`alter table drones add constraint poison check (${column} not like '${like}') not valid`)),
        accept: async () => void (await query("alter table drones drop constraint poison")),
        columns: async (table) => pgColumns(await query(pgColumnsQuery(table))),
        async reopen(retention) {
          await store.close();
          store = await open(retention);
          return store;
        },
        close: () => store.close(),
      };
    },
  };
}

function timescaleSuite(name: string, start: () => Promise<Place>): void {
  describe(name, () => {
    let place: Place;
    before(async () => {
      place = await start();
    });
    afterAll(() => place.close());
    const open = (retention?: Retention): Promise<OpenStore> =>
      openStore(options(place.url, retention), place.driver ? { postgres: place.driver } : {});

    storeSuite(subject(name, () => place));

    it("says that TimescaleDB is in use", async () => {
      const store = await open();
      assert.match(String(store.timescale), /^\d+\.\d+/);
      assert.deepEqual(store.notes, []);
      assert.deepEqual(await store.maintain(T0), { rolledUp: {}, deleted: {} });
      await store.close();
    });

    it("keeps hypertables in chunks of a day, compressed by kit or series", async () => {
      const tables = await place.query(
        `select h.hypertable_name as name, d.time_interval = interval '1 day' as daily, h.compression_enabled as compressed
         from timescaledb_information.hypertables h join timescaledb_information.dimensions d using (hypertable_schema, hypertable_name)
         where hypertable_schema = 'public' order by 1`,
      );
      const names = "alert_history documents drones health_events plugin_executions samples signals system_health";
      assert.deepEqual(
        tables.map((row) => ({ ...row })),
        names.split(" ").map((table) => ({ name: table, daily: true, compressed: true })),
      );
      const settings = await place.query(
        `select hypertable_name as name, string_agg(attname, ',') as by from timescaledb_information.compression_settings
         where segmentby_column_index is not null and hypertable_name in ('drones', 'samples') group by 1 order by 1`,
      );
      assert.deepEqual(
        settings.map((row) => [row["name"], row["by"]]),
        [
          ["drones", "kit_id"],
          ["samples", "series_id"],
        ],
      );
    });

    const jobs = async (procedure: string, setting: string) => {
      const rows = await place.query(
        `select coalesce(c.view_name, j.hypertable_name) as name,
                extract(epoch from (j.config ->> '${setting}')::interval)::float8 / 86400 as days, j.job_id as id
         from timescaledb_information.jobs j left join timescaledb_information.continuous_aggregates c
           on c.materialization_hypertable_name = j.hypertable_name
         where proc_name = '${procedure}' order by 1`,
      );
      return new Map(rows.map((row) => [String(row["name"]), { days: Number(row["days"]), id: row["id"] }]));
    };
    const daysOf = (found: Awaited<ReturnType<typeof jobs>>) =>
      Object.fromEntries([...found].map(([table, job]) => [table, job.days]));

    it("has a job for every tier's retention, for compression, and for every roll-up's refresh", async () => {
      assert.deepEqual(daysOf(await jobs("policy_retention", "drop_after")), {
        alert_history: 90,
        documents: 30,
        drones: 30,
        drones_daily: 1825,
        drones_hourly: 365,
        health_events: 90,
        plugin_executions: 30,
        samples: 30,
        samples_daily: 1825,
        samples_hourly: 365,
        signals: 30,
        signals_daily: 1825,
        signals_hourly: 365,
        system_health: 90,
        system_health_daily: 1825,
        system_health_hourly: 365,
      });
      const compression = daysOf(await jobs("policy_compression", "compress_after"));
      assert.deepEqual([...new Set(Object.values(compression))], [7]);
      assert.equal(Object.keys(compression).length, 8);
      const refresh = daysOf(await jobs("policy_refresh_continuous_aggregate", "start_offset"));
      assert.deepEqual(refresh, {
        drones_daily: 29,
        drones_hourly: 29,
        samples_daily: 29,
        samples_hourly: 29,
        signals_daily: 29,
        signals_hourly: 29,
        system_health_daily: 89,
        system_health_hourly: 89,
      });
    });

    it("applies changed settings at the next start, and leaves the jobs alone that are right", async () => {
      const before = await jobs("policy_retention", "drop_after");
      await (await open({ ...RETENTION, raw: days(10), compressAfter: days(2) })).close();
      const changed = await jobs("policy_retention", "drop_after");
      assert.equal(changed.get("drones")?.days, 10);
      assert.deepEqual(changed.get("system_health"), before.get("system_health"));
      assert.equal((await jobs("policy_refresh_continuous_aggregate", "start_offset")).get("drones_hourly")?.days, 9);
      assert.equal((await jobs("policy_compression", "compress_after")).get("samples")?.days, 2);
      await (await open({ ...RETENTION, raw: days(1) })).close();
      assert.equal(
        (await jobs("policy_retention", "drop_after")).get("drones")?.days,
        4,
        "never shorter than the refresh window needs",
      );
      await (await open()).close();
      assert.equal((await jobs("policy_retention", "drop_after")).get("drones")?.days, 30);
    });

    it("rolls up by refresh: hours and days of raw rows, and samples' days of their hours", async () => {
      const store = await open();
      const at = (ms: number) => after(ms - days(3));
      await store.writeBatches([
        batch({
          target: "cagg",
          samples: [0, 1, 5, 30]
            .map((n) => ({ metric: "m", value: n, at: at(n * 60_000) }))
            .concat([{ metric: "m", value: 100, at: at(3_600_000) }]),
          rows: [
            drone("a", at(0), { alt: 10, speed: 1 }),
            drone("a", at(1_000), { alt: 30, speed: 3 }),
            drone("b", at(3_600_000), { alt: 100, track_type: "aircraft" }),
            { table: "signals", at: at(0), values: { freq_mhz: 5_800, power_dbm: -60 } },
            { table: "signals", at: at(1), values: { freq_mhz: 5_900, power_dbm: -40 } },
            { table: "system_health", at: at(0), values: { cpu_percent: 20, temp_cpu: 50 } },
            { table: "system_health", at: at(1), values: { cpu_percent: 40 } },
          ],
        }),
      ]);
      await store.close();
      for (const name of ["drones", "signals", "system_health", "samples"])
        for (const tier of ["hourly", "daily"])
          await place.query(`call refresh_continuous_aggregate('${name}_${tier}', null, null)`);
      const of = (table: string) => place.query(`select * from ${table} where kit_id = 'cagg' order by bucket`);
      assert.deepEqual((await of("drones_hourly")).map(numbers), [
        {
          unique_drones: 1,
          total_detections: 2,
          avg_altitude: 20,
          max_altitude: 30,
          avg_speed: 2,
          max_speed: 3,
          unique_drones_rid: 1,
          unique_aircraft_adsb: 0,
        },
        {
          unique_drones: 1,
          total_detections: 1,
          avg_altitude: 100,
          max_altitude: 100,
          avg_speed: null,
          max_speed: null,
          unique_drones_rid: 0,
          unique_aircraft_adsb: 1,
        },
      ]);
      const [day] = (await of("drones_daily")).map(numbers);
      assert.deepEqual([day?.["unique_drones"], day?.["total_detections"]], [2, 3]);
      assert.deepEqual((await of("signals_hourly")).map(numbers), [
        { total_detections: 2, unique_frequencies: 2, avg_power: -50, max_power: -40, min_power: -60 },
      ]);
      const [health] = (await of("system_health_daily")).map(numbers);
      assert.deepEqual(
        [health?.["count"], health?.["avg_cpu_percent"], health?.["max_cpu_percent"], health?.["avg_temp_cpu"]],
        [2, 30, 40, 50],
      );
      const metrics = (tier: string) =>
        place.query(
          `select avg_value, min_value, max_value, count from plugin_metrics_${tier} where target_id = 'cagg' order by bucket`,
        );
      assert.deepEqual((await metrics("hourly")).map(numbers), [
        { avg_value: 9, min_value: 0, max_value: 30, count: 4 },
        { avg_value: 100, min_value: 100, max_value: 100, count: 1 },
      ]);
      assert.deepEqual((await metrics("daily")).map(numbers), [
        { avg_value: 27.2, min_value: 0, max_value: 100, count: 5 },
      ]);
    });

    it("stores nothing twice in a chunk that has been compressed, and drops chunks by age", async () => {
      const store = await open();
      const rows = [drone("a", after(days(-60))), drone("b", after(days(-60)))];
      const given = batch({ target: "packed", health: "kit", rows });
      await store.writeBatches([given]);
      const chunks = await place.query(
        `select compress_chunk(c) from show_chunks('drones', older_than => timestamptz '2026-02-01') c`,
      );
      assert.equal(chunks.length, 1);
      const late = batch({ target: "packed", health: "kit", rows: [...rows, drone("c", after(days(-60)))] });
      const { stored, duplicate } = await store.writeBatches([late]);
      assert.deepEqual([stored["drones"], duplicate["drones"]], [1, 2]);
      await store.close();
      assert.equal(
        (await place.query("select drop_chunks('drones', older_than => timestamptz '2026-02-01')")).length,
        1,
      );
      assert.equal((await place.query("select 1 from drones where kit_id = 'packed'")).length, 0);
    });
  });
}

const numbers = (row: Fields): Fields =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([name]) => !["bucket", "kit_id", "series_id"].includes(name))
      .map(([name, value]) => [name, value === null ? null : Number(value)]),
  );

timescaleSuite("TimescaleDB in this process", embedded);
// One more place where there is one, not something left out where there is none: the suite above has run by then.
if (process.env["TEST_TIMESCALE_URL"]) timescaleSuite("TimescaleDB on a server", server);
