import type { LoadedConfig } from "../config/loaded.ts";
import { ConfigError } from "../config/problem.ts";
import { entriesOf } from "../config/targets.ts";
import type { Loaded, PluginHost } from "../isolate/host.ts";
import { type ExternalPlugin, externalId } from "../model/external.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import { plugins as builtIn } from "../plugins/registry.gen.ts";

/** Every plugin there is; for an external one that cannot be loaded a stand-in. */
export interface Plugins {
  readonly plugins: readonly Plugin[];
  /** Why external plugins cannot be loaded, by their ids. */
  readonly failed: ReadonlyMap<string, string>;
}

/** Loads every plugin there is: those that come with gleaner, and those that gleaner.yaml names. */
export interface External {
  /**
   * Loads what the configuration names. One that cannot be loaded is logged, and has a stand-in. Only ids that are taken are
   * errors.
   * @throws {ConfigError} then
   */
  load(config: LoadedConfig): Promise<Plugins>;
  /** Loads one by itself, with what its entry in the configuration allows it, if there is one. */
  loadOne(plugin: ExternalPlugin): Promise<Loaded>;
  /**
   * Tries again those that could not be loaded, each after ever longer pauses, and waits for those that were too slow.
   * @returns whether one is there now, so that a reload takes it in
   */
  isMended(): Promise<boolean>;
  /** Ends the processes of plugins that are in none of these any more. */
  keep(plugins: Iterable<Plugin>): Promise<void>;
  close(): Promise<void>;
}

export interface ExternalDeps {
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly restarted?: (pluginId: string) => void;
  /** How long loading waits for a plugin (ms); a service's patience when absent. */
  readonly patience?: number;
}

/** What a start and a reload wait for a plugin (ms): a slow one joins when it is there, and holds up nobody. */
const PATIENCE_MS = 5_000;
/** A command waits as long as a plugin may take (START_MS of isolate/session.ts): for it there is no later. */
export const COMMAND_PATIENCE_MS = 35_000;
/** Pause before a plugin that could not be loaded is tried again (ms); it doubles. */
const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 3_600_000;

/** A plugin that could not be loaded, and when it is tried again (monotonic milliseconds). */
interface Waiting {
  readonly plugin: ExternalPlugin;
  nextAt: number;
  pause: number;
}

type Named = Extract<Loaded, { plugin: Plugin }>;
type Failed = Readonly<{ id: string; reason: string }>;

/** Ids are known from the names alone. @throws {ConfigError} when one is there twice */
function checkIds({ external_plugins: named, origin }: LoadedConfig): void {
  const ids = named.map(externalId);
  const problems = named.flatMap(({ package: name }, index) => {
    const id = ids[index] as string;
    const isTaken = ids.indexOf(id) < index || builtIn.some((plugin) => plugin.id === id);
    const label = origin.label(["external_plugins", index, name === undefined ? "file" : "package"]);
    return isTaken ? [`${label}: expected an id of its own, another plugin is ${id} already`] : [];
  });
  if (problems.length > 0) throw new ConfigError(problems);
}

/** What gleaner's own plugins and those before it have already: metrics are unique, so that a name says what it means. */
function collision({ plugin }: Named, others: readonly Plugin[]): string | undefined {
  for (const metric of Object.keys(plugin.metrics)) {
    const owner = others.find((other) => Object.hasOwn(other.metrics, metric));
    if (owner) return `the metric ${metric} is declared by ${owner.id}, too`;
  }
  return undefined;
}

/** Splits what was loaded into what can be used beside gleaner's own plugins and why the rest cannot. */
function judge(all: readonly Loaded[]): { readonly loaded: Plugin[]; readonly failed: Failed[] } {
  const loaded: Plugin[] = [];
  const failed: Failed[] = [];
  for (const one of all) {
    const reason =
      "findings" in one
        ? one.findings.map(({ file, line, message }) => `${file}:${line}: ${message}`).join("; ")
        : collision(one, [...builtIn, ...loaded]);
    if (reason !== undefined) failed.push({ id: one.id, reason });
    else if ("plugin" in one) loaded.push(one.plugin);
  }
  return { loaded, failed };
}

/** The jobs that the configuration has settings for, so that none of them is unknown to a stand-in. */
const configuredJobs = (plugin: Plugin, config: LoadedConfig): string[] => [
  ...new Set([...entriesOf(plugin, config).values()].flatMap(({ jobs }) => Object.keys(jobs))),
];

const slow = (plugin: ExternalPlugin, patience: number): Loaded => {
  const message = `it has not loaded within ${patience / 1_000} s, and joins when it has`;
  return { id: externalId(plugin), findings: [{ file: plugin.file ?? plugin.package ?? "", line: 1, message }] };
};

/** What it comes to, or something else when that takes too long. */
async function inTime(loading: Promise<Loaded>, otherwise: Loaded, patience: number): Promise<Loaded> {
  const late = Promise.withResolvers<Loaded>();
  const timer = setTimeout(() => late.resolve(otherwise), patience);
  return await Promise.race([loading, late.promise]).finally(() => clearTimeout(timer));
}

/** Loads plugins; what runs external ones is loaded itself only where there are any. */
export function createExternal({ log, env, restarted = () => undefined, ...deps }: ExternalDeps): External {
  const { patience = PATIENCE_MS } = deps;
  let host: Promise<PluginHost> | undefined;
  const hosted = (): Promise<PluginHost> => {
    host ??= import("../isolate/host.ts").then(({ createPluginHost }) => createPluginHost({ log, env, restarted }));
    return host;
  };

  let waiting: readonly Waiting[] = [];
  let isBusy = false;

  /** Loads them, those that take too long apart. */
  async function loadInTime(named: readonly ExternalPlugin[]): Promise<Loaded[]> {
    const { load } = await hosted();
    const tried = await Promise.all(
      named.map(async (plugin) => {
        const late = slow(plugin, patience);
        const found = await inTime(load(plugin), late, patience);
        return { plugin, found, isSlow: found === late };
      }),
    );
    waiting = tried.flatMap(({ plugin, found, isSlow }) =>
      "plugin" in found
        ? []
        : [{ plugin, nextAt: performance.now() + (isSlow ? 0 : FIRST_RETRY_MS), pause: FIRST_RETRY_MS }],
    );
    return tried.map(({ found }) => found);
  }

  return {
    async isMended() {
      const due = waiting.filter(({ nextAt }) => performance.now() >= nextAt);
      if (due.length === 0 || isBusy) return false;
      isBusy = true;
      const { load } = await hosted();
      const found = await Promise.all(due.map(({ plugin }) => load(plugin)));
      for (const one of due) {
        one.nextAt = performance.now() + one.pause;
        one.pause = Math.min(LONGEST_RETRY_MS, 2 * one.pause);
      }
      isBusy = false;
      return found.some((one) => "plugin" in one);
    },
    async load(config) {
      const { external_plugins: named } = config;
      waiting = [];
      if (named.length === 0) return { plugins: builtIn, failed: new Map() };
      checkIds(config);
      const { loaded, failed } = judge(await loadInTime(named));
      for (const { id, reason } of failed) log.error({ plugin: id, reason }, "an external plugin cannot be loaded");
      const { standIn } = await import("../isolate/plugin.ts");
      const standIns = failed.map(({ id, reason }) => {
        const bare = standIn(id, reason, []);
        return standIn(id, reason, configuredJobs(bare, config));
      });
      return {
        plugins: [...builtIn, ...loaded, ...standIns],
        failed: new Map(failed.map(({ id, reason }) => [id, reason])),
      };
    },
    loadOne: async (plugin) => (await hosted()).load(plugin),
    async keep(plugins) {
      await (await host)?.keep(plugins);
    },
    async close() {
      await (await host)?.close();
    },
  };
}
