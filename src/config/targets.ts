import { canonicalPluginId, type Plugin } from "../model/plugin.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import { suggestion } from "./closest.ts";
import { EXPECTED_ID, TARGET_ID } from "./fields.ts";
import { kitTarget } from "./kit-target.ts";
import type { KitEntry } from "./kits.ts";
import type { LoadedConfig } from "./loaded.ts";
import { pluginJobs, pluginPolicies } from "./policies.ts";
import { inOrder } from "./problem.ts";
import type { TargetSettings } from "./schema.ts";
import { targetSchema } from "./target-schema.ts";
import { validateAsync } from "./validate.ts";

/** Kits have a file of their own, and jobs and retries of their own kind. */
const KIT_PLUGIN = "dragonsync";

/** Everything to collect from, and what is wrong with the rest (lines as in ConfigError). */
export interface Resolved {
  readonly targets: readonly ConfiguredTarget[];
  readonly problems: readonly string[];
}

type Result = { readonly target: ConfiguredTarget; readonly label: string } | { readonly problems: readonly string[] };

/**
 * Resolves the configuration into targets that have nothing left to look up: the plugins that run by default,
 * the targets of gleaner.yaml, and the kits. Reads nothing, and asks nobody but the plugins that are in processes of their own.
 */
export async function resolveTargets(
  config: LoadedConfig,
  kits: readonly KitEntry[],
  plugins: readonly Plugin[],
): Promise<Resolved> {
  const configured = new Map(Object.entries(config.targets).map(([id, settings]) => [id, settings] as const));
  const named = new Set([...configured].map(([id]) => canonicalPluginId(id)));
  const defaults = plugins.filter(({ id, enabledByDefault }) => enabledByDefault && !named.has(id));
  const single = await Promise.all([
    ...defaults.map(({ id }) => resolveOne(id, targetSchema.parse({}), config, plugins)),
    ...[...configured].map(([id, settings]) => resolveOne(id, settings, config, plugins)),
  ]);
  return unique([...single, ...resolveKits(kits, config, plugins)].filter((result) => result !== undefined));
}

/** The entries that a plugin's targets come from: those of gleaner.yaml, or the one it has when it runs by default. */
export function entriesOf({ id, enabledByDefault }: Plugin, { targets }: LoadedConfig): Map<string, TargetSettings> {
  const own = Object.entries(targets).filter(([key, { plugin }]) => canonicalPluginId(plugin ?? key) === id);
  const isNamed = Object.keys(targets).some((key) => canonicalPluginId(key) === id);
  return new Map(enabledByDefault && !isNamed ? [[id, targetSchema.parse({})], ...own] : own);
}

/** Resolves the targets of one plugin; `config.targets` are its entries. */
export async function resolvePlugin(
  plugin: Plugin,
  config: LoadedConfig,
  plugins: readonly Plugin[],
): Promise<Resolved> {
  if (plugin.id === KIT_PLUGIN) return unique(resolveKits(config.kitList, config, plugins));
  const entries = Object.entries(config.targets);
  const results = await Promise.all(entries.map(([id, settings]) => resolveOne(id, settings, config, plugins)));
  return unique(results.filter((result) => result !== undefined));
}

async function resolveOne(
  key: string,
  settings: TargetSettings,
  config: LoadedConfig,
  plugins: readonly Plugin[],
): Promise<Result | undefined> {
  const { origin } = config;
  const base = ["targets", key];
  const pluginId = canonicalPluginId(settings.plugin ?? key);
  const plugin = plugins.find(({ id }) => id === pluginId);
  if (!plugin) {
    const hint = suggestion(
      pluginId,
      plugins.filter(({ id }) => id !== KIT_PLUGIN).map(({ id }) => id),
    );
    const message = `expected the id of a plugin${hint}`;
    return {
      problems: [`${settings.plugin ? origin.label([...base, "plugin"]) : origin.label(base, "key")}: ${message}`],
    };
  }
  if (plugin.id === KIT_PLUGIN) return { problems: [`${origin.label(base, "key")}: kits belong into kits.yaml`] };
  const unknownJobs = Object.keys(settings.jobs)
    .filter((job) => !Object.hasOwn(plugin.jobs, job))
    .map(
      (job) =>
        `${origin.label([...base, "jobs", job], "key")}: unknown job${suggestion(job, Object.keys(plugin.jobs))}`,
    );
  if (!settings.enabled) return unknownJobs.length > 0 ? { problems: unknownJobs } : undefined;
  const own = await validateAsync(plugin.config, settings.config, origin, [...base, "config"]);
  const problems = [...unknownJobs, ...own.problems];
  if (problems.length > 0) return { problems };
  const jobs = pluginJobs(plugin, settings, config);
  // A key that names the plugin in kebab-case is the plugin's own target: its series must not depend on the spelling.
  const id = settings.plugin === undefined ? plugin.id : key;
  const target = {
    ...{ id, name: settings.name ?? (id === plugin.id ? plugin.title : id), plugin, config: own.value, jobs },
    tags: { ...environmentTag(config), ...settings.tags },
    ...pluginPolicies(plugin, settings, jobs, config),
  };
  return { target, label: origin.label(base, "key") };
}

function resolveKits(kits: readonly KitEntry[], config: LoadedConfig, plugins: readonly Plugin[]): Result[] {
  const enabled = kits.filter((kit) => kit.enabled);
  const plugin = plugins.find(({ id }) => id === KIT_PLUGIN);
  if (!plugin)
    return enabled.slice(0, 1).map(({ label }) => ({ problems: [`${label}: the plugin ${KIT_PLUGIN} is missing`] }));
  return enabled.map((kit) => {
    const target = kitTarget(kit, plugin, config);
    const parsed = plugin.config.safeParse(target.config);
    if (!parsed.success) return { problems: parsed.error.issues.map(({ message }) => `${kit.label}: ${message}`) };
    if (!TARGET_ID.test(target.id)) return { problems: [`${kit.label}.id: ${EXPECTED_ID}`] };
    const tags = { ...environmentTag(config), ...target.tags };
    return { target: { ...target, config: parsed.data, tags }, label: kit.label };
  });
}

const environmentTag = ({ environment }: LoadedConfig): Readonly<Record<string, string>> =>
  environment === undefined ? {} : { env: environment };

/** Ids are unique over targets and kits: they key rows and label series. */
function unique(results: readonly Result[]): Resolved {
  const seen = new Map<string, string>();
  const targets: ConfiguredTarget[] = [];
  const problems: string[] = [];
  for (const result of results) {
    if ("problems" in result) problems.push(...result.problems);
    else {
      const first = seen.get(result.target.id);
      if (first === undefined) targets.push(result.target);
      else problems.push(`${result.label}: expected an id of its own, ${first} has the same`);
      seen.set(result.target.id, first ?? result.label);
    }
  }
  return { targets, problems: inOrder(problems) };
}
