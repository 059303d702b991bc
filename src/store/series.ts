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
  const cache = new LRUCache<string, number>({ max: CACHED_SERIES });
  return {
    forget: () => cache.clear(),
    async resolve(identities) {
      const keys = identities.map(keyOf);
      const found = new Map<string, number>();
      const missing = new Map<string, SeriesIdentity>();
      keys.forEach((key, i) => {
        const id = cache.get(key);
        if (id === undefined) missing.set(key, identities[i] as SeriesIdentity);
        else found.set(key, id);
      });
      const all = [...missing];
      for (let i = 0; i < all.length; i += SERIES_PER_STATEMENT)
        for (const [key, id] of await findOrCreate(db, all.slice(i, i + SERIES_PER_STATEMENT))) {
          cache.set(key, id);
          found.set(key, id);
        }
      return keys.map((key) => found.get(key) as number);
    },
  };
}

async function findOrCreate(
  db: Kysely<Database>,
  identities: readonly (readonly [string, SeriesIdentity])[],
): Promise<Map<string, number>> {
  const byPrint = new Map(identities.map(([key, series]) => [fingerprint(key), { key, series }]));
  const known = await idsOf(db, [...byPrint.keys()]);
  const unknown = [...byPrint].filter(([print]) => !known.has(print));
  if (unknown.length > 0) {
    const rows = unknown.map(([print, { series }]) => toSeriesRow(print, series));
    // Another collector may create the same series meanwhile: then its id is the one to read.
    await db
      .insertInto("series")
      .values(rows)
      .onConflict((c) => c.doNothing())
      .execute();
    for (const [print, id] of await idsOf(
      db,
      unknown.map(([print]) => print),
    ))
      known.set(print, id);
  }
  return new Map([...byPrint].map(([print, { key }]) => [key, known.get(print) as number]));
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
function keyOf({ pluginId, targetId, metric, labels }: SeriesIdentity): string {
  return [...[pluginId, targetId, metric].map(cleanText), canonicalJson(labels)].join("\0");
}
