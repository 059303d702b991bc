import type { Configured } from "../../app/configure.ts";
import { choose } from "../../app/plugin-choice.ts";
import { seedsOf } from "../../app/plugin-seeds.ts";
import type { LoadOptions } from "../../config/load.ts";
import { ConfigError } from "../../config/problem.ts";
import { hideTexts } from "../../config/redact.ts";
import { storeOptions } from "../../config/store-options.ts";
import { setValues } from "../../config/trial.ts";
import { canonicalPluginId, type Plugin } from "../../model/plugin.ts";
import { type PluginRows, withPluginRows } from "../../store/inspect.ts";
import type { PluginChange, PluginSeed, StoredPlugin } from "../../store/store.ts";
import { withConfigured } from "../configured.ts";
import { CommandFailure } from "../failure.ts";

const NO_TABLE = "The database has no table of plugins yet: start gleaner once, or run `gleaner migrate`.";

/** What gleaner.yaml and the database say, and what it comes to. */
async function situation(configured: Configured) {
  const seeds = await seedsOf(configured);
  const decide = (rows: readonly StoredPlugin[]) => choose({ configured, seeds, rows, before: new Map() });
  return { configured, url: storeOptions(configured.config).url, seeds, decide };
}

/** Whether each plugin runs: `on`, `off`, with a word on why where somebody changed it or it cannot be loaded. */
export function pluginStates(
  options: LoadOptions,
): Promise<{ readonly plugins: readonly Plugin[]; readonly states: ReadonlyMap<string, string> }> {
  return withConfigured(options, async (configured) => {
    const { url, decide } = await situation(configured);
    const rows = (await withPluginRows(url, ({ list }) => list())) ?? [];
    const { targets, refused } = await decide(rows);
    const running = new Set(targets.map(({ plugin }) => plugin.id));
    const { plugins, failed } = configured;
    const stateOf = (id: string) => {
      if (failed.has(id)) return "cannot be loaded";
      const state = running.has(id) ? "on" : "off";
      const isEdited = rows.some((row) => row.pluginId === id && row.isEdited);
      return refused.has(id) ? `${state}, change refused` : isEdited ? `${state}, edited` : state;
    };
    return { plugins, states: new Map(plugins.map(({ id }) => [id, stateOf(id)])) };
  });
}

function knownId(given: string, { plugins }: Configured): string {
  const id = canonicalPluginId(given);
  if (plugins.some((plugin) => plugin.id === id)) return id;
  throw new CommandFailure(`There is no plugin ${given}; \`gleaner plugins list\` lists them.`);
}

/** Does something with a plugin's row, which is made when there is none. */
async function withRow<T>(
  configured: Configured,
  id: string,
  work: (row: StoredPlugin, others: readonly StoredPlugin[], rows: PluginRows, now: Situation) => Promise<T>,
): Promise<T> {
  const now = await situation(configured);
  const done = await withPluginRows(now.url, async (rows) => {
    await rows.add(now.seeds.filter(({ pluginId }) => pluginId === id));
    const all = await rows.list();
    const row = all.find(({ pluginId }) => pluginId === id);
    if (!row) throw new CommandFailure(NO_TABLE);
    return {
      value: await work(
        row,
        all.filter((one) => one !== row),
        rows,
        now,
      ),
    };
  });
  if (!done) throw new CommandFailure(NO_TABLE);
  return done.value;
}
type Situation = Awaited<ReturnType<typeof situation>>;

/**
 * Writes a change into the plugin's row, unless it could not be used.
 * @throws {CommandFailure} with the reasons
 */
export async function changePlugin(
  options: LoadOptions,
  given: string,
  change: PluginChange,
  print: (text: string) => void,
): Promise<void> {
  const id = await withConfigured(options, async (configured) => {
    const known = knownId(given, configured);
    await withRow(configured, known, (row, others, rows, now) => write(row, others, rows, now, change));
    return known;
  });
  print(`${id} is changed; a gleaner that runs heeds it within seconds.`);
}

async function write(
  row: StoredPlugin,
  others: readonly StoredPlugin[],
  rows: PluginRows,
  { decide }: Situation,
  change: PluginChange,
): Promise<void> {
  const { refused } = await decide([...others, { ...row, ...change, isEdited: true }]);
  const problems = refused.get(row.pluginId);
  if (problems) throw new CommandFailure(`The change cannot be used:\n${problems.join("\n")}`);
  await rows.change(row.pluginId, change);
}

/** Shows a plugin's row, or changes its settings. */
export async function configurePlugin(
  options: LoadOptions,
  given: string,
  settings: { readonly set: readonly string[]; readonly reset?: true },
  print: (text: string) => void,
): Promise<void> {
  await withConfigured(options, (configured) => configureOne(configured, given, settings, print));
}

async function configureOne(
  configured: Configured,
  given: string,
  { set, reset }: { readonly set: readonly string[]; readonly reset?: true },
  print: (text: string) => void,
): Promise<void> {
  const id = knownId(given, configured);
  if (reset && set.length > 0) throw new CommandFailure("Either --reset or --set.");
  await withRow(configured, id, async (row, others, rows, now) => {
    if (!reset && set.length === 0) return print(shown(row));
    const seed = now.seeds.find(({ pluginId }) => pluginId === id) as PluginSeed;
    const change = reset ? { enabled: seed.enabled, config: seed.config } : { config: withSet(row.config, set) };
    await write(row, others, rows, now, change);
    print(`${id} is changed; a gleaner that runs heeds it within seconds.`);
  });
}

/** Nothing in a row refers to the environment, so the values are taken as they are. */
function withSet(config: unknown, set: readonly string[]): unknown {
  const { value, problems } = setValues(config, set);
  if (problems.length > 0) throw new ConfigError(problems);
  return value;
}

/** Without texts: any of them may be a secret. */
function shown({ pluginId, enabled, config, isEdited }: StoredPlugin): string {
  return JSON.stringify({ plugin: pluginId, enabled, edited: isEdited, config: hideTexts(config) }, undefined, 2);
}
