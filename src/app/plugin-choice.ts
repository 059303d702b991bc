import { type PluginSetting, resolveRow } from "../config/plugin-rows.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import type { PluginSeed, StoredPlugin } from "../store/store.ts";
import type { Configured } from "./configure.ts";

/** What the rows of the table `plugins` come to. */
export interface Choice {
  readonly targets: readonly ConfiguredTarget[];
  /** The rows that are in force, by plugin: those of before where the new ones cannot be used. */
  readonly inForce: ReadonlyMap<string, PluginSetting>;
  /** Why a row cannot be used, by plugin. */
  readonly refused: ReadonlyMap<string, readonly string[]>;
}

export interface Choosing {
  readonly configured: Configured;
  /** Of the plugins that are there; there is none of one that could not be loaded. */
  readonly seeds: readonly PluginSeed[];
  readonly rows: readonly StoredPlugin[];
  /** The rows that were in force before. */
  readonly before: ReadonlyMap<string, PluginSetting>;
}

/**
 * Decides for each plugin between its row, the row that was in force before, and gleaner.yaml: the first that can be used.
 * A row that nobody edited is gleaner.yaml. Ids stay unique: an edited row makes way for everything else.
 */
export async function choose({ configured, seeds, rows, before }: Choosing): Promise<Choice> {
  const { plugins } = configured;
  const edited = new Map(rows.filter(({ isEdited }) => isEdited).map((row) => [row.pluginId, row]));
  const targets: ConfiguredTarget[] = configured.targets.filter(({ plugin }) => !edited.has(plugin.id));
  const inForce = new Map<string, PluginSetting>();
  const refused = new Map<string, readonly string[]>();
  for (const plugin of plugins) {
    const row = edited.get(plugin.id);
    const seed = seeds.find(({ pluginId }) => pluginId === plugin.id);
    if (!row) continue;
    const fromYaml = configured.targets.filter((target) => target.plugin.id === plugin.id);
    if (!seed) {
      // It could not be loaded: what its row changes cannot be told, but that nobody wants it can.
      if (row.enabled) targets.push(...fromYaml);
      continue;
    }
    const taken = new Set(targets.map(({ id }) => id));
    const attempt = async (setting: PluginSetting) => {
      const { targets: own, problems } = await resolveRow(plugin, setting, seed, configured.config, plugins);
      const twins = own
        .filter(({ id }) => taken.has(id))
        .map(({ id }) => `plugin ${plugin.id}: ${id} is taken already`);
      return { setting, own, problems: [...problems, ...twins] };
    };
    const wanted = await attempt(row);
    if (wanted.problems.length > 0) refused.set(plugin.id, wanted.problems);
    const old = before.get(plugin.id);
    const usable = [wanted, ...(old ? [await attempt(old)] : [])].find(({ problems }) => problems.length === 0);
    if (usable) inForce.set(plugin.id, { enabled: usable.setting.enabled, config: usable.setting.config });
    targets.push(...(usable?.own ?? fromYaml));
  }
  return { targets, inForce, refused };
}
