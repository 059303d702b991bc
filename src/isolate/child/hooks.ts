import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Place } from "../locate.ts";
import { type Manifest, sha256 } from "../manifest.ts";

/** What plugins import from gleaner, wherever they are. */
const CONTRACT = "gleaner/plugin";
const CONTRACT_URL = new URL("../../plugin.ts", import.meta.url).href;
/** A plugin without packages of its own gets gleaner's. */
const LENT = /^zod(\/.+)?$/;
/** Stands for the plugin itself, which is resolved from where gleaner.yaml is. */
const ENTRY = "gleaner:entry";

/**
 * Makes the plugin's imports work, and refuses those of its own files that are not what gleaner has seen of them: the very
 * bytes that are run are compared.
 * @returns the specifier to import the plugin by
 */
export function hookImports({ entry, own }: Place, files: Manifest["files"]): string {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === CONTRACT) return { url: CONTRACT_URL, shortCircuit: true };
      if (specifier === ENTRY && "package" in entry)
        return next(entry.package, { ...context, parentURL: pathToFileURL(join(entry.from, "gleaner.yaml")).href });
      try {
        return next(specifier, context);
      } catch (error) {
        if (!LENT.test(specifier)) throw error;
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const path = url.startsWith("file:") ? fileURLToPath(url) : "";
      if (!isOwn(path, own)) return loaded;
      const source = readFileSync(path);
      if (files[path] !== sha256(source)) throw new Error(`${path} is not what it was when gleaner looked at it`);
      return { ...loaded, source, shortCircuit: true };
    },
  });
  return "file" in entry ? pathToFileURL(entry.file).href : ENTRY;
}

/** Whether a file is the plugin's own, and no package's that it brings along. */
function isOwn(path: string, own: Place["own"]): boolean {
  const root = own.find((one) => path === one || path.startsWith(`${one}/`));
  return root !== undefined && !path.slice(root.length).includes("/node_modules/");
}
