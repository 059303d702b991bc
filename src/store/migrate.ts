import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import type { Engine } from "./engines/engine.ts";
import type { Tiers } from "./migrations/0002_rollups.ts";
import { migrations } from "./migrations/index.ts";
import { ensureReader } from "./reader.ts";
import type { Database } from "./tables.ts";
import { findTiers } from "./timescale.ts";

/** What bringing a database up to date came to. */
export interface Migrated {
  /** Names of the migrations that were applied now. */
  readonly applied: readonly string[];
  /** Version of TimescaleDB in use, or null. */
  readonly timescale: string | null;
  /** Things worth a log line, such as why TimescaleDB is not used. */
  readonly notes: readonly string[];
}

// Names of our own: kysely looks for its default ones in every schema, and another application may use them.
const TABLE = "gleaner_migrations";
const LOCK_TABLE = "gleaner_migration_lock";

/** The migrations to run; tests bring their own. */
export type MigrationList = typeof migrations;

/**
 * Applies the migrations that are missing, all in one transaction, under a lock that other processes wait for.
 * @throws {Error} when the database was written by a newer gleaner, or when a migration failed (nothing is left of it).
 */
export async function migrateDatabase(engine: Engine, list: MigrationList = migrations): Promise<Migrated> {
  const done = await appliedMigrations(engine.db);
  const { tiers, timescale, notes } = await findTiers(engine, done.length > 0);
  const ours = Object.keys(list({ engine: engine.capabilities, tiers }));
  refuseNewer(done, ours);
  const applied = ours.length > done.length ? await run(engine, list, tiers) : [];
  return { applied, timescale, notes: [...notes, ...(await ensureReader(engine))] };
}

/** Names of the migrations that the next start would apply. @throws when the database was written by a newer gleaner. */
export async function pendingMigrations(engine: Engine): Promise<string[]> {
  const done = await appliedMigrations(engine.db);
  const ours = Object.keys(migrations({ engine: engine.capabilities, tiers: "tables" }));
  refuseNewer(done, ours);
  return ours.filter((name) => !done.includes(name));
}

async function run(engine: Engine, list: MigrationList, tiers: Tiers): Promise<string[]> {
  const migrator = new Migrator({
    db: engine.db,
    provider: { getMigrations: async () => list({ engine: engine.capabilities, tiers }) },
    migrationTableName: TABLE,
    migrationLockTableName: LOCK_TABLE,
  });
  const { error, results } = await migrator.migrateToLatest();
  // Only `error` tells the truth: results say "Success" for migrations that were rolled back with a later one.
  if (error) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

async function appliedMigrations(db: Kysely<Database>): Promise<string[]> {
  try {
    return await readApplied(db);
  } catch {
    // Asked only now: with TimescaleDB this lists every column of every chunk.
    const known = await db.introspection.getTables({ withInternalKyselyTables: true });
    // It may have come to be in between, by another process.
    return known.some((table) => table.name === TABLE) ? await readApplied(db) : [];
  }
}

async function readApplied(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)}`.execute(db);
  return rows.map((row) => row.name);
}

function refuseNewer(done: readonly string[], ours: readonly string[]): void {
  const unknown = done.filter((name) => !ours.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `the database was written by a newer version of gleaner (it has ${unknown.join(", ")}, which this version does not know); run that version or newer, or use another database`,
    );
}
