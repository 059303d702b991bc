import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { scrape } from "../support/scrape.ts";
import { accountsOf, assertBalanced, total } from "./support/accounts.ts";
import { isQuick, peakRssMb } from "./support/facts.ts";
import { fault } from "./support/fault.ts";

const HOOK = new URL("./support/hostile-hook.ts", import.meta.url).href;
const EVERY_MS = 250;

/** What is shown of each of them: whether it counts as failed, and as what. */
const FAILING: Readonly<Record<string, string>> = {
  never_resolves: "timeout",
  rejects_after_deadline: "timeout",
  throws_undefined: "bug",
  throws_null: "bug",
  throws_text: "bug",
  throws_proxy: "bug",
  throws_getter: "bug",
  returns_nothing: "bug",
  returns_proxy: "bug",
  returns_getters: "bug",
};
const FINE = ["resolves_twice", "rejects_later", "well_behaved"];

fault("C9", "plugins that never end, throw anything, and return what they should not", { quick: true }, async () => {
  using folder = temporaryFolder();
  folder.write("gleaner.yaml", "scheduler: { retry_count: 0 }\n");
  const env = { NODE_OPTIONS: `--import ${HOOK}` };
  await using gleaner = await startGleaner({ cwd: folder.path, env });
  const job = (family: string, target: string, more = "") =>
    `${family}{target="${target}",plugin="${target}",job="main"${more}}`;
  await eventually(async () => {
    const series = await scrape(gleaner);
    for (const [target, kind] of Object.entries(FAILING))
      assert.ok((series.get(job("gleaner_job_failures_total", target, `,kind="${kind}"`)) ?? 0) > 0, target);
    for (const target of FINE) assert.ok((series.get(job("gleaner_job_runs_total", target)) ?? 0) > 0, target);
  });
  const runs = async () => (await scrape(gleaner)).get(job("gleaner_job_runs_total", "well_behaved")) ?? 0;
  const [before, begun] = [await runs(), performance.now()];
  await sleep(isQuick ? 4_000 : 10_000);
  const share = ((await runs()) - before) / ((performance.now() - begun) / EVERY_MS);
  // Built-in plugins share a process, and making a million rows takes a part of a second; a process of their own is to come.
  assert.ok(share > 0.8, `the well-behaved one ran ${share} of its times`);
  const series = await scrape(gleaner);
  for (const target of FINE)
    assert.equal(series.get(`gleaner_target_up{target="${target}",plugin="${target}"}`), 1, target);
  for (const reason of ["bad_row", "bad_sample", "bad_document", "too_many_rows", "too_many_series"])
    assert.ok(total(series, "gleaner_rows_rejected_total", new RegExp(`"${reason}"`)) > 0, reason);
  assert.equal((await gleaner.get("/-/healthy")).status, 200);
  assert.equal((await gleaner.get("/-/ready")).status, 200);
  const log = gleaner.log();
  const said = (target: string) => log.filter((line) => line["target"] === target).length;
  // Degraded, then failing: a line for each change and none for each run.
  for (const target of Object.keys(FAILING)) assert.ok(said(target) <= 2, `${said(target)} lines about ${target}`);
  assert.equal(log.filter(({ msg }) => /nobody waited for/.test(String(msg))).length, 1);
  await eventually(async () => assertBalanced(await accountsOf(gleaner)));
  const rss = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  const note = `${Object.keys(FAILING).length} that fail, 9 that return nonsense or a million rows; in process`;
  return { peakRssMb: rss, onTimePercent: Math.round(Math.min(1, share) * 1_000) / 10, note };
});
