import { dirname, resolve } from "node:path";
import type { ExternalPlugin } from "../../model/external.ts";

/** Where gleaner's own plugins are. */
export const OWN_FOLDER = resolve(import.meta.dirname, "../../plugins");
const MEMORY = 256 * 1024 * 1024;

export const isPluginFile = (word: string): boolean => /\.[cm]?[jt]s$/.test(word);

/** Whether a file lies among gleaner's own plugins: it is loaded like them, and not in a process of its own. */
export const isAmongOwn = (file: string): boolean => dirname(resolve(file)) === OWN_FOLDER;

/**
 * A plugin that somebody names at the command line, a file or a package: with what its entry in gleaner.yaml allows it, or
 * with what one that says nothing would.
 */
export function namedPlugin(word: string, cwd: string, configured: readonly ExternalPlugin[] = []): ExternalPlugin {
  const file = isPluginFile(word) ? resolve(cwd, word) : undefined;
  const isSame = (one: ExternalPlugin) =>
    file === undefined ? one.package === word : one.file !== undefined && resolve(one.folder, one.file) === file;
  const bare = file === undefined ? { package: word } : { file };
  return (
    configured.find(isSame) ?? { ...bare, folder: cwd, memory: MEMORY, env: [], read: [], allow: ["network"] as const }
  );
}
