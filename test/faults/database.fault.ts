import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster } from "./support/cluster.ts";
import { isQuick, randomFrom } from "./support/facts.ts";
import { fault } from "./support/fault.ts";
import { logged, POLL_MS, recovery, startScene, untilDown, watch } from "./support/scene.ts";

/** Backends of the server that serve gleaner. */
const BACKENDS = "select pid from pg_stat_activity where application_name = 'gleaner'";

const skip = whyNoPostgres() ?? false;
const SEED = Number(process.env["FAULTS_SEED"] ?? 1);

fault("D1", "database down at the start, started 3 s later", { quick: true, skip }, async () => {
  await using cluster = await startCluster();
  const url = cluster.url(await cluster.createDatabase());
  await cluster.stop();
  await using scene = await startScene({ url });
  const { gleaner } = scene;
  const watching = watch(gleaner);
  await sleep(3_000);
  await cluster.start();
  const recoverySeconds = await recovery(gleaner);
  assert.ok(recoverySeconds < 8, `${recoverySeconds} s`);
  const { p99, ready } = await watching.stop();
  assert.ok(p99 < 1_000, `p99 ${p99}`);
  assert.match(ready[0] ?? "", /^503 .*the store cannot be written/s);
  assert.equal((await gleaner.get("/-/ready")).status, 200);
  return { ...(await scene.finish()), recoverySeconds };
});

fault(
  "D2",
  "every process of the database killed at a random moment under load, and started again, time after time",
  { quick: true, timeout: 300_000, skip },
  async () => {
    const kills = isQuick ? 8 : 50;
    const random = randomFrom(SEED);
    await using cluster = await startCluster();
    const sim = { kits: isQuick ? 20 : 50 };
    await using scene = await startScene({ url: cluster.url(await cluster.createDatabase()), sim });
    const recoveries: number[] = [];
    for (let i = 0; i < kills; i++) {
      await sleep(random() * 400);
      await cluster.kill();
      await sleep(random() * 200);
      await cluster.start();
      recoveries.push(await recovery(scene.gleaner));
    }
    const sorted = recoveries.toSorted((a, b) => a - b);
    const note = `${kills} kills under ${sim.kits} kits, seed ${SEED}, recovery p50 ${sorted[kills >> 1]} s`;
    return { ...(await scene.finish()), recoverySeconds: sorted.at(-1) ?? 0, note };
  },
);

fault(
  "D3",
  "every process of the database stopped (SIGSTOP) for six statement time-outs, then continued",
  { quick: true, skip },
  async () => {
    await using cluster = await startCluster();
    const database = await cluster.createDatabase();
    await using scene = await startScene({ url: cluster.url(database), store: { statement_timeout: "1s" } });
    const { gleaner } = scene;
    const before = (await cluster.sql(database, BACKENDS)).map(({ pid }) => pid);
    assert.ok(before.length > 0);
    const watching = watch(gleaner);
    cluster.signal("SIGSTOP");
    await untilDown(gleaner, 4_000);
    await sleep(6_000);
    const { p99, ready } = await watching.stop();
    cluster.signal("SIGCONT");
    const recoverySeconds = await recovery(gleaner);
    assert.ok(p99 < 1_000, `p99 ${p99}`);
    assert.ok(ready.some((answer) => answer.startsWith("503 ")));
    assert.equal(logged(gleaner, /cannot be written/), 1, "one line for the outage");
    assert.equal(logged(gleaner, /can be written again/), 1, "one line for its end");
    const after = (await cluster.sql(database, BACKENDS)).map(({ pid }) => pid);
    assert.ok(!after.some((pid) => before.includes(pid)), "connections in doubt are destroyed, not used again");
    // Two of a write, and one each of those who look now and then whether plugins or agents were changed.
    assert.ok(after.length <= 4, `${after.length} connections`);
    return { ...(await scene.finish()), recoverySeconds, note: `p99 of answers ${Math.round(p99)} ms` };
  },
);

fault("D6", "slow database: every row of drones takes 4 ms to insert, 8 s long", { quick: false, skip }, async () => {
  await using cluster = await startCluster();
  const database = await cluster.createDatabase();
  await using scene = await startScene({ url: cluster.url(database) });
  const { gleaner } = scene;
  await cluster.sql(
    database,
    `create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.004); return new; end $$;
     create trigger slow before insert on drones for each row execute function slow()`,
  );
  const stored = async () => Number((await cluster.sql(database, "select count(*) as n from drones"))[0]?.["n"]);
  const [first] = [await stored()];
  const watching = watch(gleaner);
  await sleep(8_000);
  const { p99 } = await watching.stop();
  assert.ok(p99 < 1_000, `p99 ${p99}`);
  const rate = Math.round(((await stored()) - first) / 8);
  assert.ok(rate > 125, `${rate} rows a second of the 250 that it can`);
  await cluster.sql(database, "drop trigger slow on drones");
  const recoverySeconds = await recovery(gleaner);
  return { ...(await scene.finish()), recoverySeconds, note: `${rate} rows a second while slow` };
});

fault("D8", "no connection left for 6 s (53300)", { quick: false, skip }, async () => {
  await using cluster = await startCluster({ settings: { max_connections: 9, log_connections: "on" } });
  const database = await cluster.createDatabase();
  await using scene = await startScene({ url: cluster.url(database) });
  const { gleaner } = scene;
  await using hoard = new AsyncDisposableStack();
  const takeAll = async () => {
    for (;;) {
      const client = await cluster.connect(database, "gleaner").catch(() => undefined);
      if (!client) return;
      hoard.defer(() => client.end());
    }
  };
  await takeAll();
  await cluster.sql(database, `select pg_terminate_backend(pid) from (${BACKENDS}) as backends`);
  await takeAll();
  await untilDown(gleaner);
  await eventually(async () =>
    assert.match(await (await gleaner.get("/-/ready")).text(), /connection slots|too many clients/),
  );
  const attempts = () => cluster.log().split("connection received").length;
  const before = attempts();
  await sleep(6_000);
  const tries = attempts() - before;
  assert.ok(tries <= 8, `${tries} connection attempts in 6 s`);
  await hoard.disposeAsync();
  const recoverySeconds = await recovery(gleaner);
  return { ...(await scene.finish()), recoverySeconds, note: `${tries} connection attempts in 6 s without any` };
});

fault("D9", "one drone that a constraint of the database refuses (23514)", { quick: true, skip }, async () => {
  await using cluster = await startCluster({ settings: { log_connections: "on" } });
  const database = await cluster.createDatabase();
  await using scene = await startScene({ url: cluster.url(database) });
  const poison = (await scene.sim.ledger()).find(({ drone_id }) => drone_id !== undefined)?.drone_id ?? "";
  const connections = cluster.log().split("connection received").length;
  await cluster.sql(
    database,
    `alter table drones add constraint no_such_drone check (drone_id <> '${poison}') not valid`,
  );
  await sleep(4_000);
  const figures = await scene.finish();
  const letters = await cluster.sql(
    database,
    "select table_name, row_json ->> 'drone_id' as id, reason from dead_letters",
  );
  assert.ok(letters.length >= 4_000 / POLL_MS / 2, `${letters.length} dead letters`);
  for (const { table_name, id, reason } of letters) {
    assert.deepEqual([table_name, id], ["drones", poison]);
    assert.match(String(reason), /violates check constraint "no_such_drone"/);
  }
  assert.equal(figures.rejected, letters.length);
  assert.equal(logged(scene.gleaner, /cannot be written/), 0, "a poison row is no outage");
  const more = cluster.log().split("connection received").length - connections;
  assert.ok(more < 15, `${more} connections`);
  return { ...figures, note: `${letters.length} observations of one drone` };
});

fault(
  "D10",
  "deadlocks and serialization failures, a table locked beyond lock_timeout, a change of the schema under way",
  { quick: false, skip },
  async () => {
    await using cluster = await startCluster();
    const database = await cluster.createDatabase();
    await using scene = await startScene({ url: cluster.url(database) });
    const { gleaner } = scene;
    await cluster.sql(
      database,
      `create sequence tries; grant all on sequence tries to gleaner;
       create function clash() returns trigger language plpgsql as $$ begin
         case nextval('tries') when 1 then raise 'clash' using errcode = '40P01'; when 2 then raise 'clash' using errcode = '40001';
                               when 4 then raise 'plan' using errcode = '0A000'; else return null; end case; end $$;
       create trigger clash before insert on drones for each statement execute function clash()`,
    );
    await eventually(async () => {
      const [row] = await cluster.sql(database, "select last_value from tries");
      assert.ok(Number(row?.["last_value"]) > 4);
    });
    await cluster.sql(database, "drop trigger clash on drones");
    const holder = await cluster.connect(database);
    await holder.query("begin; lock table drones in access exclusive mode");
    await untilDown(gleaner);
    assert.match(await (await gleaner.get("/-/ready")).text(), /lock timeout/);
    await holder.query("commit");
    const recoverySeconds = await recovery(gleaner);
    await holder.query("begin; alter table drones add column weight double precision");
    await sleep(2_000);
    await holder.query("commit");
    await holder.end();
    return { ...(await scene.finish()), recoverySeconds };
  },
);

fault("D11", "synchronous_commit = off at the server", { quick: true, skip }, async () => {
  await using cluster = await startCluster({ settings: { synchronous_commit: "off" } });
  const database = await cluster.createDatabase();
  await using scene = await startScene({ url: cluster.url(database) });
  await cluster.sql(
    database,
    `create table seen (value text); grant all on seen to gleaner;
     create function look() returns trigger language plpgsql as $$ begin insert into seen values (current_setting('synchronous_commit')); return null; end $$;
     create trigger look after insert on drones for each statement execute function look()`,
  );
  await eventually(async () => assert.ok((await cluster.sql(database, "select 1 from seen")).length > 3));
  const seen = await cluster.sql(
    database,
    "select distinct value, current_setting('synchronous_commit') as server from seen",
  );
  assert.deepEqual(seen, [{ value: "on", server: "off" }]);
  assert.equal(logged(scene.gleaner, /fsync=off/), 1, "and a server that never syncs is told of");
  return { ...(await scene.finish()), note: "gleaner's own sessions commit with on" };
});
