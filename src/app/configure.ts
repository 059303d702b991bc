import { type LoadOptions, loadConfig } from "../config/load.ts";
import type { LoadedConfig } from "../config/loaded.ts";
import { ConfigError } from "../config/problem.ts";
import { resolveTargets } from "../config/targets.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import { plugins } from "../plugins/registry.gen.ts";

export interface Configured {
  readonly config: LoadedConfig;
  readonly targets: readonly ConfiguredTarget[];
}

/** Loads the configuration and resolves its targets. @throws {ConfigError} with every problem found. */
export function configure(options: LoadOptions): Configured {
  const config = loadConfig(options);
  const { targets, problems } = resolveTargets(config, config.kitList, plugins);
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, targets };
}
