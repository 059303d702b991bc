import { isDeepStrictEqual } from "node:util";
import type { Plugin } from "../model/plugin.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import type { LoadedConfig } from "./loaded.ts";
import { formatPath } from "./problem.ts";
import type { TargetSettings } from "./schema.ts";
import { rowSchema, type TargetChange, targetSchema } from "./target-schema.ts";
import { entriesOf, type Resolved, resolvePlugin } from "./targets.ts";
import { type Origin, validate } from "./validate.ts";

/** What decides of a plugin: whether it runs, and what of its configuration is other than in gleaner.yaml. */
export interface PluginSetting {
  readonly enabled: boolean;
  readonly config: unknown;
}

type Settings = Readonly<Record<string, unknown>>;

/** When something runs is said in one way: a change to one takes the others away. */
const WHEN = ["interval", "collection_interval", "cron"] as const;

/**
 * What gleaner.yaml comes to for a plugin, as its row is seeded: without the plugin's own settings, which may hold secrets.
 * It does not have to say everything, for only what is other than this counts as a change.
 */
export function seedSetting(
  plugin: Plugin,
  targets: readonly ConfiguredTarget[],
): PluginSetting & { config: Settings } {
  const own = targets.filter((target) => target.plugin.id === plugin.id);
  const triggers = own.flatMap(({ jobs }) => Object.values(jobs).map(({ trigger }) => trigger));
  const intervals = triggers.flatMap((trigger) => ("every" in trigger ? [trigger.every / 1_000] : []));
  const config = intervals.length > 0 ? { collection_interval: Math.min(...intervals) } : {};
  return { enabled: own.length > 0, config };
}

/**
 * The targets of a plugin as its row has them, over what gleaner.yaml says. Reads nothing, and asks only a plugin that is in
 * a process of its own.
 * @param seed what the row would be if nobody had changed it
 */
export async function resolveRow(
  plugin: Plugin,
  row: PluginSetting,
  seed: PluginSetting,
  config: LoadedConfig,
  plugins: readonly Plugin[],
): Promise<Resolved> {
  const origin = rowOrigin(plugin);
  const { value, problems } = validate(rowSchema, changesIn(row.config, seed.config), origin);
  if (value === undefined) return { targets: [], problems };
  const { targets: single, ...all } = value;
  const isKits = plugin.health === "kit";
  if (isKits && !isDeepStrictEqual(value, rowSchema.parse({})))
    return {
      targets: [],
      problems: [`${origin.label([])}: expected no settings here, kits are configured in kits.yaml`],
    };
  if (!row.enabled) return { targets: [], problems: [] };
  const entries = new Map([...enabledEntries(plugin, config)].map(([id, entry]) => [id, changed(entry, all)]));
  for (const [id, change] of Object.entries(single))
    entries.set(id, changed(entries.get(id) ?? changed(freshEntry(plugin), all), change));
  const taken = Object.keys(single).filter((id) => !isOf(plugin, id, config));
  if (taken.length > 0)
    return {
      targets: [],
      problems: taken.map((id) => `${origin.label(["targets", id])}: another plugin's target has this id`),
    };
  return await resolvePlugin(plugin, { ...config, targets: Object.fromEntries(entries), origin }, plugins);
}

/** A row that says it runs switches on what gleaner.yaml has switched off, or has not at all. */
function enabledEntries(plugin: Plugin, config: LoadedConfig): Map<string, TargetSettings> {
  // By the ids that targets get, whatever the spelling of the key.
  const entries = new Map(
    [...entriesOf(plugin, config)].map(([key, entry]) => [entry.plugin === undefined ? plugin.id : key, entry]),
  );
  if (plugin.health === "kit") return entries;
  if (entries.size === 0) return new Map([[plugin.id, freshEntry(plugin)]]);
  const isOff = [...entries.values()].every(({ enabled }) => !enabled);
  return isOff ? new Map([...entries].map(([id, entry]) => [id, { ...entry, enabled: true }])) : entries;
}

const freshEntry = ({ id }: Plugin): TargetSettings => targetSchema.parse({ plugin: id });

const isOf = (plugin: Plugin, id: string, config: LoadedConfig) =>
  !Object.hasOwn(config.targets, id) || entriesOf(plugin, config).has(id);

/** An entry with changes over it; within `config` null takes a setting away (RFC 7396). */
function changed(entry: TargetSettings, { tags, jobs, config, ...rest }: TargetChange): TargetSettings {
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const { ...base } = entry as Record<string, unknown>;
  if (WHEN.some((key) => key in given)) for (const key of WHEN) delete base[key];
  return {
    ...(base as TargetSettings),
    ...given,
    tags: { ...entry.tags, ...tags },
    jobs: { ...entry.jobs, ...jobs },
    config: merged(entry.config, config) as Record<string, unknown>,
  };
}

const isMap = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function merged(base: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result = new Map(Object.entries(isMap(base) ? base : {}));
  for (const [key, value] of Object.entries(patch))
    if (value === null) result.delete(key);
    else result.set(key, merged(result.get(key), value));
  return Object.fromEntries(result);
}

/** What a row has that it was not seeded with. A row that is no map is judged as it is. */
function changesIn(config: unknown, seed: unknown): unknown {
  if (!isMap(config) || !isMap(seed)) return config;
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => !isDeepStrictEqual(value, seed[key])));
}

/** Rows have no lines: a problem is named by the plugin and the path. Nothing in a row refers to the environment. */
function rowOrigin({ id }: Plugin): Origin {
  return {
    label: (path) => `plugin ${id}: ${formatPath(path) || "config"}`,
    fromVariable: () => true,
    reported: () => false,
  };
}
