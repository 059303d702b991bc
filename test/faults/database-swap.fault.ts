import assert from "node:assert/strict";
import { rmSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner } from "../support/process.ts";
import { type Cluster, startCluster } from "./support/cluster.ts";
import { fault } from "./support/fault.ts";
import { storedKeys } from "./support/oracle.ts";
import { isUp, logged, recovery, type Scene, startScene, untilDown } from "./support/scene.ts";

/** Another database, or an emptied one, in the place of the one that gleaner knows. */

const skip = whyNoPostgres() ?? false;

/** A value that never changes while this machine runs and that no other series has: it shows whose samples are whose. */
const BOOT = "metric_name like '%boot_time_seconds'";

async function assertSeriesApart(cluster: Cluster, database: string, since: string): Promise<void> {
  const [row] = await cluster.sql(
    database,
    `with recent as (select * from samples where time > '${since}'),
          boot as (select value from recent join series using (series_id) where ${BOOT})
     select (select count(*) from recent) as samples,
            (select count(*) from recent left join series using (series_id) where metric_name is null) as nobodys,
            (select count(distinct value) from boot) as values,
            (select min(value) from boot) as least,
            (select count(*) from recent join series using (series_id) where not ${BOOT} and value in (select value from boot)) as others`,
  );
  assert.ok(Number(row?.["samples"]) > 100, "samples came");
  assert.equal(Number(row?.["nobodys"]), 0, "every sample has its series");
  assert.equal(Number(row?.["values"]), 1, "the time of boot is one");
  assert.ok(Number(row?.["least"]) > 1_000_000_000);
  assert.equal(Number(row?.["others"]), 0, "and no other series has it");
}

/** Waits for samples of host plugins taken after now in a database. @returns when that was */
async function newSamples(cluster: Cluster, database: string): Promise<string> {
  const since = new Date(Date.now() + 200).toISOString();
  await eventually(async () => {
    const [row] = await cluster.sql(
      database,
      `select count(distinct time) as n from samples where time > '${since}' and series_id in (select series_id from series where ${BOOT})`,
    );
    assert.ok(Number(row?.["n"]) >= 2);
  }, 30_000);
  return since;
}

/** The keys of all rows of kits, read in the transaction that takes them away. */
async function takeAway(cluster: Cluster, database: string, how: string, gone: Set<string>): Promise<void> {
  const client = await cluster.connect(database);
  await client.query("begin; lock table drones, signals, system_health in access exclusive mode");
  for (const key of await storedKeys(async (text) => (await client.query(text)).rows)) gone.add(key);
  await client.query(`${how}; commit`);
  await client.end();
}

/** A database as a backup would be brought back from elsewhere: the same series under other ids, and no rows. */
async function otherDatabase(cluster: Cluster, database: string): Promise<string> {
  using folder = temporaryFolder();
  const other = await cluster.createDatabase();
  const { code, stderr } = await runGleaner(["migrate"], {
    cwd: folder.path,
    env: { DATABASE_URL: cluster.url(other) },
  });
  assert.equal(code, 0, stderr);
  const series = await cluster.sql(database, "select * from series order by series_id desc");
  const rows = JSON.stringify(series.map((row, i) => ({ ...row, series_id: i + 1 })));
  await cluster.sql(
    other,
    `insert into series overriding system value
       select * from jsonb_populate_recordset(null::series, '${rows.replaceAll("'", "''")}');
     select setval(pg_get_serial_sequence('series', 'series_id'), ${series.length})`,
  );
  return other;
}

/** Puts one database in the place of another between two writes. */
async function swap(cluster: Cluster, database: string, other: string): Promise<void> {
  await cluster.sql(
    "postgres",
    `alter database ${database} with allow_connections false;
     select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`,
  );
  await eventually(() => cluster.sql("postgres", `alter database ${database} rename to taken_away`));
  await cluster.sql(
    "postgres",
    `alter database ${other} rename to ${database}; alter database taken_away with allow_connections true`,
  );
}

const counted = async ({ gleaner }: Scene) => logged(gleaner, /cannot be written/);

fault(
  "D12",
  "under a running gleaner: the schema dropped, the series emptied, another database put in the place between two writes",
  { quick: true, skip },
  async () => {
    await using cluster = await startCluster();
    const database = await cluster.createDatabase();
    const gone = new Set<string>();
    await using scene = await startScene({
      url: cluster.url(database),
      // Writes far apart, to have the time for a swap between two of them.
      store: { batch_size: "10000", batch_timeout: "3s" },
      yaml: "scheduler:\n  interval: 1s\n",
    });
    const { gleaner } = scene;
    await newSamples(cluster, database);

    await takeAway(
      cluster,
      database,
      "drop schema public cascade; create schema public; grant all on schema public to gleaner",
      gone,
    );
    await eventually(async () => assert.equal(await counted(scene), 1, "the missing schema is noticed"));
    const recoverySeconds = await recovery(gleaner);
    await assertSeriesApart(cluster, database, await newSamples(cluster, database));
    assert.ok((await cluster.sql(database, "select 1 from plugins")).length > 3, "the plugins are registered again");

    const outages = await counted(scene);
    await cluster.sql(database, "truncate series, samples, documents restart identity");
    await assertSeriesApart(cluster, database, await newSamples(cluster, database));
    assert.equal(await counted(scene), outages, "no write failed");

    const other = await otherDatabase(cluster, database);
    const stored = async () => Number((await cluster.sql(database, "select count(*) as n from drones"))[0]?.["n"]);
    const before = await stored();
    await eventually(async () => assert.ok((await stored()) > before, "a write has just been"));
    await swap(cluster, database, other);
    await assertSeriesApart(cluster, database, await newSamples(cluster, database));
    assert.equal(await counted(scene), outages, "no write failed, and the swap was noticed all the same");
    assert.equal(await isUp(gleaner), true);
    for (const key of await storedKeys((text) => cluster.sql("taken_away", text))) gone.add(key);
    const figures = await scene.finish(gone);
    return {
      ...figures,
      recoverySeconds,
      note: `and ${gone.size} rows were taken away with the databases that held them`,
    };
  },
);

/** A standby that follows a primary. */
const standbyOf = (primary: Cluster) =>
  startCluster({
    fill: async (data) =>
      void (await primary.run("pg_basebackup", [
        "-D",
        data,
        "-R",
        "-c",
        "fast",
        "-h",
        primary.folder,
        "-U",
        "postgres",
      ])),
  });

fault(
  "D7",
  "read-only for 2 s (25006); then the primary dies with 2 s of commits that its standby has not got, and that is promoted",
  { quick: false, skip },
  async () => {
    await using primary = await startCluster();
    const [kept, control] = [await primary.createDatabase(), await primary.createDatabase()];
    await using standby = await standbyOf(primary);
    using folder = temporaryFolder();
    // Where clients find the server of the moment, as a floating address.
    const current = folder.at("current");
    const point = ({ folder: place }: Cluster) => {
      rmSync(current, { force: true });
      symlinkSync(place, current);
    };
    point(primary);
    const url = (database: string) => `postgresql://gleaner@localhost/${database}?host=${encodeURIComponent(current)}`;
    const sim = { kits: 10 };
    await using scene = await startScene({ url: url(kept), sim, store: { keep_committed: "10m" } });
    await using other = await startScene({ url: url(control), sim });
    const both = [scene.gleaner, other.gleaner];

    await primary.sql("postgres", "alter system set default_transaction_read_only = on");
    await primary.sql("postgres", "select pg_reload_conf()");
    for (const gleaner of both) await untilDown(gleaner);
    assert.match(await (await scene.gleaner.get("/-/ready")).text(), /read-only transaction/);
    await sleep(2_000);
    await readWrite(primary);
    for (const gleaner of both) await recovery(gleaner);

    const [sender] = primary.processes("walsender");
    assert.ok(sender, "the standby is fed");
    process.kill(sender, "SIGSTOP");
    await sleep(2_000);
    await primary.kill();
    await standby.sql("postgres", "select pg_promote()");
    point(standby);
    const recoverySeconds = Math.max(...(await Promise.all(both.map((gleaner) => recovery(gleaner)))));
    const figures = await scene.finish();
    const { missing = 0 } = await other.finish();
    assert.ok(missing > 0, "the control, without keep_committed, misses what only the primary had");
    assert.equal(logged(scene.gleaner, /is written again/), 1);
    return { ...figures, recoverySeconds, note: `with keep_committed; the control without it misses ${missing} rows` };
  },
);

/** Undoes default_transaction_read_only, under which nothing may be changed by default. */
async function readWrite(cluster: Cluster): Promise<void> {
  const client = await cluster.connect("postgres");
  await client.query("set default_transaction_read_only = off");
  await client.query("alter system reset default_transaction_read_only");
  await client.query("select pg_reload_conf()");
  await client.end();
}
