import { type CreateTableBuilder, type Kysely, sql } from "kysely";
import type { Capabilities } from "../capabilities.ts";
import { FIRST_ROW_TABLES, type RowTable } from "../tables.ts";

const KIT_STATUS = "status in ('unknown', 'online', 'offline', 'stale', 'error')";
const KIT_SOURCE = "source in ('http', 'mqtt', 'both')";

/** Few indexes beside the keys: each one costs every write. Kits by time, executions by plugin, the rest for retention. */
const INDEXES = [
  "create index drones_kit_time on drones (kit_id, time desc)",
  "create index signals_kit_time on signals (kit_id, time desc)",
  "create index system_health_kit_time on system_health (kit_id, time desc)",
  "create index series_metric on series (plugin_id, metric_name)",
  "create index documents_time on documents (time)",
  "create index plugin_executions_plugin on plugin_executions (plugin_id, started_at)",
  "create index plugin_executions_started on plugin_executions (started_at)",
  "create index alert_history_alert on alert_history (alert_id, time)",
];

/** Creates every table of the first schema, and the view `plugin_metrics` in the shape users know. */
export async function tables(db: Kysely<unknown>, engine: Capabilities): Promise<void> {
  for (const [name, table] of Object.entries(FIRST_ROW_TABLES)) await rowTable(db, engine, name, table);
  await kits(db, engine);
  await plugins(db, engine);
  await pluginStatus(db, engine);
  await series(db, engine);
  await alerts(db, engine);
  for (const statement of [...INDEXES, ...engine.extraIndexes]) await sql.raw(statement).execute(db);
  await sql
    .raw(
      `create view plugin_metrics as
       select s.time, r.plugin_id, r.target_id, r.metric_name,
              ${engine.jsonObject}('numeric_value', s.value) as value, r.labels as tags
       from samples s join series r on r.series_id = s.series_id`,
    )
    .execute(db);
}

/** Creates a table that rows are appended to. */
export async function rowTable(
  db: Kysely<unknown>,
  engine: Capabilities,
  name: string,
  table: RowTable,
): Promise<void> {
  let builder = db.schema.createTable(name) as CreateTableBuilder<string, string>;
  for (const [column, type] of Object.entries(table.columns)) {
    builder = builder.addColumn(column, sql.raw(engine.types[type]), (c) =>
      table.key.includes(column) ? c.notNull() : c,
    );
  }
  builder = builder.addPrimaryKeyConstraint(`${name}_pkey`, [...table.key]);
  if (name === "samples") builder = builder.modifyEnd(sql.raw(engine.clustered));
  await builder.execute();
}

async function kits(db: Kysely<unknown>, engine: Capabilities): Promise<void> {
  const type = typesOf(engine);
  await db.schema
    .createTable("kits")
    .addColumn("kit_id", type("text"), (c) => c.primaryKey().notNull())
    .addColumn("name", type("text"))
    .addColumn("location", type("text"))
    .addColumn("api_url", type("text"))
    .addColumn("last_seen", type("time"))
    .addColumn("status", type("text"), (c) => c.notNull().defaultTo("unknown").check(sql.raw(KIT_STATUS)))
    .addColumn("enabled", type("boolean"), (c) => c.notNull().defaultTo(sql`true`))
    .addColumn("source", type("text"), (c) => c.notNull().defaultTo("http").check(sql.raw(KIT_SOURCE)))
    .addColumn("created_at", type("time"), (c) => c.notNull().defaultTo(sql.raw(engine.now)))
    .addColumn("updated_at", type("time"))
    .addColumn("tags", type("json"))
    .addColumn("uid", type("text"))
    .execute();
}

async function plugins(db: Kysely<unknown>, engine: Capabilities): Promise<void> {
  const type = typesOf(engine);
  await db.schema
    .createTable("plugins")
    .addColumn("id", type("uuid"), (c) => c.primaryKey().notNull())
    .addColumn("plugin_id", type("text"), (c) => c.notNull().unique())
    .addColumn("name", type("text"), (c) => c.notNull())
    .addColumn("version", type("text"), (c) => c.notNull().defaultTo("1.0.0"))
    .addColumn("description", type("text"))
    .addColumn("category", type("text"))
    .addColumn("enabled", type("boolean"), (c) => c.notNull().defaultTo(sql`false`))
    .addColumn("config", type("json"))
    .addColumn("created_at", type("time"), (c) => c.notNull().defaultTo(sql.raw(engine.now)))
    .addColumn("updated_at", type("time"))
    .execute();
}

async function pluginStatus(db: Kysely<unknown>, engine: Capabilities): Promise<void> {
  const type = typesOf(engine);
  await db.schema
    .createTable("plugin_status")
    .addColumn("target_id", type("text"), (c) => c.primaryKey().notNull())
    .addColumn("plugin_id", type("text"), (c) => c.notNull())
    .addColumn("last_run", type("time"))
    .addColumn("last_success", type("time"))
    .addColumn("last_error", type("text"))
    .addColumn("error_count", type("integer"), (c) => c.notNull().defaultTo(0))
    .addColumn("consecutive_errors", type("integer"), (c) => c.notNull().defaultTo(0))
    .addColumn("health_status", type("short"), (c) => c.notNull().defaultTo("unknown"))
    .addColumn("updated_at", type("time"))
    .execute();
}

/** `fingerprint` stands for (plugin_id, target_id, metric_name, labels): labels can be longer than an index entry may be. */
async function series(db: Kysely<unknown>, engine: Capabilities): Promise<void> {
  const type = typesOf(engine);
  await db.schema
    .createTable("series")
    .addColumn("series_id", type("identity"))
    .addColumn("fingerprint", type("text"), (c) => c.notNull().unique())
    .addColumn("plugin_id", type("text"), (c) => c.notNull())
    .addColumn("target_id", type("text"), (c) => c.notNull())
    .addColumn("metric_name", type("text"), (c) => c.notNull())
    .addColumn("labels", type("json"), (c) => c.notNull())
    .execute();
}

async function alerts(db: Kysely<unknown>, engine: Capabilities): Promise<void> {
  const type = typesOf(engine);
  await db.schema
    .createTable("alerts")
    .addColumn("alert_id", type("text"), (c) => c.primaryKey().notNull())
    .addColumn("plugin_id", type("text"))
    .addColumn("metric_name", type("text"))
    .addColumn("name", type("text"), (c) => c.notNull())
    .addColumn("condition", type("json"), (c) => c.notNull())
    .addColumn("severity", type("text"), (c) => c.notNull().defaultTo("warning"))
    .addColumn("enabled", type("boolean"), (c) => c.notNull().defaultTo(sql`true`))
    .addColumn("created_at", type("time"), (c) => c.notNull().defaultTo(sql.raw(engine.now)))
    .addColumn("updated_at", type("time"))
    .execute();
  await db.schema
    .createTable("alert_history")
    .addColumn("time", type("time"), (c) => c.notNull())
    .addColumn("alert_id", type("text"), (c) => c.notNull())
    .addColumn("triggered", type("boolean"), (c) => c.notNull())
    .addColumn("value", type("double"))
    .addColumn("message", type("text"))
    .addPrimaryKeyConstraint("alert_history_pkey", ["time", "alert_id"])
    .execute();
}

function typesOf(engine: Capabilities) {
  return (name: keyof Capabilities["types"]) => sql.raw(engine.types[name]);
}
