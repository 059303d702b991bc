import type { Kysely } from "kysely";
import { LRUCache } from "lru-cache";
import { canonicalJson, cleanText, fingerprint } from "./json.ts";
import type { Database } from "./tables.ts";

/** What makes a series: the same four values are the same series for ever. */
export interface SeriesIdentity {
  readonly pluginId: string;
  readonly targetId: string;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Finds and creates series. */
export interface SeriesIndex {
  /** Forgets all ids, as when the database may be another one. */
  forget(): void;
  /** Ids in the order asked; new series are committed before it resolves, so that samples never point nowhere. */
  resolve(identities: readonly SeriesIdentity[]): Promise<number[]>;
}

/** About 200 bytes each; a series beyond it costs one look-up a write. */
const CACHED_SERIES = 200_000;
const SERIES_PER_STATEMENT = 500;

/** An index over the table `series` with a bounded cache of ids. */
export function createSeriesIndex(db: Kysely<Database>): SeriesIndex {
  // Not `max`, which makes room for all of them at once: 3 MB that most installations never use.
  const cache = new LRUCache<string, number>({ maxSize: CACHED_SERIES, sizeCalculation: () => 1 });
  return {
    forget: () => cache.clear(),
    async resolve(identities) {
      const keys = identities.map(cacheKey);
      const ids = keys.map((key) => cache.get(key));
      const missing = new Map<string, SeriesIdentity>();
      ids.forEach((id, i) => {
        if (id === undefined) missing.set(keys[i] as string, identities[i] as SeriesIdentity);
      });
      if (missing.size === 0) return ids as number[];
      const found = await findOrCreateAll(db, missing);
      for (const [key, id] of found) cache.set(key, id);
      return ids.map((id, i) => id ?? (found.get(keys[i] as string) as number));
    },
  };
}

// Two orders of the same labels are two entries: one look-up more, and no sorting of every sample's labels.
function cacheKey({ pluginId, targetId, metric, labels }: SeriesIdentity): string {
  return JSON.stringify([pluginId, targetId, metric, labels]);
}

/** Ids by the key of the cache. */
async function findOrCreateAll(
  db: Kysely<Database>,
  missing: ReadonlyMap<string, SeriesIdentity>,
): Promise<Map<string, number>> {
  const prints = new Map([...missing].map(([key, series]) => [key, fingerprint(identityText(series))]));
  const byPrint = [...new Map([...missing].map(([key, series]) => [prints.get(key) as string, series]))];
  const ids = new Map<string, number>();
  for (let i = 0; i < byPrint.length; i += SERIES_PER_STATEMENT)
    for (const [print, id] of await findOrCreate(db, byPrint.slice(i, i + SERIES_PER_STATEMENT))) ids.set(print, id);
  return new Map([...prints].map(([key, print]) => [key, ids.get(print) as number]));
}

/** Ids by fingerprint. */
async function findOrCreate(
  db: Kysely<Database>,
  byPrint: readonly (readonly [string, SeriesIdentity])[],
): Promise<Map<string, number>> {
  const known = await idsOf(
    db,
    byPrint.map(([print]) => print),
  );
  const unknown = byPrint.filter(([print]) => !known.has(print));
  if (unknown.length === 0) return known;
  // Another collector may create the same series meanwhile: then its id is the one to read.
  await db
    .insertInto("series")
    .values(unknown.map(([print, series]) => toSeriesRow(print, series)))
    .onConflict((c) => c.doNothing())
    .execute();
  const created = await idsOf(
    db,
    unknown.map(([print]) => print),
  );
  return new Map([...known, ...created]);
}

async function idsOf(db: Kysely<Database>, prints: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("series")
    .select(["fingerprint", "series_id"])
    .where("fingerprint", "in", prints)
    .execute();
  return new Map(rows.map((row) => [row.fingerprint, Number(row.series_id)]));
}

function toSeriesRow(print: string, series: SeriesIdentity) {
  return {
    fingerprint: print,
    plugin_id: cleanText(series.pluginId),
    target_id: cleanText(series.targetId),
    metric_name: cleanText(series.metric),
    labels: canonicalJson(series.labels) as string,
  };
}

// The fingerprint is of this text, so it may not change: a database would get every series twice.
function identityText({ pluginId, targetId, metric, labels }: SeriesIdentity): string {
  return [...[pluginId, targetId, metric].map(cleanText), canonicalJson(labels)].join("\0");
}
