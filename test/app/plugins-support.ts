import type { Configured } from "../../src/app/configure.ts";
import { loadConfig } from "../../src/config/load.ts";
import { resolveTargets } from "../../src/config/targets.ts";
import { plugins } from "../config/plugins.ts";
import { temporaryFolder } from "../support/folder.ts";

/** What a gleaner.yaml (and a kits.yaml) come to, with the plugins of the configuration's tests. */
export async function configuredBy(yaml: string, kits = "kits: []\n"): Promise<Configured> {
  using folder = temporaryFolder();
  folder.write("gleaner.yaml", yaml);
  folder.write("kits.yaml", kits);
  const config = loadConfig({ env: {}, cwd: folder.path });
  const { targets, problems } = await resolveTargets(config, config.kitList, plugins);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return { config, plugins, failed: new Map(), targets };
}
