import { type LoadOptions, loadConfig } from "../config/load.ts";
import type { LoadedConfig } from "../config/loaded.ts";
import { ConfigError } from "../config/problem.ts";
import { resolveTargets } from "../config/targets.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import { plugins } from "../plugins/registry.gen.ts";
import { isKit } from "./points.ts";

export interface Configured {
  readonly config: LoadedConfig;
  readonly targets: readonly ConfiguredTarget[];
}

/**
 * Loads the configuration for a gleaner that runs. A file that is being written may be read empty, or not be there for a
 * moment: no list of kits is no reason to let go of all kits, an empty one is.
 * @throws {ConfigError} with every problem found
 */
export function reconfigure(options: LoadOptions, running: readonly ConfiguredTarget[]): Configured {
  const configured = configure(options);
  const { hasKitList, kits } = configured.config;
  if (!hasKitList && running.some((target) => isKit(target) && !isWanted(target, configured.targets)))
    throw new ConfigError([`${kits.file}: expected a list of kits; to take all kits away, write kits: []`]);
  return configured;
}

const isWanted = ({ id }: ConfiguredTarget, targets: readonly ConfiguredTarget[]) =>
  targets.some((target) => target.id === id);

/** Loads the configuration and resolves its targets. @throws {ConfigError} with every problem found. */
export function configure(options: LoadOptions): Configured {
  const config = loadConfig(options);
  const { targets, problems } = resolveTargets(config, config.kitList, plugins);
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, targets };
}
