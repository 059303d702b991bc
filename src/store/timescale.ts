import { type Kysely, sql } from "kysely";
import { redactSecrets } from "../model/redact.ts";
import type { Engine } from "./engines/engine.ts";
import type { Tiers } from "./migrations/0002_rollups.ts";
import { ROLLUPS } from "./rollups.ts";
import type { Retention } from "./store.ts";
import type { Database } from "./tables.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Whether TimescaleDB keeps the tiers of this database. */
export interface TiersFound {
  readonly tiers: Tiers;
  readonly timescale: string | null;
  readonly notes: readonly string[];
}

/**
 * Finds out who keeps the tiers. A new database uses TimescaleDB where the server has it and lets us create it;
 * one that has been set up stays what it is.
 */
export async function findTiers(engine: Engine, isSetUp: boolean): Promise<TiersFound> {
  if (engine.kind !== "postgresql") return { tiers: "tables", timescale: null, notes: [] };
  const { version, notes } = await enable(engine.db);
  if (version === null) return { tiers: "tables", timescale: null, notes };
  if (!isSetUp || (await hasHypertables(engine.db))) return { tiers: "timescale", timescale: version, notes };
  const note =
    "TimescaleDB is installed, but this database was set up without it and keeps ordinary tables; to use TimescaleDB, start with a new database";
  return { tiers: "tables", timescale: null, notes: [note] };
}

interface Enabled {
  readonly version: string | null;
  readonly notes: readonly string[];
}

/** Creates the extension where that is allowed. Its own statement outside the migrations: a refusal must not undo them. */
async function enable(db: Kysely<Database>): Promise<Enabled> {
  if (!(await isAvailable(db)))
    return {
      version: null,
      notes: ["TimescaleDB is not available on this server: roll-ups are kept in ordinary tables"],
    };
  try {
    await sql`create extension if not exists timescaledb`.execute(db);
  } catch (error) {
    // Another process may have created it at the same moment.
    if ((await installedVersion(db)) === null) return { version: null, notes: [refusal(error)] };
  }
  const licence = await sql<{ licence: string }>`select current_setting('timescaledb.license') as licence`.execute(db);
  if (licence.rows[0]?.licence !== "timescale")
    return {
      version: null,
      notes: ["TimescaleDB runs with its Apache licence, without compression and policies: not used"],
    };
  return { version: await installedVersion(db), notes: [] };
}

function refusal(error: unknown): string {
  const reason = error instanceof Error ? redactSecrets(error.message) : String(error);
  return `TimescaleDB is available but could not be created (${reason}): roll-ups are kept in ordinary tables; an administrator can run CREATE EXTENSION timescaledb before the first start`;
}

async function isAvailable(db: Kysely<Database>): Promise<boolean> {
  const found = await sql`select 1 from pg_available_extensions where name = 'timescaledb'`.execute(db);
  return found.rows.length > 0;
}

async function installedVersion(db: Kysely<Database>): Promise<string | null> {
  const found = await sql<{
    version: string;
  }>`select extversion as version from pg_extension where extname = 'timescaledb'`.execute(db);
  return found.rows[0]?.version ?? null;
}

async function hasHypertables(db: Kysely<Database>): Promise<boolean> {
  const found = await sql`select 1 from timescaledb_information.hypertables where hypertable_name = 'drones'`.execute(
    db,
  );
  return found.rows.length > 0;
}

/** A background job that TimescaleDB runs for a table or continuous aggregate. */
interface Policy {
  readonly relation: string;
  readonly kind: "retention" | "compression" | "refresh";
  /** Length of time by the name of the job's own setting (ms). */
  readonly config: Readonly<Record<string, number>>;
}

/** Raw rows must outlive the window in which daily roll-ups are refreshed: three buckets of a day, and one to spare. */
const SHORTEST_RAW = 4 * DAY;

/** The policies that a retention setting asks for. */
export function policies(retention: Retention): Policy[] {
  const raw = Math.max(retention.raw, SHORTEST_RAW);
  const kept: Readonly<Record<string, number>> = {
    drones: raw,
    signals: raw,
    samples: raw,
    documents: raw,
    plugin_executions: raw,
    system_health: Math.max(retention.systemHealth, SHORTEST_RAW),
    health_events: retention.alertHistory,
    alert_history: retention.alertHistory,
  };
  return [
    ...Object.entries(kept).flatMap(([relation, after]): Policy[] => [
      { relation, kind: "retention", config: { drop_after: after } },
      { relation, kind: "compression", config: { compress_after: retention.compressAfter } },
    ]),
    ...ROLLUPS.flatMap(({ name, source, width }): Policy[] => [
      {
        relation: name,
        kind: "retention",
        config: { drop_after: width === HOUR ? retention.hourly : retention.daily },
      },
      // As far back as raw rows surely exist: late rows still count, and buckets whose rows are gone are never recomputed.
      { relation: name, kind: "refresh", config: { start_offset: (kept[source] ?? raw) - DAY, end_offset: width } },
    ]),
  ];
}

/** Makes TimescaleDB's jobs what the settings ask for; a job that is right already is left alone, so it keeps its schedule. */
export async function applyPolicies(db: Kysely<Database>, retention: Retention): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    // Two collectors that start together would add each policy twice.
    await sql`select pg_advisory_xact_lock(hashtext('gleaner policies'))`.execute(transaction);
    for (const policy of policies(retention)) {
      if (await isInForce(transaction, policy)) continue;
      for (const statement of statements(policy)) await sql.raw(statement).execute(transaction);
    }
  });
}

const PROCEDURES = {
  retention: "policy_retention",
  compression: "policy_compression",
  refresh: "policy_refresh_continuous_aggregate",
} as const;

async function isInForce(db: Kysely<Database>, { relation, kind, config }: Policy): Promise<boolean> {
  const settings = Object.entries(config).map(
    ([name, ms]) => sql`(j.config ->> ${sql.lit(name)})::interval = ${sql.raw(interval(ms))}`,
  );
  // A continuous aggregate's jobs are listed under its own name or its materialisation's, depending on the version.
  const found = await sql`
    select 1 from timescaledb_information.jobs j
    left join timescaledb_information.continuous_aggregates c
      on c.materialization_hypertable_name = j.hypertable_name
    where j.proc_name = ${PROCEDURES[kind]} and coalesce(c.view_name, j.hypertable_name) = ${relation}
      and ${sql.join(settings, sql` and `)}`.execute(db);
  return found.rows.length > 0;
}

function statements({ relation, kind, config }: Policy): string[] {
  const settings = Object.entries(config).map(([name, ms]) => `${name} => ${interval(ms)}`);
  const name = kind === "refresh" ? "continuous_aggregate" : `${kind}`;
  const schedule = kind === "refresh" ? [`schedule_interval => interval '30 minutes'`] : [];
  return [
    `select remove_${name}_policy('${relation}', if_exists => true)`,
    `select add_${name}_policy('${relation}', ${[...settings, ...schedule].join(", ")})`,
  ];
}

function interval(ms: number): string {
  return `interval '${ms} milliseconds'`;
}
