import { sql } from "kysely";
import type { Engine } from "./engines/engine.ts";
import { toDate } from "./records.ts";
import type { TargetStatus } from "./store.ts";

/** The last stored value of a series. */
export interface StoredValue {
  readonly pluginId: string;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly time: Date;
  readonly value: number;
}

/** What is asked for; everything of the target now, where it says no more. */
export interface LatestQuery {
  readonly targetId: string;
  readonly metric?: string;
  /** As it was then. */
  readonly at?: Date;
  readonly limit: number;
}

/** The last value of each series of a target, by metric. Each is found by the key of its series. */
export async function latestValues(
  engine: Engine,
  { targetId, metric, at, limit }: LatestQuery,
): Promise<StoredValue[]> {
  const { db, capabilities } = engine;
  let query = db
    .selectFrom("series as r")
    .innerJoin("samples as s", "s.series_id", "r.series_id")
    .select(["r.plugin_id", "r.metric_name", "r.labels", "s.time", "s.value"])
    .where("r.target_id", "=", targetId)
    .where((eb) => {
      const last = eb.selectFrom("samples as l").whereRef("l.series_id", "=", "r.series_id");
      const until = at ? last.where("l.time", "<=", at) : last;
      return eb(
        "s.time",
        "=",
        until.select((e) => e.fn.max("l.time").as("time")),
      );
    })
    .orderBy("r.metric_name")
    .orderBy("r.series_id")
    .limit(limit);
  if (metric !== undefined) query = query.where("r.metric_name", "=", metric);
  const rows = await query.execute();
  return rows.map((row) => ({
    pluginId: row.plugin_id,
    metric: row.metric_name,
    labels: (capabilities.parseJson(row.labels) ?? {}) as Record<string, string>,
    time: toDate(row.time) ?? new Date(0),
    value: row.value ?? Number.NaN,
  }));
}

/** The state of a target as it was written last. */
export async function storedStatus({ db }: Engine, targetId: string): Promise<TargetStatus | undefined> {
  const row = await db.selectFrom("plugin_status").selectAll().where("target_id", "=", targetId).executeTakeFirst();
  return (
    row && {
      ...{ targetId: row.target_id, pluginId: row.plugin_id, state: row.health_status as TargetStatus["state"] },
      ...{ lastRun: toDate(row.last_run), lastSuccess: toDate(row.last_success), lastError: row.last_error },
      ...{ errorCount: row.error_count, consecutiveErrors: row.consecutive_errors },
    }
  );
}

/** What all collectors of the database come to. */
export interface StoredSummary {
  readonly targets: Readonly<Record<string, number>>;
  readonly plugins: Readonly<Record<string, number>>;
  readonly series: number;
}

/** Counts targets by state and by plugin, and series. */
export async function storedSummary({ db }: Engine): Promise<StoredSummary> {
  const count = sql<number | string>`count(*)`.as("n");
  const states = await db
    .selectFrom("plugin_status")
    .select(["health_status", count])
    .groupBy("health_status")
    .execute();
  const plugins = await db.selectFrom("plugin_status").select(["plugin_id", count]).groupBy("plugin_id").execute();
  const series = await db.selectFrom("series").select(count).executeTakeFirst();
  return {
    targets: Object.fromEntries(states.map(({ health_status, n }) => [health_status, Number(n)])),
    plugins: Object.fromEntries(plugins.map(({ plugin_id, n }) => [plugin_id, Number(n)])),
    series: Number(series?.n ?? 0),
  };
}
