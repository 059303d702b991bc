import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Place, startGleaner } from "../support/process.ts";
import { type Reader, readPostgres, readSqlite } from "../support/rows.ts";
import { type Sim, startSim } from "../support/sim.ts";
import { accountsOf } from "./support/accounts.ts";
import { type Cluster, startCluster } from "./support/cluster.ts";
import { isQuick, peakRssMb, randomFrom } from "./support/facts.ts";
import { type Figures, fault } from "./support/fault.ts";
import { LASTING, rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";

const KITS = 50;
/** From the start of the process to the first request that a kit gets. */
const FIRST_POLL_MS = 3_000;

interface Crashes {
  readonly sim: Sim;
  readonly place: Place;
  readonly kills: number;
  readonly random: () => number;
  readonly read: () => Promise<Reader>;
  /** Something else that happens while gleaner runs. */
  readonly meanwhile?: () => Promise<void>;
}

/** Kills gleaner at random moments, lets it come to rest, and compares. */
async function crash({ sim, place, kills, random, read, meanwhile }: Crashes): Promise<Figures> {
  let slowest = 0;
  for (let i = 0; i < kills; i++) {
    const { requests } = await sim.stats();
    const begun = performance.now();
    await using gleaner = await startGleaner(place);
    await eventually(async () => assert.ok((await sim.stats()).requests > requests));
    slowest = Math.max(slowest, performance.now() - begun);
    await Promise.all([sleep(random() * 1_000), meanwhile?.()]);
    gleaner.signal("SIGKILL");
    assert.deepEqual(await gleaner.exited, { code: null, signal: "SIGKILL" });
  }
  assert.ok(slowest <= FIRST_POLL_MS, `the first poll came after ${slowest} ms`);
  await using gleaner = await startGleaner(place);
  const begun = performance.now();
  await eventually(async () => {
    const accounts = await accountsOf(gleaner);
    assert.ok(accounts.pending === 0 && accounts.taken > 0);
    assert.equal((await gleaner.get("/-/ready")).status, 200);
  });
  const recoverySeconds = Math.round((performance.now() - begun) / 100) / 10;
  // Every kit has been asked once more: what was on its way at the last kill has come again.
  await sleep(1_500);
  const rss = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = await read();
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  assert.ok(offered > KITS * 10, `${offered} rows`);
  const note = `${kills} kills; restart to first poll at most ${Math.round(slowest)} ms`;
  return { offered, stored, missing: missing.length, duplicates, recoverySeconds, peakRssMb: rss, note };
}

const settings = { kits: KITS, fresh: false, args: [...LASTING, "--drones", "12"] };

fault("C1", "kill -9 of gleaner at random moments, SQLite", { quick: true, timeout: 300_000 }, async () => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, settings);
  const read = async () => readSqlite(folder.at("data/gleaner.db"));
  return await crash({ sim, place: rig(folder, sim), kills: isQuick ? 4 : 50, random: randomFrom(1), read });
});

/** Kills the database at a random moment of the next second and starts it again. */
async function strike(cluster: Cluster, random: () => number): Promise<void> {
  await sleep(random() * 700);
  await cluster.kill();
  await sleep(random() * 300);
  await cluster.start();
}

const title = "kill -9 of gleaner and of PostgreSQL at random moments";
fault("C1", title, { quick: true, timeout: 300_000, skip: whyNoPostgres() ?? false }, async () => {
  using folder = temporaryFolder();
  await using cluster = await startCluster();
  const url = cluster.url(await cluster.createDatabase());
  await using sim = await startSim(folder, settings);
  const place = rig(folder, sim, { env: { DATABASE_URL: url } });
  const [kills, random] = [isQuick ? 3 : 50, randomFrom(2)];
  return await crash({
    ...{ sim, place, kills, random, read: () => readPostgres(url) },
    meanwhile: () => strike(cluster, random),
  });
});
