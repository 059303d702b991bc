import assert from "node:assert/strict";
import { rmSync, symlinkSync } from "node:fs";
import { whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { type Gleaner, startGleaner } from "../support/process.ts";
import { readPostgres } from "../support/rows.ts";
import { scrape } from "../support/scrape.ts";
import { type Sim, startSim } from "../support/sim.ts";
import { accountsOf, assertBalanced, total } from "./support/accounts.ts";
import { type Cluster, startCluster } from "./support/cluster.ts";
import { peakRssMb, rssMb } from "./support/facts.ts";
import { type Figures, fault } from "./support/fault.ts";
import { ext4, fill, tmpfs, whyNoLoop, whyNoMounts } from "./support/mounts.ts";
import { absentPostgres, rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";

const noLoop = whyNoLoop();
const noMounts = whyNoMounts() || (whyNoPostgres() ?? false);
const MiB = 1024 * 1024;

/** Lets the database that was absent be there: its socket is where gleaner looks for it. */
const comeBack = (folder: TemporaryFolder, cluster: Cluster) => symlinkSync(cluster.folder, folder.at("no-socket"));

/** Waits until nothing waits, stops, and compares; `dropped` of what is missing was given up and counted. */
async function settle(folder: TemporaryFolder, sim: Sim, gleaner: Gleaner): Promise<Figures> {
  const begun = performance.now();
  for (const { id } of sim.kits) await sim.setFault(id, "refused");
  const { dropped } = await eventually(async () => {
    const accounts = await accountsOf(gleaner);
    assert.equal(accounts.pending, 0, JSON.stringify(accounts));
    assert.equal((await gleaner.get("/-/ready")).status, 200);
    // What was on its way to a disk that broke may have come there, and is then written twice and counted as a duplicate.
    const { taken, stored, duplicate, dropped } = accounts;
    assert.ok(stored + dropped <= taken && taken <= stored + duplicate + dropped, JSON.stringify(accounts));
    return accounts;
  });
  const recoverySeconds = Math.round((performance.now() - begun) / 100) / 10;
  const rss = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = await readPostgres(absentPostgres(folder));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  return {
    ...{ offered, stored, dropped, missing: Math.max(0, missing.length - dropped), duplicates },
    ...{ recoverySeconds, peakRssMb: rss },
  };
}

async function fullDisk(policy: "drop_oldest" | "block"): Promise<Figures> {
  using folder = temporaryFolder();
  using disk = tmpfs(folder.at("disk"), 40);
  await using cluster = await startCluster();
  await using sim = await startSim(folder, { kits: 20 });
  const place = rig(folder, sim, {
    store: `  spool: { min_free_bytes: 8MiB, when_full: ${policy} }`,
    env: { DATABASE_URL: absentPostgres(folder), GLEANER_DATA_DIR: disk.path },
  });
  await using gleaner = await startGleaner(place);
  await eventually(async () => assert.ok((await accountsOf(gleaner)).pending > 600));
  const base = rssMb(gleaner.pid);
  const before = await accountsOf(gleaner);
  assert.equal(before.dropped, 0);
  const filler = fill(disk.path, 4 * MiB);
  const during = await eventually(async () => {
    const now = await accountsOf(gleaner);
    if (policy === "drop_oldest") assert.ok(now.dropped > 300);
    else assert.ok(total(await scrape(gleaner), "gleaner_job_skipped_total", /reason="paused"/) > 50);
    return now;
  });
  assertBalanced(during);
  if (policy === "block") assert.equal(during.dropped, 0);
  // What is given up makes room for what comes, and no more.
  else assert.ok(during.dropped <= 1.5 * (during.taken - before.taken) + 200, JSON.stringify({ before, during }));
  assert.ok(rssMb(gleaner.pid) < base + 100, "memory is bounded");
  rmSync(filler);
  const after = await eventually(async () => {
    const now = await accountsOf(gleaner);
    assert.ok(now.taken > during.taken + 500, "it collects again");
    return now;
  });
  await eventually(async () => assert.ok((await accountsOf(gleaner)).taken > after.taken + 200));
  assert.equal((await accountsOf(gleaner)).dropped, after.dropped, "there is room: nothing more is given up");
  comeBack(folder, cluster);
  return await settle(folder, sim, gleaner);
}

fault("C5", "the spool's disk is full: drop_oldest", { quick: true, skip: noMounts }, () => fullDisk("drop_oldest"));
fault("C5", "the spool's disk is full: block", { quick: false, skip: noMounts }, () => fullDisk("block"));

fault("C5", "the spool's disk is read-only at the start", { quick: false, skip: noMounts }, async () => {
  using folder = temporaryFolder();
  using disk = tmpfs(folder.at("disk"), 40);
  disk.remount("ro");
  await using cluster = await startCluster();
  await using sim = await startSim(folder, { kits: 20 });
  const env = { DATABASE_URL: absentPostgres(folder), GLEANER_DATA_DIR: disk.path };
  await using gleaner = await startGleaner(rig(folder, sim, { store: "  spool: { min_free_bytes: 1MiB }", env }));
  await eventually(async () => assert.ok((await accountsOf(gleaner)).pending > 1_000, "it goes on in memory"));
  assert.equal((await scrape(gleaner)).get("gleaner_spool_batches"), 0);
  disk.remount("rw");
  await eventually(async () => {
    const series = await scrape(gleaner);
    assert.ok((series.get("gleaner_spool_batches") ?? 0) > 0, "it spools as soon as it can");
  });
  comeBack(folder, cluster);
  const figures = await settle(folder, sim, gleaner);
  assert.equal(figures.dropped, 0);
  return figures;
});

fault("C5", "the spool's disk breaks (EIO) and is replaced", { quick: false, skip: noLoop || noMounts }, async () => {
  using folder = temporaryFolder();
  using disk = ext4(folder.at("disk"), folder.at("image"), 128);
  await using cluster = await startCluster();
  await using sim = await startSim(folder, { kits: 20 });
  const env = { DATABASE_URL: absentPostgres(folder), GLEANER_DATA_DIR: disk.path };
  await using gleaner = await startGleaner(rig(folder, sim, { store: "  spool: { min_free_bytes: 1MiB }", env }));
  await eventually(async () => assert.ok((await accountsOf(gleaner)).pending > 1_000));
  disk.cut();
  const { taken } = await accountsOf(gleaner);
  await eventually(async () => assert.ok((await accountsOf(gleaner)).taken > taken + 1_000, "it goes on in memory"));
  assert.equal((await gleaner.get("/-/healthy")).status, 200);
  disk.replug();
  await eventually(async () => {
    const series = await scrape(gleaner);
    assert.ok((series.get("gleaner_spool_batches") ?? 0) > 0, "it spools as soon as it can");
  });
  comeBack(folder, cluster);
  const figures = await settle(folder, sim, gleaner);
  assert.equal(figures.dropped, 0);
  return figures;
});
