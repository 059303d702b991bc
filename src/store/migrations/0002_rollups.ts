import { type CreateTableBuilder, type Kysely, sql } from "kysely";
import type { Capabilities } from "../capabilities.ts";
import { ROLLUPS, type Rollup } from "../rollups.ts";

/** Who keeps the roll-ups: TimescaleDB, or tables that maintain() fills. */
export type Tiers = "tables" | "timescale";

/** Creates the hourly and daily roll-ups, and the views that join samples' roll-ups with their series. */
export async function rollups(db: Kysely<unknown>, engine: Capabilities, tiers: Tiers): Promise<void> {
  await CREATE[tiers](db, engine);
  for (const tier of ["hourly", "daily"]) await sql.raw(metricsView(tier)).execute(db);
}

const CREATE: Readonly<Record<Tiers, (db: Kysely<unknown>, engine: Capabilities) => Promise<void>>> = {
  async tables(db, engine) {
    for (const rollup of ROLLUPS) await rollupTable(db, engine, rollup);
  },
  async timescale(db) {
    for (const statement of [...hypertables(), ...ROLLUPS.map(continuousAggregate)])
      await sql.raw(statement).execute(db);
  },
};

/** `sealed`: the bucket's raw rows were deleted, so later ones are merged in and never replace it. */
async function rollupTable(db: Kysely<unknown>, engine: Capabilities, rollup: Rollup): Promise<void> {
  const entityType = rollup.entity === "kit_id" ? "text" : "bigint";
  let builder = db.schema
    .createTable(rollup.name)
    .addColumn("bucket", sql.raw(engine.types.time), (c) => c.notNull())
    .addColumn(rollup.entity, sql.raw(engine.types[entityType]), (c) => c.notNull()) as CreateTableBuilder<
    string,
    string
  >;
  for (const [name, column] of Object.entries(rollup.columns))
    builder = builder.addColumn(name, sql.raw(engine.types[column.type]));
  await builder
    .addColumn("sealed", sql.raw(engine.types.boolean), (c) => c.notNull().defaultTo(sql`false`))
    .addPrimaryKeyConstraint(`${rollup.name}_pkey`, [rollup.entity, "bucket"])
    .execute();
  await sql.raw(`create index ${rollup.name}_bucket on ${rollup.name} (bucket)`).execute(db);
}

/** Hypertables with 1-day chunks: table, time column, and what compression groups and orders by. */
const HYPERTABLES = [
  { table: "drones", time: "time", segmentBy: "kit_id", orderBy: "time desc, drone_id" },
  { table: "signals", time: "time", segmentBy: "kit_id", orderBy: "time desc, freq_mhz, uid" },
  { table: "system_health", time: "time", segmentBy: "kit_id", orderBy: "time desc" },
  { table: "samples", time: "time", segmentBy: "series_id", orderBy: "time desc" },
  { table: "documents", time: "time", segmentBy: "target_id, job, name", orderBy: "time desc" },
  { table: "plugin_executions", time: "started_at", segmentBy: "target_id, job", orderBy: "started_at desc" },
  { table: "health_events", time: "time", segmentBy: "", orderBy: "time desc, kind, id, to_state" },
  { table: "alert_history", time: "time", segmentBy: "", orderBy: "time desc, alert_id" },
] as const;

function hypertables(): string[] {
  return HYPERTABLES.flatMap(({ table, time, segmentBy, orderBy }) => [
    `select create_hypertable('${table}', by_range('${time}', interval '1 day'), create_default_indexes => false)`,
    `alter table ${table} set (timescaledb.compress, timescaledb.compress_segmentby = '${segmentBy}',
       timescaledb.compress_orderby = '${orderBy}')`,
  ]);
}

/** WITH NO DATA, which a transaction allows; the refresh policies of timescale.ts fill it. */
function continuousAggregate(rollup: Rollup): string {
  const { from, time, aggregates } = rollup.hierarchical
    ? { ...rollup.hierarchical, time: "bucket" }
    : { from: rollup.source, time: "time", aggregates: aggregatesOf(rollup) };
  const columns = Object.entries(aggregates).map(([name, aggregate]) => `${aggregate} as ${name}`);
  return `create materialized view ${rollup.name}
    with (timescaledb.continuous, timescaledb.materialized_only = true) as
    select time_bucket(interval '${rollup.width} milliseconds', ${time}) as bucket, ${rollup.entity}, ${columns.join(", ")}
    from ${from} group by 1, 2 with no data`;
}

function aggregatesOf(rollup: Rollup): Record<string, string> {
  return Object.fromEntries(Object.entries(rollup.columns).map(([name, column]) => [name, column.aggregate]));
}

function metricsView(tier: string): string {
  return `create view plugin_metrics_${tier} as
    select s.bucket, r.plugin_id, r.target_id, r.metric_name,
           s.avg as avg_value, s.min as min_value, s.max as max_value, s.count, r.labels as tags
    from samples_${tier} s join series r on r.series_id = s.series_id`;
}
