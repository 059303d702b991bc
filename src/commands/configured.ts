import { type Configured, configure } from "../app/configure.ts";
import { COMMAND_PATIENCE_MS, createExternal, type External } from "../app/external.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { createLogger } from "../log.ts";

/**
 * Does something with the configuration as it is when gleaner starts, external plugins included; their processes are ended
 * afterwards.
 */
export async function withConfigured<T>(
  options: LoadOptions,
  work: (configured: Configured, external: External) => Promise<T>,
): Promise<T> {
  const external = createExternal({ log: createLogger("warn"), env: options.env, patience: COMMAND_PATIENCE_MS });
  try {
    return await work(await configure(loadConfig(options), external), external);
  } finally {
    await external.close();
  }
}
