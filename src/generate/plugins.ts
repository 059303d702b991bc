import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "../model/plugin.ts";

/** The plugin files of a folder, sorted: every `.ts` in it that is not generated. What a plugin needs besides is in a folder of its own. */
export async function pluginFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return names.filter((name) => name.endsWith(".ts") && !name.endsWith(".gen.ts")).sort();
}

/** `system_info.ts` -> `systemInfo`: the name under which a file exports its plugin. */
export function exportName(file: string): string {
  return file.replace(/\.ts$/, "").replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Imports every plugin of a folder, in order of their files.
 * @throws {Error} that names the file, when it does not export a plugin named after it
 */
export async function loadPlugins(folder: string): Promise<Plugin[]> {
  const files = await pluginFiles(folder);
  return Promise.all(
    files.map(async (file) => {
      const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(join(folder, file)).href);
      const plugin = module[exportName(file)] as Plugin | undefined;
      const id = file.replace(/\.ts$/, "");
      if (plugin?.id !== id)
        throw new Error(`${file}: expected "export const ${exportName(file)} = definePlugin({ id: "${id}", … })"`);
      return plugin;
    }),
  );
}
