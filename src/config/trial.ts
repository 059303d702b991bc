import { resolve } from "node:path";
import type { Plugin } from "../model/plugin.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import { MAX_CONFIG_BYTES, readText, UnreadableFile } from "./files.ts";
import type { Environment } from "./interpolate.ts";
import type { LoadedConfig } from "./loaded.ts";
import { overlay } from "./overlay.ts";
import { pluginJobs, pluginPolicies } from "./policies.ts";
import { ConfigError } from "./problem.ts";
import { targetSchema } from "./target-schema.ts";
import { validateAsync } from "./validate.ts";
import { emptySource, readYaml, type Source } from "./yaml.ts";

/** Settings to try a plugin with, besides or instead of those that are configured. */
export interface TrialSettings {
  /** A YAML file with the plugin's own settings; instead of what gleaner.yaml has. */
  readonly file?: string;
  /** Single settings over that: `host=127.0.0.1`, `tls.verify=false`. The values are YAML. */
  readonly set: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
}

/**
 * A target to try a plugin with: the one that is configured, where there is one, with other settings.
 * @throws {ConfigError} with every problem found
 */
export async function trialTarget(
  plugin: Plugin,
  configured: ConfiguredTarget | undefined,
  config: LoadedConfig,
  settings: TrialSettings,
): Promise<ConfiguredTarget> {
  const target = configured ?? freshTarget(plugin, config);
  if (settings.file === undefined && settings.set.length === 0 && configured) return target;
  const source = sourceOf(target, config, settings);
  const { values, problems } = readSets(settings);
  const { raw, origin } = overlay(source, { values, problems: [] });
  const own = await validateAsync(plugin.config, raw, origin);
  const all = [...source.problems, ...problems, ...own.problems];
  if (all.length > 0) throw new ConfigError(all);
  return { ...target, config: own.value };
}

function freshTarget(plugin: Plugin, config: LoadedConfig): ConfiguredTarget {
  const settings = targetSchema.parse({});
  const jobs = pluginJobs(plugin, settings, config);
  const { id, title: name } = plugin;
  return { id, name, plugin, config: {}, tags: {}, jobs, ...pluginPolicies(plugin, settings, jobs, config) };
}

/** The file; without one what gleaner.yaml has for the target, as it is written there. */
function sourceOf({ id }: ConfiguredTarget, { targets }: LoadedConfig, { file, env, cwd }: TrialSettings): Source {
  if (file === undefined) return { ...emptySource("--set"), value: targets[id]?.config ?? {} };
  try {
    return readYaml(readText(resolve(cwd, file), MAX_CONFIG_BYTES), file, env);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    return { ...emptySource(file), problems: [`--settings: the file ${file} ${error.message}`] };
  }
}

/** Puts single settings into plain data: `a.b=value`, where the value is YAML and `null` stands for itself. */
export function setValues(data: unknown, set: readonly string[]): { value: unknown; problems: readonly string[] } {
  const { values, problems } = readSets({ set });
  return { value: overlay({ ...emptySource("--set"), value: data ?? {} }, { values, problems: [] }).raw, problems };
}

function readSets({ set, env }: Pick<TrialSettings, "set"> & Partial<Pick<TrialSettings, "env">>) {
  const read = set.map((text) => {
    const [, key = "", value = ""] = /^([\w.-]+)=(.*)$/s.exec(text) ?? [];
    const name = `--set ${key}`;
    if (key === "") return { problems: ["--set: expected <setting>=<value>"], values: [] };
    const source = readYaml(value, name, env);
    return { problems: source.problems, values: [{ path: key.split("."), value: source.value, name }] };
  });
  return { values: read.flatMap((one) => one.values), problems: read.flatMap((one) => one.problems) };
}
