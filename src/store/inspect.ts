import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname } from "node:path";
import type { AlertRecord } from "../model/alert.ts";
import { addAgent, changeAgent, listAgents } from "./agents.ts";
import { dropLetters, type KeptLetter, listLetters, retryLetter } from "./dead-letters.ts";
import type { Engine } from "./engines/engine.ts";
import { connectPostgres, postgresEngine } from "./engines/postgres.ts";
import { openSqlite } from "./engines/sqlite.ts";
import { pendingMigrations } from "./migrate.ts";
import { explained } from "./open.ts";
import { changePlugin, listPlugins, seedPlugins } from "./plugin-rows.ts";
import { listAlerts, listKits } from "./records.ts";
import type { KitRecord, PluginChange, PluginSeed, Store, StoredPlugin } from "./store.ts";
import { parseStoreUrl, type StoreUrl } from "./url.ts";

/** Looking must not take long: a command waits for it. */
const LOOK_TIMEOUT_MS = 5_000;

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The nearest folder above a file that exists: what has to be writable for the file to be made. */
async function nearestFolder(path: string): Promise<string> {
  const folder = dirname(path);
  return folder === path || (await exists(folder)) ? folder : nearestFolder(folder);
}

/** Opens the database without migrating it, and closes it again. */
async function looking<T>(url: StoreUrl, look: (engine: Engine) => Promise<T>): Promise<T> {
  const engine =
    url.engine === "sqlite"
      ? openSqlite(url.path)
      : postgresEngine(
          await connectPostgres({
            url: url.url,
            lockTimeout: LOOK_TIMEOUT_MS,
            poolSize: 1,
            statementTimeout: LOOK_TIMEOUT_MS,
          }),
        );
  try {
    return await look(engine);
  } finally {
    await engine.close();
  }
}

/** Nothing is there to look at yet: an embedded database before its first start. */
const isFuture = async (url: StoreUrl) =>
  url.engine === "sqlite" && url.path !== ":memory:" && !(await exists(url.path));

/**
 * Says in a line how the database is, having changed nothing.
 * @throws {Error} that says what to fix when it cannot be used.
 */
export async function inspectStore(urlText: string): Promise<string> {
  const url = parseStoreUrl(urlText);
  return await explained(url, async () => {
    if (url.engine === "sqlite" && (await isFuture(url))) {
      await access(await nearestFolder(url.path), constants.W_OK);
      return `${url.label}, to be created at the first start`;
    }
    const pending = await looking(url, pendingMigrations);
    return pending.length === 0
      ? `${url.label}, up to date`
      : `${url.label}, to be migrated at the next start: ${pending.join(", ")}`;
  });
}

const NO_LETTERS: Letters = { list: async () => [], retry: async () => {}, drop: async () => 0 };

/** Does something with the dead letters of a database that is up to date; what `work` throws comes back as it is. */
export async function withLetters<T>(urlText: string, work: (letters: Letters) => Promise<T>): Promise<T> {
  const url = parseStoreUrl(urlText);
  if (await isFuture(url)) return await work(NO_LETTERS);
  const [outcome] = await explained(url, () =>
    looking(url, (engine) =>
      Promise.allSettled([
        work({
          list: (limit) => explained(url, () => listLetters(engine, limit)),
          retry: (letter) => retryLetter(engine, letter),
          drop: (ids) => explained(url, () => dropLetters(engine, ids)),
        }),
      ]),
    ),
  );
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

/** Rows the database refused, and what can be done with them. */
export interface Letters {
  /** The newest of them. */
  list(limit: number): Promise<KeptLetter[]>;
  /** Stores a letter's row and takes the letter away. Rejects with the database's error when it is refused still. */
  retry(letter: KeptLetter): Promise<void>;
  /** Takes letters away for good. */
  drop(ids: readonly string[]): Promise<number>;
}

/** The rows of the table `alerts`; none when the database does not exist yet or was never migrated. */
export async function alertsOf(urlText: string): Promise<AlertRecord[]> {
  const url = parseStoreUrl(urlText);
  return await explained(url, async () => {
    if (await isFuture(url)) return [];
    return await looking(url, async (engine) =>
      (await pendingMigrations(engine)).length > 0 ? [] : await listAlerts(engine),
    );
  });
}

/** The kits the database knows; none when it does not exist yet or was never migrated. */
export async function kitsOf(urlText: string): Promise<KitRecord[]> {
  const url = parseStoreUrl(urlText);
  return await explained(url, async () => {
    if (await isFuture(url)) return [];
    return await looking(url, async (engine) =>
      (await pendingMigrations(engine)).length > 0 ? [] : await listKits(engine),
    );
  });
}

/** The table `plugins`, for commands. */
export interface PluginRows {
  list(): Promise<StoredPlugin[]>;
  /** Writes what gleaner.yaml says of plugins that have no row yet. */
  add(seeds: readonly PluginSeed[]): Promise<void>;
  change(pluginId: string, change: PluginChange): Promise<boolean>;
}

/**
 * Does something with the table `plugins`; what `work` throws comes back as it is.
 * @returns undefined when the database does not exist yet or has to be migrated first
 */
export function withPluginRows<T>(urlText: string, work: (rows: PluginRows) => Promise<T>): Promise<T | undefined> {
  return withMigrated(urlText, (engine, url) =>
    work({
      list: () => explained(url, () => listPlugins(engine)),
      async add(seeds) {
        const known = new Set((await listPlugins(engine)).map(({ pluginId }) => pluginId));
        await seedPlugins(
          engine,
          seeds.filter(({ pluginId }) => !known.has(pluginId)),
        );
      },
      change: (pluginId, change) => explained(url, () => changePlugin(engine, pluginId, change)),
    }),
  );
}

/** The table `agents`, for commands. */
export type AgentRows = Pick<Store, "listAgents" | "addAgent" | "changeAgent">;

/**
 * Does something with the table `agents`; what `work` throws comes back as it is.
 * @returns undefined when the database does not exist yet or has to be migrated first
 */
export function withAgentRows<T>(urlText: string, work: (rows: AgentRows) => Promise<T>): Promise<T | undefined> {
  return withMigrated(urlText, (engine, url) =>
    work({
      listAgents: () => explained(url, () => listAgents(engine)),
      addAgent: (agent) => explained(url, () => addAgent(engine, agent)),
      changeAgent: (agentId, change) => explained(url, () => changeAgent(engine, agentId, change)),
    }),
  );
}

async function withMigrated<T>(
  urlText: string,
  work: (engine: Engine, url: StoreUrl) => Promise<T>,
): Promise<T | undefined> {
  const url = parseStoreUrl(urlText);
  if (await explained(url, () => isFuture(url))) return undefined;
  const [outcome] = await explained(url, () =>
    looking(url, async (engine) => {
      if ((await pendingMigrations(engine)).length > 0) return [{ status: "fulfilled", value: undefined } as const];
      return await Promise.allSettled([work(engine, url)]);
    }),
  );
  if (outcome?.status === "rejected") throw outcome.reason;
  return outcome?.value;
}
