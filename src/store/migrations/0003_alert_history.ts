import { type Kysely, sql } from "kysely";
import type { Capabilities } from "../capabilities.ts";
import { ALERT_HISTORY } from "../tables.ts";
import { rowTable } from "./0001_tables.ts";
import type { Tiers } from "./0002_rollups.ts";

const OLD = "alert_history_before_0003";

/**
 * Gives alert_history the key by which a report that comes again is known, and what the reports bring. Rows that somebody
 * put into the old table are taken over; gleaner itself never wrote there.
 */
export async function alertHistory(db: Kysely<unknown>, engine: Capabilities, tiers: Tiers): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db);
  await run(`create table ${OLD} as select time, alert_id, triggered, value, message from alert_history`);
  await run("drop table alert_history");
  await rowTable(db, engine, "alert_history", ALERT_HISTORY);
  if (tiers === "timescale") {
    await run(
      "select create_hypertable('alert_history', by_range('time', interval '1 day'), create_default_indexes => false)",
    );
    await run(
      `alter table alert_history set (timescaledb.compress, timescaledb.compress_segmentby = '',
         timescaledb.compress_orderby = 'time desc, fingerprint, triggered')`,
    );
  }
  await run(
    `insert into alert_history (time, fingerprint, triggered, alert_id, value, message)
     select time, alert_id, triggered, alert_id, value, message from ${OLD}`,
  );
  await run(`drop table ${OLD}`);
  await run("create index alert_history_alert on alert_history (alert_id, time)");
}
