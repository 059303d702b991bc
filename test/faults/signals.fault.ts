import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { readPostgres, readSqlite } from "../support/rows.ts";
import { scrape } from "../support/scrape.ts";
import { startSim } from "../support/sim.ts";
import { accountsOf, total } from "./support/accounts.ts";
import { startCluster } from "./support/cluster.ts";
import { isQuick, openFiles, peakRssMb, rssMb } from "./support/facts.ts";
import { fault } from "./support/fault.ts";
import { LASTING, rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";

/** Kits that never answer, and some whose answers take a while. */
const TROUBLED = Object.fromEntries([
  ...Array.from({ length: 10 }, (_, i) => [`kit-${String(i + 1).padStart(3, "0")}`, "hung"] as const),
  ...Array.from({ length: 5 }, (_, i) => [`kit-${String(i + 11).padStart(3, "0")}`, "slow:1500"] as const),
]);

fault("C3", "SIGTERM under load, with kits that hang", { quick: true }, async () => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, { kits: 30, faults: TROUBLED });
  const place = rig(folder, sim, { env: { REQUEST_TIMEOUT: "60s" } });
  await using gleaner = await startGleaner(place);
  await eventually(async () => assert.ok((await accountsOf(gleaner)).stored > 1_000));
  const begun = performance.now();
  gleaner.signal("SIGTERM");
  await eventually(async () => {
    const ready = await gleaner.get("/-/ready");
    assert.deepEqual([ready.status, await ready.text()], [503, "gleaner is not ready\ngleaner is stopping\n"]);
  }, 1_000);
  const readinessMs = performance.now() - begun;
  assert.equal((await gleaner.get("/-/healthy")).status, 200, "it still answers");
  const rss = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.exited, { code: 0, signal: null });
  const seconds = (performance.now() - begun) / 1_000;
  assert.ok(seconds < 10, `${seconds} s`);
  await using db = readSqlite(folder.at("data/gleaner.db"));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  const note = `not ready after ${Math.round(readinessMs)} ms, gone after ${seconds.toFixed(1)} s`;
  return { offered, stored, missing: missing.length, duplicates, peakRssMb: rss, note };
});

fault("C3", "a second SIGTERM", { quick: false }, async () => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, { kits: 30, fresh: false, faults: TROUBLED, args: LASTING });
  const place = rig(folder, sim, { env: { REQUEST_TIMEOUT: "60s" } });
  {
    await using gleaner = await startGleaner(place);
    await eventually(async () => assert.ok((await accountsOf(gleaner)).stored > 200));
    gleaner.signal("SIGTERM");
    await sleep(700);
    const begun = performance.now();
    assert.deepEqual(await gleaner.stop("SIGTERM"), { code: 1, signal: null });
    assert.ok(performance.now() - begun < 500, "it ends at once");
  }
  await using gleaner = await startGleaner(place);
  await eventually(async () => assert.equal((await gleaner.get("/-/ready")).status, 200));
  // The slow ones have answered again.
  await sleep(3_500);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = readSqlite(folder.at("data/gleaner.db"));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  return { offered, stored, missing: missing.length, duplicates };
});

const noPostgres = whyNoPostgres() ?? false;

fault("C3", "SIGTERM while kits and the database hang", { quick: false, skip: noPostgres }, async () => {
  using folder = temporaryFolder();
  await using cluster = await startCluster();
  const url = cluster.url(await cluster.createDatabase());
  await using sim = await startSim(folder, { kits: 30, faults: TROUBLED });
  const place = rig(folder, sim, { env: { DATABASE_URL: url, REQUEST_TIMEOUT: "60s" } });
  let seconds = 0;
  {
    await using gleaner = await startGleaner(place);
    await eventually(async () => assert.ok((await accountsOf(gleaner)).stored > 300));
    cluster.signal("SIGSTOP");
    await eventually(async () => assert.ok((await accountsOf(gleaner)).pending > 300));
    const begun = performance.now();
    assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
    seconds = (performance.now() - begun) / 1_000;
    assert.ok(seconds < 10, `${seconds} s`);
  }
  const offered = await sim.ledger();
  cluster.signal("SIGCONT");
  for (const { id } of sim.kits) await sim.setFault(id, "refused");
  await using gleaner = await startGleaner(place);
  await eventually(async () => assert.equal((await accountsOf(gleaner)).pending, 0));
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = await readPostgres(url);
  const { stored, missing, duplicates } = await kept(offered, db);
  const note = `gone after ${seconds.toFixed(1)} s; the rest was in the spool`;
  return { offered: offered.length, stored, missing: missing.length, duplicates, note };
});

/** What kits.yaml may hold when somebody is at work on it; none is to be taken. */
const BAD = [
  (good: string) => good.slice(0, good.length / 2).replace(/api_url: \S*$/m, "api_url: htt"),
  (good: string) => good.replace("kits:", "kist:"),
  (good: string) => `${good}  - nonsense: [\n`,
  (good: string) => good.replace(/id: kit-002/, "id: kit-001"),
  () => "",
  () => "kits:\n",
  () => undefined,
];

fault(
  "C4",
  "SIGHUP again and again, with configurations good and bad",
  { quick: false, timeout: 240_000 },
  async () => {
    using folder = temporaryFolder();
    await using sim = await startSim(folder, { kits: 20 });
    const good = readFileSync(sim.yaml, "utf8");
    await using gleaner = await startGleaner(rig(folder, sim));
    await eventually(async () => assert.ok((await accountsOf(gleaner)).stored > 500));
    const reload = async (text: string | undefined, successful: 0 | 1) => {
      if (text === undefined) rmSync(sim.yaml, { force: true });
      else folder.write("simulated-kits.yaml", text);
      const before = gleaner.log().length;
      gleaner.signal("SIGHUP");
      await eventually(() =>
        assert.ok(
          gleaner
            .log()
            .slice(before)
            .some(({ msg }) => /configuration/.test(String(msg))),
        ),
      );
      assert.equal((await scrape(gleaner)).get("gleaner_config_last_reload_successful"), successful, text);
    };
    for (let i = 0; i < 20; i++) await reload(good, 1);
    const [files, rss, runs] = [
      openFiles(gleaner.pid),
      rssMb(gleaner.pid),
      total(await scrape(gleaner), "gleaner_job_runs_total"),
    ];
    const begun = performance.now();
    const reloads = isQuick ? 60 : 500;
    for (let i = 0; i < reloads; i++) {
      const bad = BAD[(i % (2 * BAD.length)) >> 1];
      if (i % 2 === 0) await reload(bad?.(good), 0);
      else await reload(good, 1);
    }
    const seconds = (performance.now() - begun) / 1_000;
    const series = await scrape(gleaner);
    const due = 20 * seconds * (2 / 0.5 + 1);
    const share = (total(series, "gleaner_job_runs_total") - runs) / due;
    assert.ok(share > 0.99, `${share} of the polls that were due`);
    // A poll that this machine's other work made late is skipped; one a reload would be hundreds.
    const skipped = total(series, "gleaner_job_skipped_total");
    assert.ok(skipped < due * 0.002, `${skipped} polls were skipped of ${Math.round(due)}`);
    const grown = { files: openFiles(gleaner.pid) - files, rss: rssMb(gleaner.pid) - rss };
    // Connections come and go; one handle a reload would be hundreds.
    assert.ok(grown.files < 60 && grown.rss < 100, JSON.stringify(grown));
    const peak = peakRssMb(gleaner.pid);
    assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
    await using db = readSqlite(folder.at("data/gleaner.db"));
    const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
    const note = `${reloads} reloads in ${seconds.toFixed(0)} s; ${grown.files} more files open, ${grown.rss} MB more`;
    const onTimePercent = Math.round(Math.min(1, share) * 1_000) / 10;
    return { offered, stored, missing: missing.length, duplicates, peakRssMb: peak, onTimePercent, note };
  },
);
