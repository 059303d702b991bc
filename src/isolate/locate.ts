import { existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { ExternalPlugin } from "../model/external.ts";

/** Packages that are plugins say so among their keywords. */
const KEYWORD = "gleaner-plugin";

/** Where an external plugin is. */
export interface Place {
  /** A file's path, or a package's name that is resolved from the folder of gleaner.yaml. */
  readonly entry: { readonly file: string } | { readonly package: string; readonly from: string };
  readonly folder: string;
  /** Its own files, which are all it may run. */
  readonly own: readonly string[];
  /** What else it may import from. */
  readonly dependencies: readonly string[];
}

/** Finds a plugin's files. @throws {Error} with a sentence, when it is not there or not where it may be */
export function locate(plugin: ExternalPlugin): Promise<Place> {
  return plugin.package === undefined
    ? locateFile(plugin.file ?? "", plugin.folder)
    : locatePackage(plugin.package, plugin.folder);
}

/** A file, its parts in the folder of its name beside it, and the packages beside it. Nothing else of its folder is its own. */
async function locateFile(given: string, folder: string): Promise<Place> {
  const file = await realpath(resolve(folder, given)).catch(() => {
    throw new Error(`there is no file ${given}`);
  });
  if (!isAbsolute(given) && !isWithin(file, await realpath(folder)))
    throw new Error(`${given} leads out of the folder of gleaner.yaml: name it by its absolute path`);
  const parts = file.replace(/\.[cm]?[jt]s$/, "");
  const packages = join(dirname(file), "node_modules");
  return {
    entry: { file },
    folder: dirname(file),
    own: [file, ...(parts !== file && existsSync(parts) ? [parts] : [])],
    dependencies: existsSync(packages) ? [packages] : [],
  };
}

const isWithin = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

async function locatePackage(name: string, from: string): Promise<Place> {
  const description = packageFile(name, from);
  if (description === undefined) throw new Error(`the package ${name} is not installed in ${from} or above it`);
  const { keywords } = await readPackage(description);
  if (!Array.isArray(keywords) || !keywords.includes(KEYWORD))
    throw new Error(`the package ${name} is no plugin of gleaner: the keyword ${KEYWORD} is missing`);
  const folder = await realpath(dirname(description));
  const dependencies = await dependenciesOf(description, new Set([dirname(description), folder]));
  return { entry: { package: name, from }, folder, own: [folder], dependencies };
}

/** The folders of all packages that a package needs, and of those that they need, links followed. */
async function dependenciesOf(description: string, seen: Set<string>): Promise<string[]> {
  const { dependencies, optionalDependencies, peerDependencies } = await readPackage(description);
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const found = names.flatMap((name) => packageFile(name, dirname(description)) ?? []);
  for (const file of found.filter((one) => !seen.has(dirname(one)))) {
    seen.add(dirname(file)).add(await realpath(dirname(file)));
    await dependenciesOf(file, seen);
  }
  return [...seen];
}

interface Description {
  readonly keywords?: unknown;
  readonly dependencies?: object;
  readonly optionalDependencies?: object;
  readonly peerDependencies?: object;
}

const readPackage = async (file: string): Promise<Description> => JSON.parse(await readFile(file, "utf8"));

/** The package.json of a package, as a module in a folder finds it. */
function packageFile(name: string, folder: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(join(folder, "module.js")));
  } catch {
    return undefined;
  }
}
