import { sql } from "kysely";
import type { Engine } from "./engines/engine.ts";
import { toDate } from "./records.ts";
import { ROW_TABLES } from "./tables.ts";

/** The last recorded run of a target's job. */
export interface Execution {
  readonly targetId: string;
  readonly pluginId: string;
  readonly job: string;
  readonly startedAt: Date;
  readonly completedAt: Date | null;
  readonly status: string;
  readonly errorKind: string | null;
  readonly errorMessage: string | null;
  readonly metricsCount: number;
  readonly rowsCount: number;
  readonly attempts: number;
  readonly durationMs: number;
}

/** The latest recorded execution of every job of every target, by target and job. */
export async function latestExecutions({ db }: Engine): Promise<Execution[]> {
  const rows = await db
    .selectFrom("plugin_executions as e")
    .innerJoin(
      (eb) =>
        eb
          .selectFrom("plugin_executions")
          .select(["target_id", "job"])
          .select((e) => e.fn.max("started_at").as("last"))
          .groupBy(["target_id", "job"])
          .as("l"),
      (join) =>
        join.onRef("l.target_id", "=", "e.target_id").onRef("l.job", "=", "e.job").onRef("l.last", "=", "e.started_at"),
    )
    .selectAll("e")
    .orderBy("e.target_id")
    .orderBy("e.job")
    .execute();
  return rows.map((row) => ({
    targetId: row.target_id ?? "",
    pluginId: row.plugin_id ?? "",
    job: row.job ?? "",
    startedAt: toDate(row.started_at) ?? new Date(0),
    completedAt: toDate(row.completed_at),
    status: row.status ?? "",
    errorKind: row.error_kind,
    errorMessage: row.error_message,
    metricsCount: row.metrics_count ?? 0,
    rowsCount: row.rows_count ?? 0,
    attempts: row.attempts ?? 0,
    durationMs: row.duration_ms ?? 0,
  }));
}

const COUNTED = [...Object.keys(ROW_TABLES), "kits", "plugins", "plugin_status", "series", "alerts", "agents"];

/** Rows of every table of gleaner's. Counts for real, so it is for the CLI and not for every page view of a large store. */
export async function rowCounts({ db }: Engine): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of COUNTED) {
    const { rows } = await sql<{ n: number | string }>`select count(*) as n from ${sql.table(table)}`.execute(db);
    counts[table] = Number(rows[0]?.n ?? 0);
  }
  return counts;
}
