import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner, startGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";
import { startSim } from "../support/sim.ts";
import { accountsOf } from "./support/accounts.ts";
import { isQuick, randomFrom } from "./support/facts.ts";
import { fault } from "./support/fault.ts";
import { LASTING, rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";
import { fillSpool, restartOn } from "./support/spooled.ts";

const random = randomFrom(43);

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
