import assert from "node:assert/strict";
import { existsSync, globSync, renameSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { type Gleaner, startGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";
import { kitState, scrape } from "../support/scrape.ts";
import { startSim } from "../support/sim.ts";
import { accountsOf, assertBalanced, total } from "./support/accounts.ts";
import { isQuick, peakRssMb } from "./support/facts.ts";
import { fault } from "./support/fault.ts";
import { rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";

const [library] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");
const skip = library ? false : "libfaketime is not installed (Debian package faketime)";

/** The wall clock of a process that was started with this environment: it is moved by writing `+1h` to a file. */
function movableClock(folder: TemporaryFolder) {
  // In one step: a file that is read half-written would be another time.
  const set = (offset: string) => renameSync(folder.write("clock-new", `${offset}\n`), folder.at("clock"));
  set("+0");
  const env = {
    LD_PRELOAD: library ?? "",
    FAKETIME_TIMESTAMP_FILE: folder.at("clock"),
    FAKETIME_CACHE_DURATION: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
  };
  return { set, env };
}

const KITS = 20;
/** Two lists twice a second and a status each second. */
const RUNS_A_SECOND = KITS * (2 / 0.5 + 1);
const JUMPS = {
  "an hour ahead": "+1h",
  "an hour back": "-1h",
  "a year ahead": "+365d",
  "a year back": "-365d",
  right: "+0",
};
/** Longer than gleaner takes to look again at what has become stale. */
const TICK_MS = 5_500;
const QUICK_JUMPS = new Set(["an hour ahead", "a year back"]);

/** Runs of jobs in a while, as a share of those that were due. */
async function pace(gleaner: Gleaner, ms: number): Promise<number> {
  const runs = async () => total(await scrape(gleaner), "gleaner_job_runs_total");
  const [before, begun] = [await runs(), performance.now()];
  await sleep(ms);
  const after = await runs();
  return (after - before) / ((RUNS_A_SECOND * (performance.now() - begun)) / 1_000);
}

fault("C7", "the clock jumps, ahead and back, by an hour and a year", { quick: true, skip }, async () => {
  using folder = temporaryFolder();
  const clock = movableClock(folder);
  await using sim = await startSim(folder, { kits: KITS });
  const place = rig(folder, sim, { env: clock.env });
  await using gleaner = await startGleaner(place);
  await eventually(async () => assert.ok((await accountsOf(gleaner)).stored > 500));
  const paces: number[] = [];
  const skipped = async () => total(await scrape(gleaner), "gleaner_job_skipped_total");
  for (const [name, offset] of Object.entries(JUMPS)) {
    if (isQuick && !QUICK_JUMPS.has(name)) continue;
    const before = await skipped();
    clock.set(offset);
    const told = await eventually(async () => {
      // libfaketime looks at its file once a second.
      const date = Date.parse((await gleaner.get("/-/healthy")).headers.get("date") ?? "");
      assert.ok(Math.abs(date - Date.now() - offsetMs(offset)) < 5_000, `${name}: the clock has moved`);
      return date;
    });
    assert.ok(told);
    const share = await pace(gleaner, isQuick ? 2_500 : TICK_MS);
    assert.ok(share > 0.9 && share < 1.1, `${name}: ${share} of the runs that were due`);
    paces.push(share);
    const series = await scrape(gleaner);
    for (const { id } of sim.kits) assert.equal(kitState(series, id), "online", `${name}: ${id}`);
    assert.equal(await skipped(), before, `${name}: no run was skipped`);
    assert.equal((await gleaner.get("/-/ready")).status, 200, name);
  }
  for (const { id } of sim.kits) await sim.setFault(id, "refused");
  await eventually(async () => assert.equal((await accountsOf(gleaner)).pending, 0));
  await eventually(async () => assertBalanced(await accountsOf(gleaner)));
  const accounts = await accountsOf(gleaner);
  assert.equal(accounts.dropped + accounts.rejected, 0);
  const rss = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  assert.ok(existsSync(folder.at("data/gleaner.db")));
  await using db = readSqlite(folder.at("data/gleaner.db"));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  const [least, most] = [Math.min(...paces), Math.max(...paces)].map((share) => Math.round(share * 1_000) / 10);
  const note = `${paces.length} jumps; ${least} to ${most} % of the runs due`;
  return {
    offered,
    stored,
    missing: missing.length,
    duplicates,
    peakRssMb: rss,
    onTimePercent: Math.min(100, least ?? 0),
    note,
  };
});

function offsetMs(offset: string): number {
  const [, sign, number, unit = ""] = /^([+-])(\d+)([hd]?)$/.exec(offset) ?? [];
  return (sign === "-" ? -1 : 1) * Number(number) * ({ h: 3_600_000, d: 86_400_000 }[unit] ?? 1);
}
