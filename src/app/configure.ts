import type { LoadedConfig } from "../config/loaded.ts";
import { ConfigError } from "../config/problem.ts";
import { resolveTargets } from "../config/targets.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import type { External, Plugins } from "./external.ts";
import { isKit } from "./points.ts";

export interface Configured extends Plugins {
  readonly config: LoadedConfig;
  readonly targets: readonly ConfiguredTarget[];
}

/** Loads the plugins of a configuration, and resolves its targets. @throws {ConfigError} with every problem found. */
export async function configure(config: LoadedConfig, external: External): Promise<Configured> {
  const { plugins, failed } = await external.load(config);
  const { targets, problems } = await resolveTargets(config, config.kitList, plugins);
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, plugins, failed, targets };
}

/**
 * The same for a gleaner that runs. A file that is being written may be read empty, or not be there for a
 * moment: no list of kits is no reason to let go of all kits, an empty one is.
 * @throws {ConfigError} with every problem found
 */
export async function reconfigure(
  config: LoadedConfig,
  external: External,
  running: readonly ConfiguredTarget[],
): Promise<Configured> {
  const configured = await configure(config, external);
  const { hasKitList, kits } = configured.config;
  if (!hasKitList && running.some((target) => isKit(target) && !isWanted(target, configured.targets)))
    throw new ConfigError([`${kits.file}: expected a list of kits; to take all kits away, write kits: []`]);
  return configured;
}

const isWanted = ({ id }: ConfiguredTarget, targets: readonly ConfiguredTarget[]) =>
  targets.some((target) => target.id === id);
