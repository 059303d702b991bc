import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { resolveDatabaseUrl } from "./database-url.ts";
import { readOverrides } from "./environment.ts";
import { MAX_CONFIG_BYTES, readText, UnreadableFile } from "./files.ts";
import type { Environment } from "./interpolate.ts";
import { type KitEntry, readKits } from "./kits.ts";
import type { LoadedConfig } from "./loaded.ts";
import { overlay } from "./overlay.ts";
import { ConfigError, inOrder, pathKey } from "./problem.ts";
import { redact } from "./redact.ts";
import { type Settings, settingsSchema } from "./schema.ts";
import { hashTokens, readSecretFiles, type SecretFiles } from "./secrets.ts";
import { getIn, type Origin, validate } from "./validate.ts";
import { emptySource, readYaml, type Source } from "./yaml.ts";

/** What loading depends on; nothing else is looked at but the files these name. */
export interface LoadOptions {
  /** As given with --config; GLEANER_CONFIG counts when absent, then gleaner.yaml in `cwd` if there is one. */
  readonly configPath?: string;
  readonly env: Environment;
  readonly cwd: string;
}

/**
 * Loads gleaner.yaml, kits.yaml and the environment.
 * @throws {ConfigError} with every problem found
 */
export function loadConfig({ configPath, env, cwd }: LoadOptions): LoadedConfig {
  const named = configPath ?? (env["GLEANER_CONFIG"]?.trim() || undefined);
  const path = resolve(cwd, named ?? "gleaner.yaml");
  const folder = dirname(path);
  const namedBy = configPath !== undefined ? "--config" : "GLEANER_CONFIG";
  const main = readSource(path, { cwd, env, requiredBy: named === undefined ? undefined : namedBy });

  const overrides = readOverrides(env, cwd, listLength(main.source.value, ["server", "tokens"]));
  const { raw, origin } = overlay(main.source, overrides);
  const secrets = readSecretFiles(raw, origin, folder);
  const settings = main.usable ? validate(settingsSchema, raw, origin) : { value: undefined, problems: [] };

  const kitsFile = getIn(raw, ["kits", "file"]);
  const kitsPath = resolve(folder, typeof kitsFile === "string" && kitsFile !== "" ? kitsFile : "kits.yaml");
  const requiredBy = typeof kitsFile === "string" ? origin.label(["kits", "file"]) : undefined;
  const fleet = readSource(kitsPath, { cwd, env, requiredBy });
  const kits = fleet.usable ? readKits(fleet.source, dirname(kitsPath)) : { kits: [], problems: fleet.source.problems };

  const problems = inOrder([
    ...main.source.problems,
    ...overrides.problems,
    ...settings.problems,
    ...secrets.problems,
    ...kits.problems,
  ]);
  if (settings.value === undefined || problems.length > 0) throw new ConfigError(problems);
  const names = [...new Set(overrides.values.map(({ name }) => name))];
  return assemble(settings.value, secrets, {
    ...{ folder, kitsPath, origin, kitList: kits.kits },
    hasKitList: Array.isArray(getIn(fleet.source.value, ["kits"])),
    urlFolder: names.includes("DATABASE_URL") ? cwd : folder,
    sources: [...main.found, ...fleet.found, ...names],
  });
}

interface Parts {
  readonly folder: string;
  readonly kitsPath: string;
  readonly urlFolder: string;
  readonly origin: Origin;
  readonly kitList: readonly KitEntry[];
  readonly hasKitList: boolean;
  readonly sources: readonly string[];
}

function assemble(settings: Settings, secrets: SecretFiles, parts: Parts): LoadedConfig {
  const { url, url_file: _file, ...store } = settings.store;
  const data_dir = resolve(parts.folder, settings.data_dir);
  const fromFile = secrets.texts.get(pathKey(["store", "url_file"]));
  const { url: cacheUrl, url_file: _cacheFile, ...cache } = settings.cache;
  const plain = {
    ...settings,
    cache: { ...cache, url: cacheUrl ?? secrets.texts.get(pathKey(["cache", "url_file"])) },
    server: { ...settings.server, tokens: hashTokens(settings.server.tokens, secrets) },
    data_dir,
    store: {
      ...store,
      url: resolveDatabaseUrl(url ?? fromFile ?? `sqlite:${join(data_dir, "gleaner.db")}`, parts.urlFolder),
    },
    kits: { ...settings.kits, file: parts.kitsPath },
    external_plugins: settings.external_plugins.map((plugin) => ({ ...plugin, folder: parts.folder })),
    kitList: parts.kitList,
    hasKitList: parts.hasKitList,
    sources: parts.sources,
  };
  const redacted = () => redact(plain);
  const shown = { redacted, toJSON: redacted, [Symbol.for("nodejs.util.inspect.custom")]: redacted };
  return deepFreeze({ ...plain, origin: parts.origin, ...shown });
}

interface ReadResult {
  readonly source: Source;
  /** False when the file is not YAML to its end, so that its values mean nothing. */
  readonly usable: boolean;
  /** The name to show, when there is a file. */
  readonly found: readonly string[];
}

function readSource(
  path: string,
  {
    cwd,
    env,
    requiredBy,
  }: { readonly cwd: string; readonly env: Environment; readonly requiredBy: string | undefined },
): ReadResult {
  const shown = shownPath(path, cwd);
  try {
    const source = readYaml(readText(path, MAX_CONFIG_BYTES), shown, env);
    return { source, usable: source.readable, found: [shown] };
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    if (error.missing && requiredBy === undefined) return { source: emptySource(shown), usable: true, found: [] };
    const problem = `${requiredBy ?? shown}: the file ${shown} ${error.message}`;
    return { source: { ...emptySource(shown), problems: [problem] }, usable: false, found: [] };
  }
}

function shownPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
}

function listLength(value: unknown, path: readonly string[]): number {
  const list = getIn(value, path);
  return Array.isArray(list) ? list.length : 0;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
