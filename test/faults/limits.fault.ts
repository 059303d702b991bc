import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { type Gleaner, startGleaner } from "../support/process.ts";
import { readPostgres, readSqlite } from "../support/rows.ts";
import { kitState, scrape } from "../support/scrape.ts";
import { type Sim, startSim } from "../support/sim.ts";
import { accountsOf, total } from "./support/accounts.ts";
import { startCluster } from "./support/cluster.ts";
import { openFiles, peakRssMb } from "./support/facts.ts";
import { type Figures, fault } from "./support/fault.ts";
import { rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";

const has = (command: string) => !spawnSync(command, ["--version"]).error;
const isGone = (gleaner: Gleaner) => !existsSync(`/proc/${gleaner.pid}`);

/** Stops and compares with the embedded database. */
async function finish(folder: TemporaryFolder, sim: Sim, gleaner: Gleaner): Promise<Figures> {
  for (const { id } of sim.kits) await sim.setFault(id, "refused");
  await eventually(async () => assert.equal((await accountsOf(gleaner)).pending, 0));
  const rss = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = readSqlite(folder.at("data/gleaner.db"));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  return { offered, stored, missing: missing.length, duplicates, peakRssMb: rss };
}

const LIMIT = 256;
const noPrlimit = has("prlimit") ? false : "prlimit is not installed (Debian package util-linux)";

fault("C15", `no more than ${LIMIT} open files`, { quick: true, skip: noPrlimit }, async () => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, { kits: 200 });
  const env = { POLL_INTERVAL: "2s", STATUS_POLL_INTERVAL: "2s", REQUEST_TIMEOUT: "2s" };
  await using gleaner = await startGleaner(rig(folder, sim, { env }));
  const online = async () => {
    const series = await scrape(gleaner);
    assert.equal(total(series, "gleaner_kit_up"), sim.kits.length);
    return series;
  };
  await eventually(online);
  spawnSync("prlimit", ["--pid", String(gleaner.pid), `--nofile=${LIMIT}:${LIMIT}`]);
  for (const { id } of sim.kits.slice(20)) await sim.setFault(id, "hung");
  let most = 0;
  // No file is left for who asks how it is, so it is looked at from outside until the log speaks of it.
  await eventually(() => {
    assert.ok(!isGone(gleaner), "it has ended");
    most = Math.max(most, openFiles(gleaner.pid));
    assert.ok(
      gleaner.log().some((line) => /EMFILE|too many open files/i.test(JSON.stringify(line))),
      `${most} files`,
    );
  });
  await sleep(1_000);
  assert.ok(!isGone(gleaner) && most <= LIMIT);
  for (const { id } of sim.kits) await sim.setFault(id, "healthy");
  const begun = performance.now();
  const series = await eventually(online);
  const recoverySeconds = Math.round((performance.now() - begun) / 100) / 10;
  assert.equal(kitState(series, "kit-001"), "online");
  assert.equal((await gleaner.get("/-/ready")).status, 200);
  const note = `${most} files open at most; the log names EMFILE`;
  return { ...(await finish(folder, sim, gleaner)), recoverySeconds, note };
});

const noPostgres = whyNoPostgres() ?? false;

fault("C15", "a heap of 96 MB while the database is away", { quick: false, skip: noPostgres }, async () => {
  using folder = temporaryFolder();
  await using cluster = await startCluster();
  const url = cluster.url(await cluster.createDatabase());
  await using sim = await startSim(folder, { kits: 50 });
  const env = { DATABASE_URL: url, NODE_OPTIONS: "--max-old-space-size=96" };
  await using gleaner = await startGleaner(rig(folder, sim, { env }));
  await eventually(async () => assert.ok((await accountsOf(gleaner)).stored > 500));
  await cluster.stop();
  await eventually(async () => assert.ok((await accountsOf(gleaner)).pending > 15_000), 60_000);
  const rss = peakRssMb(gleaner.pid);
  await cluster.start();
  for (const { id } of sim.kits) await sim.setFault(id, "refused");
  const begun = performance.now();
  const { dropped } = await eventually(async () => {
    const accounts = await accountsOf(gleaner);
    assert.equal(accounts.pending, 0);
    return accounts;
  }, 40_000);
  const recoverySeconds = Math.round((performance.now() - begun) / 100) / 10;
  assert.ok(rss < 350, `${rss} MB`);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = await readPostgres(url);
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  const note = "a limit by cgroup needs cgroups, which not every machine has";
  return { offered, stored, dropped, missing: missing.length, duplicates, peakRssMb: rss, recoverySeconds, note };
});

const noTaskset = has("taskset") ? false : "taskset is not installed (Debian package util-linux)";

fault("C15", "a sixth of one CPU", { quick: false, skip: noTaskset }, async () => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, { kits: 20 });
  await using gleaner = await startGleaner(rig(folder, sim));
  await eventually(async () => assert.ok((await accountsOf(gleaner)).stored > 500));
  const pin = (pid: number) => spawnSync("taskset", ["--all-tasks", "-cp", "0", String(pid)]);
  const busy = Array.from({ length: 5 }, () => spawn("taskset", ["-c", "0", process.execPath, "-e", "for(;;);"]));
  try {
    assert.equal(pin(gleaner.pid).status, 0);
    const runs = async () => total(await scrape(gleaner), "gleaner_job_runs_total");
    const [before, begun] = [await runs(), performance.now()];
    await sleep(8_000);
    const share = ((await runs()) - before) / ((20 * (2 / 0.5 + 1) * (performance.now() - begun)) / 1_000);
    assert.ok(share > 0.5, `${share} of the runs that were due`);
    assert.equal((await gleaner.get("/-/healthy")).status, 200);
    const onTimePercent = Math.round(Math.min(1, share) * 1_000) / 10;
    return { ...(await finish(folder, sim, gleaner)), onTimePercent };
  } finally {
    for (const child of busy) child.kill("SIGKILL");
  }
});
