import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Context, HttpClient, Plugin } from "../../src/model/plugin.ts";
import { CollectError } from "../../src/model/run.ts";
import type { Collected } from "../../src/model/sample.ts";

const FOLDER = join(import.meta.dirname, "../../src/plugins");

/** A plugin's file, by its name without the extension, and the plugin it exports. */
export interface PluginFile {
  readonly name: string;
  readonly plugin: Plugin;
}

const isPlugin = (value: unknown): value is Plugin =>
  typeof value === "object" && value !== null && "id" in value && "jobs" in value && "metrics" in value;

/** Every plugin under src/plugins, found by file name and not by the generated registry, so that none can be forgotten. */
export async function loadPlugins(): Promise<readonly PluginFile[]> {
  const files = (await readdir(FOLDER)).filter((file) => /^[^.]+\.ts$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const exported = Object.values(await import(pathToFileURL(join(FOLDER, file)).href));
      const [plugin, another] = exported.filter(isPlugin);
      if (!plugin || another) throw new Error(`${file} must export one plugin`);
      return { name: file.replace(/\.ts$/, ""), plugin };
    }),
  );
}

/** An HTTP client for plugins that must not need one: every request is refused as a dead host would refuse it. */
const noHttp: HttpClient = {
  get: async () => {
    throw new CollectError("unreachable", "no network in this test");
  },
};

/** A context with a fixed clock, a silent log, an empty memory and no network, unless told otherwise. */
export function contextOf(overrides: Partial<Context> = {}): Context {
  const silent = () => undefined;
  return {
    signal: new AbortController().signal,
    http: noHttp,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    now: () => new Date("2026-01-02T03:04:05Z"),
    state: new Map(),
    ...overrides,
  };
}

/** What is wrong with the samples of a collection, measured by the plugin's own declarations; empty when all is right. */
export function undeclared(plugin: Plugin, { samples, metrics }: Collected): readonly string[] {
  const specs = new Map(Object.entries({ ...(plugin.furtherMetrics ? metrics : {}), ...plugin.metrics }));
  const series = new Map<string, string[]>();
  const wrong = samples.flatMap(({ metric, value, labels = {} }) => {
    const spec = specs.get(metric);
    if (!spec) return [`${metric} is not declared`];
    const key = JSON.stringify(Object.entries(labels).sort());
    const seen = series.get(metric) ?? [];
    series.set(metric, [...seen, key]);
    return [
      ...Object.keys(labels)
        .filter((label) => !spec.labels?.includes(label))
        .map((label) => `${metric} has the undeclared label ${label}`),
      ...(Number.isFinite(value) ? [] : [`${metric} is ${value}`]),
      ...(seen.includes(key) ? [`${metric}${key} occurs twice`] : []),
      ...(spec.maxSeries !== undefined && seen.length >= spec.maxSeries ? [`${metric} exceeds its cap of series`] : []),
    ];
  });
  return [...new Set(wrong)];
}
