import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openSpoolFile } from "../../src/store/spool-file.ts";
import { whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { type Gleaner, runGleaner, startGleaner } from "../support/process.ts";
import { readPostgres, readSqlite } from "../support/rows.ts";
import { scrape } from "../support/scrape.ts";
import { type Sim, startSim } from "../support/sim.ts";
import { accountsOf, assertBalanced, total } from "./support/accounts.ts";
import { type Cluster, startCluster } from "./support/cluster.ts";
import { isQuick, peakRssMb, randomFrom, rssMb } from "./support/facts.ts";
import { type Figures, fault } from "./support/fault.ts";
import { ext4, tmpfs, whyNoLoop, whyNoMounts } from "./support/mounts.ts";
import { absentPostgres, LASTING, rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";
import { fillSpool, restartOn } from "./support/spooled.ts";

const WRITER = fileURLToPath(new URL("./support/spool-writer.ts", import.meta.url));
const random = randomFrom(42);

/** Cuts the power under a program that appends to a spool; how many records it was promised, and how many are gone. */
async function cutUnderWriter(mode: "full" | "normal"): Promise<{ acknowledged: number; missing: number }> {
  using folder = temporaryFolder();
  using disk = ext4(folder.at("disk"), folder.at("image"), 64);
  const [spool, log] = [join(disk.path, "spool.db"), folder.at("acknowledged")];
  const writer = spawn(process.execPath, [WRITER, spool, log, mode], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(writer, "close");
  try {
    await once(writer.stdout, "data");
    await sleep(300 + random() * 500);
    disk.cut();
  } finally {
    writer.kill("SIGKILL");
    await ended;
  }
  disk.replug();
  const acknowledged = readFileSync(log, "utf8").trim().split("\n");
  const there = new Set(recordsOf(spool));
  return { acknowledged: acknowledged.length, missing: acknowledged.filter((n) => !there.has(n)).length };
}

/** Bodies of all records of a spool. */
function recordsOf(path: string): string[] {
  const spool = openSpoolFile(path);
  const bodies: string[] = [];
  let after = 0;
  for (let records = spool.read(after, 1e9); records.length > 0; records = spool.read(after, 1e9)) {
    bodies.push(...records.map(({ body }) => body ?? ""));
    after = records.at(-1)?.id ?? after;
  }
  spool.close();
  return bodies;
}

const noLoop = whyNoLoop();

fault("C2", "power cut under the spool; records", { quick: true, skip: noLoop }, async () => {
  const cuts = isQuick ? 2 : 6;
  let [offered, missing] = [0, 0];
  for (let i = 0; i < cuts; i++) {
    const cut = await cutUnderWriter("full");
    assert.ok(cut.acknowledged > 50, "there was something to lose");
    offered += cut.acknowledged;
    missing += cut.missing;
  }
  // A cut just after a checkpoint loses nothing: the control has several tries.
  let lost = 0;
  for (let i = 0; i < 6 && lost === 0; i++) lost += (await cutUnderWriter("normal")).missing;
  assert.ok(lost > 0, "the control lost nothing: this test would not notice a loss");
  const note = `${cuts} cuts; control with synchronous=NORMAL lost ${lost}`;
  return { offered, stored: offered - missing, missing, duplicates: 0, note };
});

/** Cuts the power under a gleaner, brings the machine back, and compares what kits had sent with what is kept. */
async function cutUnderGleaner(database: "spooling" | "embedded"): Promise<Figures> {
  using folder = temporaryFolder();
  using disk = ext4(folder.at("disk"), folder.at("image"), 256);
  await using sim = await startSim(folder, { kits: 20, fresh: false, args: LASTING });
  const env = { GLEANER_DATA_DIR: disk.path };
  const url = database === "spooling" ? { DATABASE_URL: absentPostgres(folder) } : {};
  let promised = 0;
  {
    const place = rig(folder, sim, { env: { ...env, ...url }, store: "  spool: { min_free_bytes: 1MiB }" });
    await using gleaner = await startGleaner(place);
    await sleep(3_000 + random() * 1_000);
    const series = await scrape(gleaner);
    const { stored } = await accountsOf(gleaner);
    promised = database === "spooling" ? (series.get("gleaner_spool_batches") ?? 0) : stored;
    assert.ok(promised > 10, `${promised} were durable before the cut`);
    disk.cut();
  }
  disk.replug();
  if (database === "spooling") {
    const there = recordsOf(join(disk.path, "spool.db")).length;
    assert.ok(there >= promised, `${there} of ${promised} batches`);
  }
  const begun = performance.now();
  await using gleaner = await startGleaner(rig(folder, sim, { env }));
  await eventually(async () => {
    assert.equal((await accountsOf(gleaner)).pending, 0);
    assert.equal((await gleaner.get("/-/ready")).status, 200);
  });
  const recoverySeconds = (performance.now() - begun) / 1_000;
  await sleep(1_000);
  const peak = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = readSqlite(join(disk.path, "gleaner.db"));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  return {
    ...{ offered, stored, missing: missing.length, duplicates, peakRssMb: peak },
    recoverySeconds: Math.round(recoverySeconds * 10) / 10,
  };
}

fault("C2", "power cut under a gleaner that waits for its database", { quick: true, skip: noLoop }, () =>
  cutUnderGleaner("spooling"),
);
fault("C2", "power cut under a gleaner on SQLite", { quick: false, skip: noLoop }, () => cutUnderGleaner("embedded"));

/** Ways a spool can be found, each with what is done to a good one. */
const DAMAGE: Readonly<Record<string, (file: string) => void>> = {
  "a flipped bit": (file) => overwrite(file, (bytes) => flip(bytes, 1)),
  "a hundred flipped bits": (file) => overwrite(file, (bytes) => flip(bytes, 100)),
  "a page of zeros": (file) =>
    overwrite(file, (bytes) => bytes.fill(0, ...page(4_096 * (1 + Math.floor(random() * (bytes.length / 4_096 - 1)))))),
  "no header": (file) => overwrite(file, (bytes) => bytes.fill(0xff, 0, 100)),
  "cut in half": (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  "cut within a page": (file) => truncateSync(file, Math.floor(statSync(file).size / 3) + 1_000),
  empty: (file) => truncateSync(file, 0),
  garbage: (file) => overwrite(file, (bytes) => bytes.map(() => random() * 256)),
  text: (file) => writeFileSync(file, "this is no database\n"),
  "a log of garbage": (file) => writeFileSync(`${file}-wal`, randomBytes(100_000)),
  missing: (file) => rmSync(file),
  "readable by everyone": (file) => chmodSync(file, 0o666),
};
/** What leaves nothing to be read. */
const HOPELESS = new Set(["empty", "garbage", "text", "missing"]);
const QUICK = new Set(["a flipped bit", "no header", "cut in half", "garbage"]);
const HARMLESS = new Set(["a log of garbage", "readable by everyone"]);

function overwrite(file: string, change: (bytes: Buffer) => Uint8Array): void {
  writeFileSync(file, change(readFileSync(file)));
}

function flip(bytes: Buffer, bits: number): Buffer {
  for (let i = 0; i < bits; i++) {
    const at = Math.floor(random() * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  return bytes;
}

const page = (start: number): [number, number] => [start, start + 4_096];

fault("C6", "a spool found damaged at a start", { quick: true, timeout: 300_000 }, async () => {
  using folder = temporaryFolder();
  const spooled = await fillSpool(folder);
  const sum = { offered: 0, stored: 0, dropped: 0, duplicates: 0 };
  let starts = 0;
  const rounds = isQuick ? 1 : 4;
  for (let round = 0; round < rounds; round++)
    for (const [name, damage] of Object.entries(DAMAGE)) {
      // What does not depend on chance is shown by one round.
      if (round > 0 && !/bit|page/.test(name)) continue;
      if (isQuick && !QUICK.has(name)) continue;
      const found = await restartOn(folder, spooled, `${name} ${round}`, damage);
      const lost = found.missing.length;
      const told = found.log.some(({ msg }) => /^the spool is damaged .* was kept as /.test(String(msg)));
      const aside = readdirSync(found.folder).filter((file) => file.startsWith("spool.db.damaged-"));
      assert.equal(aside.length > 0, told, `${name}: the file is kept, and the log says so`);
      assert.equal(statSync(join(found.folder, "spool.db")).mode & 0o777, 0o600, name);
      if (HARMLESS.has(name)) assert.equal(lost, 0, name);
      if (HOPELESS.has(name)) assert.equal(lost, found.offered, name);
      else if (!/cut/.test(name)) assert.ok(lost < found.offered, `${name}: all ${lost} rows are lost`);
      if (lost > 0 && !["empty", "missing"].includes(name)) assert.ok(told || found.accounts.dropped >= lost, name);
      if (/^a flipped bit/.test(name)) assert.ok(lost <= spooled.ledger.length / 4, `${name}: ${lost}`);
      starts += 1;
      sum.offered += found.offered;
      sum.stored += found.stored;
      sum.dropped += lost;
      sum.duplicates += found.duplicates;
      rmSync(found.folder, { recursive: true });
    }
  return {
    ...sum,
    missing: sum.offered - sum.stored - sum.dropped,
    note: `${starts} starts of ${starts}; dropped is what the damage took`,
  };
});

fault("C16", "two gleaners on one spool", { quick: true }, async () => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, { kits: 5, fresh: false, args: LASTING });
  const place = rig(folder, sim);
  await using first = await startGleaner(place);
  for (let attempt = 0; attempt < 3; attempt++) {
    const second = await runGleaner(["serve"], { ...place, env: { ...place.env, GLEANER_LISTEN: "127.0.0.1:0" } });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /another gleaner runs on the spool .*GLEANER_DATA_DIR/);
  }
  assert.equal((await first.get("/-/ready")).status, 200);
  first.signal("SIGKILL");
  await first.exited;
  // The lock goes with the process, however it went.
  await using third = await startGleaner(place);
  await eventually(async () => assert.ok((await accountsOf(third)).stored + (await accountsOf(third)).duplicate > 50));
  await sleep(1_000);
  assert.deepEqual(await third.stop(), { code: 0, signal: null });
  await using db = readSqlite(folder.at("data/gleaner.db"));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  return { offered, stored, missing: missing.length, duplicates, note: "the second refuses, the first goes on" };
});

const setVersion = (file: string, version: number) => {
  const database = new DatabaseSync(file);
  database.exec(`pragma user_version = ${version}`);
  database.close();
};

fault("C17", "upgrade and back with a full spool", { quick: false }, async () => {
  using folder = temporaryFolder();
  const spooled = await fillSpool(folder);
  const same = await restartOn(folder, spooled, "same", () => {});
  assert.deepEqual(same.missing, []);
  const back = await restartOn(folder, spooled, "back", (file) => setVersion(file, 99));
  assert.equal(back.stored, 0, "what a newer gleaner wrote is not guessed at");
  assert.ok(
    back.log.some(({ msg }) => /newer gleaner \(format 99, this gleaner knows 1\) .* kept as/.test(String(msg))),
  );
  const [aside] = readdirSync(back.folder).filter((name) => name.startsWith("spool.db.damaged-"));
  const file = join(back.folder, aside ?? "");
  setVersion(file, 1);
  const again = await restartOn(folder, { ...spooled, file }, "again", () => {});
  assert.deepEqual(again.missing, []);
  const { offered, stored, duplicates } = again;
  return {
    offered,
    stored,
    missing: 0,
    duplicates,
    note: "one format exists: a newer one is kept aside whole, and read again when put back",
  };
});

const noMounts = whyNoMounts() || (whyNoPostgres() ?? false);
const MiB = 1024 * 1024;

/** Takes all space of a file system but so many bytes. */
function fill(path: string, left: number): string {
  const { bavail, bsize } = statfsSync(path);
  const file = join(path, "filler");
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - left)));
  return file;
}

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
