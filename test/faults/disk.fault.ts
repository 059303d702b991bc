import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openSpoolFile } from "../../src/store/spool-file.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner, startGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";
import { scrape } from "../support/scrape.ts";
import { startSim } from "../support/sim.ts";
import { accountsOf } from "./support/accounts.ts";
import { isQuick, peakRssMb, randomFrom } from "./support/facts.ts";
import { type Figures, fault } from "./support/fault.ts";
import { ext4, whyNoLoop } from "./support/mounts.ts";
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
const QUICK = new Set(["a flipped bit", "a page of zeros", "no header", "cut in half", "garbage", "a log of garbage"]);
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

fault("C17", "upgrade and back with a full spool", { quick: true }, async () => {
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
