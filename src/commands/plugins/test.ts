import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Configured } from "../../app/configure.ts";
import type { External } from "../../app/external.ts";
import { dataPoints } from "../../app/points.ts";
import type { LoadOptions } from "../../config/load.ts";
import { trialTarget } from "../../config/trial.ts";
import { leftOpen } from "../../contract/left-open.ts";
import { type Finding, loadPluginFile } from "../../contract/load.ts";
import { encode } from "../../expose/encode.ts";
import { createSnapshot } from "../../expose/snapshot.ts";
import { parseDuration } from "../../model/duration.ts";
import { canonicalPluginId, type Plugin } from "../../model/plugin.ts";
import { type Collection, outcomeLine, withCollector } from "../collect.ts";
import { withConfigured } from "../configured.ts";
import { CommandFailure } from "../failure.ts";
import { isAmongOwn, isPluginFile, namedPlugin, OWN_FOLDER } from "./own.ts";

export interface TestSettings {
  readonly iterations: number;
  /** Between two iterations. */
  readonly interval: string;
  readonly job?: string;
  /** A YAML file with the plugin's settings. */
  readonly settings?: string;
  readonly set: readonly string[];
}

/** Rejections that say that the plugin does not keep to what it declares. */
const BROKEN_WORD: ReadonlySet<string> = new Set(["undeclared_metric", "undeclared_label", "bad_sample", "bad_label"]);

function unknown(which: string): string {
  const file = `${canonicalPluginId(which)}.ts`;
  return existsSync(resolve(OWN_FOLDER, file))
    ? `The plugin ${which} is not registered yet: \`npm run generate\`, or give its file, src/plugins/${file}.`
    : `There is no plugin ${which}; \`gleaner plugins list\` lists them. A file of your own works too.`;
}

/** By id, or one that is not configured, by its file. */
async function findPlugin(
  which: string,
  { plugins, config }: Configured,
  external: External,
  cwd: string,
): Promise<Plugin> {
  const known = plugins.find(({ id }) => id === canonicalPluginId(which));
  if (known) return known;
  if (!isPluginFile(which)) throw new CommandFailure(unknown(which));
  const said = (findings: readonly Finding[]) =>
    new CommandFailure(findings.map(({ line, message }) => `${which}:${line}: ${message}`).join("\n"));
  if (!isAmongOwn(resolve(cwd, which))) {
    const loaded = await external.loadOne(namedPlugin(which, cwd, config.external_plugins));
    if ("plugin" in loaded) return loaded.plugin;
    throw said(loaded.findings);
  }
  const { plugin, findings } = await loadPluginFile(resolve(cwd, which));
  if (plugin) return plugin;
  throw said(findings);
}

function jobsOf({ id, jobs }: Plugin, job: string | undefined): string[] {
  const all = Object.keys(jobs);
  if (job === undefined) return all;
  if (all.includes(job)) return [job];
  throw new CommandFailure(`Plugin ${id} has no job ${job}. Its jobs are: ${all.join(", ")}.`);
}

/** A run as comments, and its samples in text format: all of it is an exposition. */
async function report({ run, batch }: Collection): Promise<string> {
  const snapshot = createSnapshot();
  snapshot.replace(run.targetId, "test", dataPoints(batch));
  const exposition = (await encode(snapshot.families(), "text")).toString().trimEnd();
  const rows = batch.rows.map((row) => `# row of ${row.table}: ${JSON.stringify({ time: row.at, ...row.values })}`);
  const left = batch.rejected.map(({ reason, detail, count = 1 }) => `# left out: ${count} × ${reason}: ${detail}`);
  return [`# ${run.job}: ${outcomeLine(run)}, ${batch.samples.length} samples`, exposition, ...rows, ...left]
    .filter((line) => line !== "")
    .join("\n");
}

function timing(job: string, runs: readonly Collection[]): string {
  const times = runs.filter(({ run }) => run.job === job).map(({ run }) => run.durationMs);
  const good = runs.filter(({ run }) => run.job === job && run.outcome.status !== "failed").length;
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const ms = [Math.min(...times), mean, Math.max(...times)].map((time) => `${time.toFixed(1)} ms`);
  return `# ${job}: ${good} of ${times.length} good; fastest ${ms[0]}, mean ${ms[1]}, slowest ${ms[2]}`;
}

/**
 * Runs a plugin for real, its jobs one after the other, and prints its metrics in text format with the time each run took.
 * Nothing is stored; what it keeps between runs is kept between iterations, and closed in the end.
 * @throws {CommandFailure} when a run failed, when it brought what is not declared, or when something was left open
 */
export async function testPlugin(
  options: LoadOptions,
  which: string,
  settings: TestSettings,
  print: (text: string) => void,
): Promise<void> {
  await withConfigured(options, async (configured, external) => {
    const plugin = await findPlugin(which, configured, external, options.cwd);
    await tryPlugin(plugin, configured, options, settings, print);
  });
}

async function tryPlugin(
  plugin: Plugin,
  { config, targets }: Configured,
  options: LoadOptions,
  settings: TestSettings,
  print: (text: string) => void,
): Promise<void> {
  const configured = targets.find(({ id }) => id === plugin.id) ?? targets.find((one) => one.plugin.id === plugin.id);
  const { settings: file, set } = settings;
  const target = await trialTarget(plugin, configured, config, {
    ...{ set, env: options.env, cwd: options.cwd },
    ...(file === undefined ? {} : { file }),
  });
  const jobs = jobsOf(plugin, settings.job);
  const pause = parseDuration(settings.interval);
  const runs: Collection[] = [];
  const open = await leftOpen(() =>
    withCollector(async (collect) => {
      for (let i = 1; i <= settings.iterations; i++) {
        if (i > 1) await sleep(pause);
        print(`# ${plugin.id}, iteration ${i} of ${settings.iterations}`);
        for (const job of jobs) {
          const done = await collect(target, job);
          runs.push(done);
          print(await report(done));
        }
      }
    }),
  );
  for (const job of jobs) print(timing(job, runs));
  const reasons = [
    ...new Set(runs.flatMap(({ run }) => (run.outcome.status === "failed" ? [`${run.job} failed`] : []))),
    ...new Set(
      runs.flatMap(({ batch }) =>
        batch.rejected.filter(({ reason }) => BROKEN_WORD.has(reason)).map(({ reason }) => reason),
      ),
    ),
    ...(open.length > 0 ? [`it left open: ${open.join(", ")}`] : []),
  ];
  if (reasons.length > 0) throw new CommandFailure(`Plugin ${plugin.id}: ${reasons.join("; ")}.`);
}
