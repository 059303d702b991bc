import { sql } from "kysely";
import type { AlertRecord } from "../model/alert.ts";
import type { KitState } from "../model/health.ts";
import { redactSecrets } from "../model/redact.ts";
import type { Engine } from "./engines/engine.ts";
import { canonicalJson, cleanText } from "./json.ts";
import type { KitRecord, TargetStatus } from "./store.ts";
import type { StoredTime } from "./tables.ts";

/** The tables that hold one row per thing and are kept up to date: kits, plugin_status. For plugins see plugin-rows.ts. */

/** Bound values per statement stay far below every engine's limit. */
const RECORDS_PER_STATEMENT = 500;

/** Writes kits; `last_seen` only moves forward, and an identity once told is not forgotten. */
export async function upsertKits({ db, capabilities }: Engine, kits: readonly KitRecord[]): Promise<void> {
  for (const chunk of chunks(latest(kits, (kit) => kit.kitId))) {
    const rows = chunk.map((kit) => ({
      kit_id: cleanText(kit.kitId),
      name: clean(kit.name),
      location: clean(kit.location),
      api_url: clean(kit.apiUrl),
      last_seen: kit.lastSeen,
      status: kit.status,
      enabled: kit.enabled,
      source: kit.source,
      tags: canonicalJson(kit.tags) ?? "{}",
      uid: clean(kit.uid),
      updated_at: sql<Date>`${sql.raw(capabilities.now)}`,
    }));
    await db
      .insertInto("kits")
      .values(rows)
      .onConflict((c) =>
        c.column("kit_id").doUpdateSet((eb) => ({
          name: eb.ref("excluded.name"),
          location: eb.ref("excluded.location"),
          api_url: eb.ref("excluded.api_url"),
          last_seen: later("kits", "last_seen"),
          status: eb.ref("excluded.status"),
          enabled: eb.ref("excluded.enabled"),
          source: eb.ref("excluded.source"),
          tags: eb.ref("excluded.tags"),
          uid: eb.fn.coalesce("excluded.uid", "kits.uid"),
          updated_at: eb.ref("excluded.updated_at"),
        })),
      )
      .execute();
  }
}

/** Writes targets' states; times only move forward, so that a restart does not forget the last success. */
export async function upsertStatus({ db, capabilities }: Engine, statuses: readonly TargetStatus[]): Promise<void> {
  for (const chunk of chunks(latest(statuses, (status) => status.targetId))) {
    const rows = chunk.map((status) => ({
      target_id: cleanText(status.targetId),
      plugin_id: cleanText(status.pluginId),
      last_run: status.lastRun,
      last_success: status.lastSuccess,
      last_error: status.lastError === null ? null : cleanText(redactSecrets(status.lastError)),
      error_count: status.errorCount,
      consecutive_errors: status.consecutiveErrors,
      health_status: status.state,
      updated_at: sql<Date>`${sql.raw(capabilities.now)}`,
    }));
    await db
      .insertInto("plugin_status")
      .values(rows)
      .onConflict((c) =>
        c.column("target_id").doUpdateSet((eb) => ({
          plugin_id: eb.ref("excluded.plugin_id"),
          last_run: later("plugin_status", "last_run"),
          last_success: later("plugin_status", "last_success"),
          last_error: eb.ref("excluded.last_error"),
          error_count: eb.ref("excluded.error_count"),
          consecutive_errors: eb.ref("excluded.consecutive_errors"),
          health_status: eb.ref("excluded.health_status"),
          updated_at: eb.ref("excluded.updated_at"),
        })),
      )
      .execute();
  }
}

/** All kits, by id. */
export async function listKits({ db, capabilities }: Engine): Promise<KitRecord[]> {
  const rows = await db.selectFrom("kits").selectAll().orderBy("kit_id").execute();
  return rows.map((row) => ({
    kitId: row.kit_id,
    name: row.name,
    location: row.location,
    apiUrl: row.api_url ?? "",
    status: row.status as KitState,
    lastSeen: toDate(row.last_seen),
    enabled: Boolean(row.enabled),
    source: row.source as KitRecord["source"],
    tags: (capabilities.parseJson(row.tags) ?? {}) as Record<string, string>,
    uid: row.uid,
  }));
}

/** All alerts that users keep in the database, by id. */
export async function listAlerts({ db, capabilities }: Engine): Promise<AlertRecord[]> {
  const rows = await db.selectFrom("alerts").selectAll().orderBy("alert_id").execute();
  return rows.map((row) => ({
    ...{ id: row.alert_id, name: row.name, plugin: row.plugin_id, metric: row.metric_name, severity: row.severity },
    condition: parsed(row.condition, capabilities.parseJson),
    enabled: Boolean(row.enabled),
  }));
}

/** Users write these rows by hand, and SQLite takes any text for JSON: that is handed on as it is. */
function parsed(stored: unknown, parse: (stored: unknown) => unknown): unknown {
  try {
    return parse(stored);
  } catch {
    return stored;
  }
}

/** A time column of either engine as a Date. */
export function toDate(stored: StoredTime | null): Date | null {
  return stored === null ? null : new Date(stored);
}

/** One record per id, the last one given: PostgreSQL refuses to update a row twice in one statement. */
function latest<T>(records: readonly T[], id: (record: T) => string): T[] {
  return [...new Map(records.map((record) => [id(record), record])).values()];
}

function* chunks<T>(records: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < records.length; i += RECORDS_PER_STATEMENT) yield records.slice(i, i + RECORDS_PER_STATEMENT);
}

function clean(text: string | null): string | null {
  return text === null ? null : cleanText(text);
}

/** The later of the stored and the new time; a null changes nothing. Spelt out: max() and greatest() treat nulls differently. */
function later(table: "kits" | "plugin_status", column: string) {
  const stored = sql.ref(`${table}.${column}`);
  const offered = sql.ref(`excluded.${column}`);
  return sql<Date>`case when ${stored} is null or ${offered} > ${stored} then ${offered} else ${stored} end`;
}
