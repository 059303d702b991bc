import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { Capabilities } from "../capabilities.ts";
import { tables } from "./0001_tables.ts";
import { rollups, type Tiers } from "./0002_rollups.ts";
import { alertHistory } from "./0003_alert_history.ts";
import { platform } from "./0004_platform.ts";
import { agents } from "./0005_agents.ts";
import { seriesTarget } from "./0006_series_target.ts";

/** What a migration may depend on beside the database. */
export interface MigrationContext {
  readonly engine: Capabilities;
  readonly tiers: Tiers;
}

/** Every migration by name, in order. A released one is never edited. */
export function migrations({ engine, tiers }: MigrationContext): Record<string, Migration> {
  return {
    "0001_tables": { up: (db: Kysely<unknown>) => tables(db, engine) },
    "0002_rollups": { up: (db: Kysely<unknown>) => rollups(db, engine, tiers) },
    "0003_alert_history": { up: (db: Kysely<unknown>) => alertHistory(db, engine, tiers) },
    "0004_platform": { up: (db: Kysely<unknown>) => platform(db, engine) },
    "0005_agents": { up: (db: Kysely<unknown>) => agents(db, engine) },
    "0006_series_target": { up: (db: Kysely<unknown>) => seriesTarget(db) },
  };
}
