import { sql } from "kysely";
import { redactSecrets } from "../model/redact.ts";
import { addAgent, changeAgent, listAgents } from "./agents.ts";
import { classify } from "./classify.ts";
import { durabilityNotes } from "./durability.ts";
import type { Engine } from "./engines/engine.ts";
import { connectPostgres, type PostgresDriver, postgresEngine } from "./engines/postgres.ts";
import { openSqlite } from "./engines/sqlite.ts";
import {
  type LatestQuery,
  latestValues,
  type StoredSummary,
  type StoredValue,
  storedStatus,
  storedSummary,
} from "./latest.ts";
import { type Migrated, migrateDatabase } from "./migrate.ts";
import { changePlugin, listPlugins, seedPlugins } from "./plugin-rows.ts";
import { type Execution, latestExecutions, rowCounts } from "./queries.ts";
import { listKits, upsertKits, upsertStatus } from "./records.ts";
import { type Maintained, maintain } from "./retention.ts";
import type { PluginSeed, Store, StoreOptions, TargetStatus } from "./store.ts";
import { applyPolicies } from "./timescale.ts";
import { parseStoreUrl, type StoreUrl } from "./url.ts";
import { writeBatches, writeContext, writeEvents } from "./write.ts";

/** A store as openStore returns it: what sinks need, and what the CLI and the maintenance job need besides. */
export interface OpenStore extends Store {
  /** Things worth a log line at start, such as why TimescaleDB is not used. */
  readonly notes: readonly string[];
  /** Rolls up and deletes by age where TimescaleDB does not do it; then it does nothing. Run it once a night or more often. */
  maintain(now: Date, signal?: AbortSignal): Promise<Maintained>;
  latestExecutions(): Promise<Execution[]>;
  /** The last stored value of each series of a target. */
  latestValues(query: LatestQuery): Promise<StoredValue[]>;
  storedStatus(targetId: string): Promise<TargetStatus | undefined>;
  storedSummary(): Promise<StoredSummary>;
  rowCounts(): Promise<Record<string, number>>;
}

/** Another PostgreSQL than a server behind a URL, as tests bring it. */
export interface Seams {
  readonly postgres?: PostgresDriver;
}

/** A migration may wait for another process's, and build indexes. */
const MIGRATION_TIMEOUT = 10 * 60_000;
const LOCK_TIMEOUT = 5_000;
/** `date_bin`, and everything older is past its end of life. */
const OLDEST_POSTGRESQL = 15;

/**
 * Opens the database, brings its schema up to date, and returns the store.
 * @throws {Error} whose message says what to fix and never holds a password.
 */
export async function openStore(options: StoreOptions, seams: Seams = {}): Promise<OpenStore> {
  const url = parseStoreUrl(options.url);
  return await explained(url, async () => {
    const { engine, migrated } = await openMigrated(url, options, seams);
    try {
      if (migrated.timescale) await applyPolicies(engine.db, options.retention);
      const notes = [...migrated.notes, ...(await durabilityNotes(engine))];
      return storeOn(engine, url, { ...migrated, notes }, options);
    } catch (error) {
      await engine.close();
      throw error;
    }
  });
}

/** Brings the schema up to date and closes again: what `gleaner migrate` does. */
export async function migrate(options: Pick<StoreOptions, "url">, seams: Seams = {}): Promise<Migrated> {
  const url = parseStoreUrl(options.url);
  return await explained(url, async () => {
    const { engine, migrated } = await openMigrated(url, { poolSize: 1, statementTimeout: MIGRATION_TIMEOUT }, seams);
    await engine.close();
    return migrated;
  });
}

interface Opened {
  readonly engine: Engine;
  readonly migrated: Migrated;
}
type PoolOptions = Pick<StoreOptions, "poolSize" | "statementTimeout">;

async function openMigrated(url: StoreUrl, options: PoolOptions, seams: Seams): Promise<Opened> {
  if (url.engine === "sqlite") return await migrated(openSqlite(url.path));
  if (seams.postgres) return await migrated(postgresEngine(seams.postgres));
  const settings = { url: url.url, lockTimeout: LOCK_TIMEOUT };
  // Its own connection with its own time-outs: the store's are for single writes.
  const setUp = await migrated(
    postgresEngine(await connectPostgres({ ...settings, poolSize: 1, statementTimeout: MIGRATION_TIMEOUT })),
  );
  await setUp.engine.close();
  return { engine: postgresEngine(await connectPostgres({ ...settings, ...options })), migrated: setUp.migrated };
}

async function migrated(engine: Engine): Promise<Opened> {
  try {
    if (engine.kind === "postgresql") await refuseOldServer(engine);
    return { engine, migrated: await migrateDatabase(engine) };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function refuseOldServer({ db }: Engine): Promise<void> {
  const { rows } = await sql<{ version: string }>`show server_version_num`.execute(db);
  const number = Number(Object.values(rows[0] ?? {})[0]);
  if (number < OLDEST_POSTGRESQL * 10_000)
    throw new Error(
      `PostgreSQL ${Math.floor(number / 10_000)} is too old: gleaner needs ${OLDEST_POSTGRESQL} or newer`,
    );
}

function storeOn(engine: Engine, url: StoreUrl, { timescale, notes }: Migrated, options: StoreOptions): OpenStore {
  const context = writeContext(engine);
  let registered: readonly PluginSeed[] = [];
  return {
    engine: engine.kind,
    timescale,
    label: url.label,
    notes,
    writeBatches: (batches) => writeBatches(context, batches),
    writeEvents: (events) => writeEvents(engine, events),
    async repair() {
      const { timescale: found } = await migrateDatabase(engine);
      if (found) await applyPolicies(engine.db, options.retention);
      // Everything else comes again by itself; the plugins are registered at the start only.
      await seedPlugins(engine, registered);
    },
    upsertStatus: (statuses) => upsertStatus(engine, statuses),
    upsertKits: (kits) => upsertKits(engine, kits),
    async seedPlugins(seeds) {
      registered = seeds;
      return await seedPlugins(engine, seeds);
    },
    listPlugins: () => listPlugins(engine),
    changePlugin: (pluginId, change) => changePlugin(engine, pluginId, change),
    listKits: () => listKits(engine),
    listAgents: () => listAgents(engine),
    addAgent: (agent) => addAgent(engine, agent),
    changeAgent: (agentId, change) => changeAgent(engine, agentId, change),
    latestExecutions: () => latestExecutions(engine),
    latestValues: (query) => latestValues(engine, query),
    storedStatus: (targetId) => storedStatus(engine, targetId),
    storedSummary: () => storedSummary(engine),
    rowCounts: () => rowCounts(engine),
    maintain: async (now, signal) =>
      timescale ? { rolledUp: {}, deleted: {} } : await maintain(engine, options.retention, now, signal),
    history: async () => (await engine.identity?.())?.history,
    ping: async () => void (await sql`select 1`.execute(engine.db)),
    close: () => engine.close(),
  };
}

/** What to do about an error at opening, by SQLSTATE, errno or SQLite's result code. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "is the server running there, and does it accept connections from here?",
  ENOTFOUND: "check the host name in DATABASE_URL",
  EAI_AGAIN: "check the host name in DATABASE_URL, and name resolution on this host",
  ETIMEDOUT: "is the server reachable from here?",
  ENOENT: "check the path in DATABASE_URL, and for PostgreSQL that the server runs on that socket",
  "28P01": "check user and password in DATABASE_URL",
  "28000": "check the user in DATABASE_URL and the server's pg_hba.conf",
  "3D000": "create the database first, for example with createdb",
  "42501": "grant the user the right to create tables, or run `gleaner migrate` as a user that has it",
  "53300": "the server has no connection left: lower the pool size or raise max_connections",
  EACCES: "the user that runs gleaner must be able to write there",
  EPERM: "the user that runs gleaner must be able to write there",
  EROFS: "the file system is read-only: choose another place with DATABASE_URL or GLEANER_DATA_DIR",
  ENOTDIR: "part of the path is a file and no directory",
  "sqlite 5": "another process holds the file locked: is a second gleaner or a SQLite shell running on it?",
  "sqlite 8": "the file is read-only for the user that runs gleaner",
  "sqlite 13": "the disk is full",
  "sqlite 14": "the user that runs gleaner must be able to write the file and its directory",
  "sqlite 26": "the file is something else: move it away or choose another with DATABASE_URL",
};

/** The database cannot be reached now and may be later: nothing is wrong that somebody would have to change first. */
export class StoreUnreachable extends Error {}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
  "EPIPE",
]);

function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (UNREACHABLE.has(code)) return true;
  // pg's own time-outs and lost connections have a message and no code.
  if (error instanceof Error && /timeout|terminated|timed out/i.test(error.message)) return true;
  return /^[0-9A-Z]{5}$/.test(code) && classify(error) === "retry";
}

/** Runs what opens a database, and turns its failure into a sentence with advice and without secrets. */
export async function explained<T>(url: StoreUrl, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const advice = ADVICE[codeOf(error)];
    const reason = redactSecrets(error instanceof Error && error.message !== "" ? error.message : codeOf(error));
    // No `cause`: a driver's error can carry its connection, and that its settings.
    const message = `cannot open the store (${url.label}): ${reason}${advice ? `; ${advice}` : ""}`;
    throw url.engine === "postgresql" && isPassing(error) ? new StoreUnreachable(message) : new Error(message);
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses tried, all failed: they failed alike.
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  if ("errcode" in inner) return `sqlite ${Number(inner.errcode) & 0xff}`;
  return "code" in inner ? String(inner.code) : inner.name;
}
