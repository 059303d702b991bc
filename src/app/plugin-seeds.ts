import { scrypt } from "node:crypto";
import { promisify } from "node:util";
import { type PluginSetting, seedSetting } from "../config/plugin-rows.ts";
import { entriesOf } from "../config/targets.ts";
import type { Plugin } from "../model/plugin.ts";
import type { PluginSeed } from "../store/store.ts";
import type { Configured } from "./configure.ts";

/**
 * A plugin's part of gleaner.yaml may hold a password, and its mark is kept where others can read it: a hash that is as slow
 * as one of passwords, 10 ms each, of the plugins that have an entry.
 */
const COST = { N: 4_096, r: 8, p: 1 } as const;
const slowHash = promisify<string, string, number, object, Buffer>(scrypt);

async function markOf(plugin: Plugin, { config }: Configured, enabled: boolean): Promise<string> {
  const entries = entriesOf(plugin, config);
  // Whether it runs belongs to it: kits are configured elsewhere, and may be none at first.
  const state = enabled ? "on" : "off";
  if (!Object.keys(config.targets).some((key) => entries.has(key))) return state;
  const hash = await slowHash(JSON.stringify([...entries]), `gleaner ${plugin.id}`, 16, COST);
  return `${state}${hash.toString("hex")}`;
}

/** What gleaner.yaml says of each plugin that could be loaded, as the table `plugins` is seeded with it. */
export function seedsOf(configured: Configured): Promise<(PluginSeed & PluginSetting)[]> {
  const loaded = configured.plugins.filter(({ id }) => !configured.failed.has(id));
  return Promise.all(
    loaded.map(async (plugin) => {
      const { enabled, config } = seedSetting(plugin, configured.targets);
      return {
        ...{ pluginId: plugin.id, name: plugin.title, version: plugin.version, description: plugin.summary },
        ...{ category: plugin.category, enabled, config, yaml: await markOf(plugin, configured, enabled) },
      };
    }),
  );
}
