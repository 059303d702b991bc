import { sql } from "kysely";
import { redactSecrets } from "../model/redact.ts";
import type { Engine } from "./engines/engine.ts";
import { ROLLUPS } from "./rollups.ts";
import { ROW_TABLES } from "./tables.ts";

/** The role that Grafana reads the database with. */
export const READER = "grafana_reader";

/** What it may read, and nothing besides: all that was collected, nothing of how gleaner keeps its books. */
export const READABLE: readonly string[] = [
  ...Object.keys(ROW_TABLES),
  ...["kits", "plugins", "plugin_status", "series", "alerts"],
  ...ROLLUPS.map(({ name }) => name),
  ...["plugin_metrics", "plugin_metrics_hourly", "plugin_metrics_daily"],
];

/** Any number: migrators of one database wait for each other here. */
const LOCK = 7_240_963;

/**
 * Sees to it that the role of Grafana is there and may read, at every start: roles belong to the server, come and go without
 * the database, and a migration runs once. It cannot log in until an administrator gives it a password; gleaner knows none.
 * @returns what somebody else has to do, a sentence each
 */
export async function ensureReader(engine: Engine): Promise<string[]> {
  if (engine.kind !== "postgresql") return [];
  try {
    if (!(await exists(engine)) && !(await create(engine)))
      return [
        `there is no role ${READER} for Grafana to read with, and gleaner may not create roles: an administrator can run provisioning/postgres/role-grafana.sql, then start gleaner again`,
      ];
    const refused = await grant(engine);
    return refused === 0
      ? []
      : [`the role ${READER} lacks ${refused} of its rights: run provisioning/postgres/role-grafana.sql once more`];
  } catch (error) {
    const reason = error instanceof Error ? redactSecrets(error.message) : String(error);
    return [`the role ${READER} could not be given its rights (${reason}): Grafana may not be able to read everything`];
  }
}

async function exists({ db }: Engine): Promise<boolean> {
  return (await sql`select 1 from pg_roles where rolname = ${READER}`.execute(db)).rows.length > 0;
}

/** @returns whether the role is there now. */
async function create(engine: Engine): Promise<boolean> {
  const { db } = engine;
  const may = await sql`
    select 1 from pg_roles where rolname = current_user and (rolsuper or rolcreaterole)`.execute(db);
  if (may.rows.length === 0) return false;
  try {
    await db.transaction().execute(async (all) => {
      for (const statement of [
        `create role ${READER} nologin noinherit connection limit 20`,
        `alter role ${READER} set default_transaction_read_only = on`,
        `alter role ${READER} set statement_timeout = '15s'`,
      ])
        await sql.raw(statement).execute(all);
    });
  } catch (error) {
    // Another process may have created it at the same moment, for another database of this server.
    if (!(await exists(engine))) throw error;
  }
  return true;
}

/**
 * Grants what is missing: a grant that is there already would still rewrite the catalogue, on every chunk.
 * @returns how many rights are missing still: who may not pass a right on gets no error for it, but a warning
 */
async function grant({ db }: Engine): Promise<number> {
  return await db.transaction().execute(async (all) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(all);
    const wanted = await missing(all);
    for (const statement of wanted) await sql.raw(statement).execute(all);
    return wanted.length > 0 ? (await missing(all)).length : 0;
  });
}

/** The statements that would give the role what it lacks. */
async function missing(db: Engine["db"]): Promise<string[]> {
  const { rows } = await sql<{ statement: string }>`
      select format('grant select on %I.%I to %I', n.nspname, c.relname, ${READER}::text) as statement
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = current_schema() and c.relname in (${sql.join(READABLE)})
         and not has_table_privilege(${READER}, c.oid, 'select')
      union all
      select format('grant usage on schema %I to %I', current_schema(), ${READER}::text)
       where not has_schema_privilege(${READER}, current_schema(), 'usage')`.execute(db);
  return rows.map(({ statement }) => statement);
}
