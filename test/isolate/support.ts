import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PluginHost } from "../../src/isolate/host.ts";
import { createPluginHost } from "../../src/isolate/host.ts";
import type { ExternalPlugin } from "../../src/model/external.ts";
import type { Plugin } from "../../src/model/plugin.ts";
import type { Collected } from "../../src/model/sample.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { contextOf } from "../support/plugins.ts";

export const FIXTURES = join(import.meta.dirname, "fixtures");
const MIB = 1024 * 1024;

/** A plugin's file or package as gleaner.yaml names it, with the least that it may do. */
export const named = (folder: string, over: Partial<ExternalPlugin> = {}): ExternalPlugin => ({
  ...{ folder, memory: 256 * MIB, env: [], read: [], allow: ["network"] },
  ...over,
});

/** A host of plugins with a folder of its own, and what it logged. */
export interface Hosted extends AsyncDisposable {
  readonly host: PluginHost;
  readonly folder: TemporaryFolder;
  readonly lines: readonly (readonly [fields: object, message: string])[];
  readonly restarts: readonly string[];
  /** Loads a fixture under another name. @throws with the findings, when it cannot be loaded */
  plugin(fixture: string, name: string, over?: Partial<ExternalPlugin>): Promise<Plugin>;
}

export function hosted(env: Readonly<Record<string, string>> = {}): Hosted {
  const folder = temporaryFolder();
  const lines: [object, string][] = [];
  const restarts: string[] = [];
  const say = (fields: object, message: string) => void lines.push([fields, message]);
  const host = createPluginHost({
    ...{ env, log: { debug: say, info: say, warn: say, error: say } },
    restarted: (id) => void restarts.push(id),
  });
  return {
    ...{ host, folder, lines, restarts },
    async plugin(fixture, name, over) {
      const file = `./${name}.ts`;
      cpSync(join(FIXTURES, `${fixture}.ts`), folder.at(file));
      const loaded = await host.load(named(folder.path, { file, ...over }));
      if ("plugin" in loaded) return loaded.plugin;
      throw new Error(loaded.findings.map(({ line, message }) => `${line}: ${message}`).join("\n"));
    },
    async [Symbol.asyncDispose]() {
      await host.close();
      folder[Symbol.dispose]();
    },
  };
}

/** One run of a plugin's only job, with a memory of its own unless one is given. */
export function collect(
  plugin: Plugin,
  config: unknown = {},
  { state = new Map<string, unknown>(), deadline = 20_000 } = {},
): Promise<Collected> {
  const [job] = Object.values(plugin.jobs);
  if (!job) throw new Error("it has no job");
  const context = contextOf({ state, signal: AbortSignal.timeout(deadline) });
  return job.collect({ id: "a-target", config, tags: {} }, context);
}

/** A package in the node_modules of a folder. */
export function installPackage(
  folder: string,
  name: string,
  description: object,
  files: Readonly<Record<string, string>>,
) {
  const at = join(folder, "node_modules", name);
  mkdirSync(at, { recursive: true });
  const texts = {
    "package.json": JSON.stringify({ name, version: "1.0.0", type: "module", ...description }),
    ...files,
  };
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(at, file), text);
  return at;
}

/** Processes whose command line has this text. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && commandLine(name).includes(text))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
