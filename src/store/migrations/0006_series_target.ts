import { type Kysely, sql } from "kysely";

/** Finds the series of one target, for its latest values. */
export async function seriesTarget(db: Kysely<unknown>): Promise<void> {
  await sql`create index series_target on series (target_id)`.execute(db);
}
