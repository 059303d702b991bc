import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FIXTURES, processesWith } from "../isolate/support.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Gleaner, startGleaner } from "../support/process.ts";
import { type Series, scrape } from "../support/scrape.ts";
import { accountsOf, assertBalanced, total } from "./support/accounts.ts";
import { isQuick, openFiles, peakRssMb, rssMb } from "./support/facts.ts";
import { type Figures, fault } from "./support/fault.ts";

const EVERY_MS = 250;
/** It may be read nowhere but in gleaner's own environment. */
const CANARY = "canary-of-the-host-5f1e";
/** Those who are watched while others do harm: a plugin of gleaner's own, and an external one that is well. */
const WELL: Readonly<Record<string, string>> = { system_info: "system", tank: "level" };

interface Harm {
  /** Names of behaviours of test/isolate/fixtures/hostile.ts, each a plugin of its own. */
  readonly behaviours: readonly string[];
  readonly allow?: readonly string[];
  /** Those whose process is lost. */
  readonly lost: readonly string[];
}

const yamlOf = ({ behaviours, allow = [] }: Harm) => `
scheduler: { retry_count: 0, max_concurrent: 100 }
external_plugins:
  - file: ./tank_level.ts
${behaviours.map((name) => `  - { file: ./${name}.ts, memory: 200MiB, allow: [${["network", ...allow].join()}] }`).join("\n")}
targets:
  system_info: { interval: ${EVERY_MS}ms }
  tank: { plugin: tank_level, interval: ${EVERY_MS}ms, config: { level: 0.5 } }
`;

const runsOf = (series: Series, target: string) =>
  total(series, "gleaner_job_runs_total", new RegExp(`target="${target}"`)) -
  total(series, "gleaner_job_failures_total", new RegExp(`target="${target}"`));

/** Share of the good runs of those who are watched that came when they should, while `ms` pass. */
async function shareOnTime(gleaner: Gleaner, ms: number): Promise<number> {
  const [before, begun] = [await scrape(gleaner), performance.now()];
  await sleep(ms);
  const [after, wanted] = [await scrape(gleaner), (performance.now() - begun) / EVERY_MS];
  const shares = Object.keys(WELL).map((target) => (runsOf(after, target) - runsOf(before, target)) / wanted);
  return Math.min(1, ...shares);
}

/** A gleaner with plugins that do harm, for a while: what the others and gleaner itself have of it. */
async function suffer(harm: Harm): Promise<Figures> {
  using folder = temporaryFolder();
  for (const name of harm.behaviours) cpSync(join(FIXTURES, "hostile.ts"), folder.at(`${name}.ts`));
  cpSync(join(FIXTURES, "tank_level.ts"), folder.at("tank_level.ts"));
  folder.write("gleaner.yaml", yamlOf(harm));
  await using gleaner = await startGleaner({ cwd: folder.path, env: { A_PASSWORD: CANARY } });
  const lostOf = (log: Gleaner["log"]) =>
    new Set(log().flatMap(({ msg, plugin }) => (/was lost/.test(String(msg)) ? [String(plugin)] : [])));
  await eventually(async () => {
    const series = await scrape(gleaner);
    for (const target of [...Object.keys(WELL), ...harm.behaviours])
      assert.ok(total(series, "gleaner_job_runs_total", new RegExp(`target="${target}"`)) > 0, target);
    const lost = lostOf(gleaner.log);
    for (const name of harm.lost) assert.ok(lost.has(name), `${name} has lost no process`);
  });
  const [rss, files] = [rssMb(gleaner.pid), openFiles(gleaner.pid)];
  const share = await shareOnTime(gleaner, isQuick ? 6_000 : 30_000);
  const [grown, more] = [rssMb(gleaner.pid) - rss, openFiles(gleaner.pid) - files];
  assert.ok(share > 0.9, `those who are well ran ${share} of their times`);
  assert.ok(grown < 50, `gleaner grew by ${grown} MB`);
  assert.ok(more < 20, `gleaner has ${more} more open files`);
  const text = await (await gleaner.get("/metrics")).text();
  assert.ok(!text.includes(CANARY) && !JSON.stringify(gleaner.log()).includes(CANARY));
  // A line for each change of state and each process that is lost, which is ever more rarely; none for each run.
  for (const name of harm.behaviours) {
    const lines = gleaner.log().filter(({ target, plugin }) => target === name || plugin === name).length;
    assert.ok(lines <= 45, `${lines} lines about ${name}`);
  }
  assert.equal((await gleaner.get("/-/ready")).status, 200);
  await eventually(async () => assertBalanced(await accountsOf(gleaner)));
  const { taken, stored, duplicate, rejected, dropped, pending } = await accountsOf(gleaner);
  const restarts = total(await scrape(gleaner), "gleaner_plugin_restarts_total");
  const peak = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await eventually(() => assert.deepEqual(processesWith(`--allow-fs-read=${folder.path}`), []));
  const kept = readFileSync(folder.at("data/gleaner.db"), "latin1");
  assert.ok(!kept.includes(CANARY), "a plugin has read what it must not");
  return {
    ...{ offered: taken, stored, rejected, dropped, duplicates: 0 },
    missing: taken - stored - duplicate - rejected - dropped - pending,
    ...{ peakRssMb: peak, onTimePercent: Math.round(share * 1_000) / 10 },
    note: `${harm.behaviours.length} plugins, each in a process of its own, ${restarts} of which were started again; gleaner grew by ${grown} MB`,
  };
}

const TITLES = {
  C8: "plugins that never give the event loop back",
  C9: "external plugins that never end, throw anything, and flood",
  C10: "plugins that leak memory, files, timers and processes, and reach for gleaner",
};

fault("C8", TITLES.C8, { quick: true }, () => {
  const behaviours = ["loops", "blocks", "backtracks"];
  return suffer({ behaviours, allow: ["child_processes"], lost: behaviours });
});

fault("C9", TITLES.C9, { quick: true }, () => {
  const lost = [
    "never_resolves",
    "throws_later",
    "floods_messages",
    "floods_bytes",
    "claims_length",
    "answers_unasked",
  ];
  const thrown = ["throws_undefined", "throws_proxy", "throws_getter", "returns_proxy", "returns_cycle"];
  return suffer({ behaviours: [...lost, ...thrown, "rejects_later", "many_rows", "huge_text", "prints"], lost });
});

fault("C10", TITLES.C10, { quick: true }, async () => {
  const lost = ["leaks_heap", "leaks_buffers", "leaks_slowly", "exits", "aborts"];
  const reaches = ["kills_gleaner", "kills_by_import", "wakes_debugger", "reads_environment", "reads_gleaners"];
  const figures = await suffer({
    behaviours: [...lost, ...reaches, "leaks_files", "leaks_timers", "leaves_children"],
    ...{ allow: ["child_processes"], lost },
  });
  await eventually(() => assert.deepEqual(processesWith("sleep\u000086399"), [], "what they started is gone"));
  return figures;
});
