import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type AlertEntries, readAlertFile, readAlertRows } from "../config/alerts.ts";
import { MAX_CONFIG_BYTES, readText, UnreadableFile } from "../config/files.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { inOrder } from "../config/problem.ts";
import { storeOptions } from "../config/store-options.ts";
import { builtInAlerts } from "../generate/alerts/catalogue.ts";
import { customAlerts } from "../generate/alerts/conditions.ts";
import { CUSTOM_GRAFANA, customOutputs } from "../generate/alerts/custom-outputs.ts";
import { alertOutputs, type File, RUNBOOKS } from "../generate/alerts/outputs.ts";
import { plugins } from "../plugins/registry.gen.ts";
import { alertsOf } from "../store/inspect.ts";
import { CommandFailure } from "./failure.ts";

/** Where conditions come from, and what else is asked for. */
export interface GenerateSettings {
  /** A YAML file of alerts. */
  readonly alerts?: string;
  /** Also the table `alerts`. */
  readonly database?: boolean;
  /** Also the rules that come with gleaner. */
  readonly builtIn?: boolean;
  /** Where docs/runbooks.md is served, for links. */
  readonly runbooks?: string;
}

/**
 * Writes alert rules, for Prometheus and for Grafana, of users' own conditions.
 * @throws {CommandFailure} that names every mistake; then nothing is written
 */
export async function generate(
  options: LoadOptions,
  folder: string,
  settings: GenerateSettings,
  print: (text: string) => void,
): Promise<void> {
  const { alerts: file, database = false, builtIn = false, runbooks = RUNBOOKS } = settings;
  if (file === undefined && !database && !builtIn)
    throw new CommandFailure(
      "Say where the conditions are: --alerts <file>, --database, or --built-in for gleaner's own.",
    );
  const given = [
    ...(file === undefined ? [] : [fromFile(options.cwd, file)]),
    ...(database ? [readAlertRows(await alertsOf(storeOptions(loadConfig(options)).url))] : []),
  ];
  const taken = builtInAlerts(plugins).flatMap(({ alerts }) => alerts.map(({ id }) => id));
  const custom = customAlerts(given, plugins, taken);
  if (custom.problems.length > 0) throw new CommandFailure(inOrder(custom.problems).join("\n"));
  const out = resolve(options.cwd, folder);
  const previous = await readFile(join(out, CUSTOM_GRAFANA), "utf8").catch(() => undefined);
  await write(
    out,
    folder,
    [
      ...(builtIn ? builtInFiles(runbooks) : []),
      ...(given.length > 0 ? customOutputs(custom, runbooks, previous) : []),
    ],
    print,
  );
  if (given.length > 0)
    print(`Rules of your own: ${custom.group.alerts.length}; switched off: ${custom.disabled.length}.`);
}

function fromFile(cwd: string, file: string): AlertEntries {
  try {
    return readAlertFile(readText(resolve(cwd, file), MAX_CONFIG_BYTES), file);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new CommandFailure(`The file ${file} ${error.message}.`);
  }
}

/** The rules of the repository, laid out like the others; how alerts are routed is for the user to say. */
const builtInFiles = (runbooks: string): File[] =>
  alertOutputs(plugins, runbooks)
    .map(({ path, text }) => ({ path: path.replace(/^provisioning\//, ""), text }))
    .filter(({ path }) => /rules[.]yml$/.test(basename(path)));

async function write(out: string, shown: string, files: readonly File[], print: (text: string) => void): Promise<void> {
  for (const { path, text } of files) {
    await mkdir(dirname(join(out, path)), { recursive: true });
    await writeFile(join(out, path), text);
    print(`wrote ${join(shown, path)}`);
  }
}
