import type { Finding } from "../contract/load.ts";
import { type ExternalPlugin, externalId } from "../model/external.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import { startChild } from "./child.ts";
import { readDeclaration } from "./declaration.ts";
import { commandOf, environmentOf, findTools, type Tools } from "./launch.ts";
import { locate } from "./locate.ts";
import { manifestOf } from "./manifest.ts";
import type { LogEntry, Question } from "./messages.ts";
import { externalPlugin } from "./plugin.ts";
import { createSession, type Session } from "./session.ts";
import { createThrottle } from "./throttle.ts";

/** Lines of one plugin that are logged: this many at once, and as many in a minute. */
const LINES = 30;

export interface PluginHostDeps {
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called when a plugin's process was lost and another is started. */
  readonly restarted: (pluginId: string) => void;
}

/** An external plugin that runs, or why it does not. */
export type Loaded =
  | { readonly id: string; readonly plugin: Plugin; readonly digest: string }
  | { readonly id: string; readonly findings: readonly (Finding & { readonly file: string })[] };

/** Runs external plugins, each in a process of its own. */
export interface PluginHost {
  /** Loads a plugin; the very same value again where neither its settings nor its files have changed. Never rejects. */
  load(plugin: ExternalPlugin): Promise<Loaded>;
  /** Ends the processes of plugins that are not among these any more. */
  keep(plugins: Iterable<Plugin>): Promise<void>;
  /** Ends all processes. */
  close(): Promise<void>;
}

interface Running {
  readonly loaded: Extract<Loaded, { plugin: Plugin }>;
  readonly session: Session;
}

export function createPluginHost({ log, env, restarted }: PluginHostDeps): PluginHost {
  /** By settings and digest. */
  const running = new Map<string, Running>();
  const loading = new Map<string, Promise<Loaded>>();
  const sessions = new Set<Session>();
  let tools: Promise<Tools> | undefined;

  function sayer(plugin: string): { entry: (entry: LogEntry) => void; line: (line: string) => void } {
    const mayPass = createThrottle(LINES / 60, LINES, () => performance.now());
    return {
      entry({ level, message, target, fields }) {
        if (mayPass()) log[level]({ plugin, target, fields: fieldsOf(fields) }, message);
      },
      line(line) {
        if (mayPass()) log.info({ plugin, printed: line }, "the plugin printed something");
      },
    };
  }

  async function sessionOf(plugin: ExternalPlugin, start: Start): Promise<Session> {
    const { id, place } = start;
    tools ??= findTools();
    const found = await tools;
    if (!plugin.allow.includes("network") && !found.unshare)
      throw new Error(
        "its network cannot be taken away here (unshare does not work): allow it, or run gleaner where it does",
      );
    const command = commandOf(plugin, place, found);
    const say = sayer(id);
    const monotonic = () => performance.now();
    return createSession({
      ...{ start, memory: plugin.memory, monotonic, onLog: say.entry },
      startChild: ({ onMessage }) =>
        startChild({ command, env: environmentOf(plugin, env), onMessage, onLine: say.line, monotonic }),
      onLost: (why) => log.warn({ plugin: id, why }, "the process of a plugin was lost"),
      onRestart: () => restarted(id),
    });
  }

  async function start(plugin: ExternalPlugin, id: string): Promise<Loaded> {
    const place = await locate(plugin);
    const { files, digest } = await manifestOf(place.folder, place.own);
    if (plugin.sha256 !== undefined && plugin.sha256.toLowerCase() !== digest)
      throw new Error(`its files have the SHA-256 ${digest}, not the one in gleaner.yaml`);
    const key = JSON.stringify([plugin, digest]);
    const known = running.get(key)?.loaded ?? loading.get(key);
    if (known) return known;
    const loaded = startAnew(plugin, { type: "start", id, place, files }, key, digest);
    loading.set(key, loaded);
    return await loaded.finally(() => loading.delete(key));
  }

  async function startAnew(plugin: ExternalPlugin, question: Start, key: string, digest: string): Promise<Loaded> {
    const { id } = question;
    const session = await sessionOf(plugin, question);
    sessions.add(session);
    const found = await declared(session, question);
    if ("findings" in found) {
      await close(session);
      return { id, findings: found.findings.map((finding) => ({ ...finding, file: fileOf(plugin) })) };
    }
    const loaded = { id, digest, plugin: externalPlugin(found, session) };
    running.set(key, { loaded, session });
    return loaded;
  }

  async function close(session: Session): Promise<void> {
    sessions.delete(session);
    await session.close();
  }

  return {
    async load(plugin) {
      const id = externalId(plugin);
      return await start(plugin, id).catch((error: Error) => ({
        ...{ id, findings: [{ file: fileOf(plugin), line: 1, message: error.message }] },
      }));
    },
    async keep(plugins) {
      const kept = new Set(plugins);
      const gone = [...running].filter(([, { loaded }]) => !kept.has(loaded.plugin));
      for (const [key] of gone) running.delete(key);
      await Promise.all(gone.map(([, { session }]) => close(session)));
    },
    async close() {
      running.clear();
      await Promise.all([...sessions].map(close));
    },
  };
}

const fileOf = ({ file, package: name }: ExternalPlugin): string => file ?? name ?? "";

type Start = Extract<Question, { type: "start" }>;

/** Starts the process and reads what it declares. */
async function declared(session: Session, start: Start) {
  const answer = await session.ask("declared", start).catch((error: Error) => error);
  if (answer instanceof Error) return { findings: [{ line: 1, message: answer.message }] };
  const { type } = answer as { type: string };
  if (type === "refused") return { findings: (answer as unknown as { findings: Finding[] }).findings };
  const { declaration, faults } = readDeclaration(answer.declaration, start.id);
  return declaration ?? { findings: faults.map(({ message }) => ({ line: 1, message })) };
}

function fieldsOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
