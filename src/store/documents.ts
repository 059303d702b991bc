import { LRUCache } from "lru-cache";
import { toKeyText } from "./cells.ts";
import type { Engine } from "./engines/engine.ts";
import { canonicalJson, cleanText, fingerprint } from "./json.ts";
import type { RowSource } from "./rows.ts";
import type { TakenBatch } from "./taken.ts";

/** Decides which documents are worth a row. */
export interface DocumentFilter {
  /** Forgets what it remembers of the table, as when the database may be another one. */
  forget(): void;
  /**
   * The documents of these batches that differ from the one before them, as rows.
   * `commit` remembers them once they are stored; without it the next write looks them up again.
   */
  select(batches: readonly TakenBatch[]): Promise<DocumentSelection>;
}

export interface DocumentSelection {
  readonly rows: readonly RowSource[];
  /** Documents equal to the one before them. */
  readonly unchanged: number;
  /** Documents that are no JSON. */
  readonly unusable: number;
  commit(): void;
}

interface Version {
  readonly time: number;
  readonly print: string;
}

const CACHED_DOCUMENTS = 10_000;

/** An unchanged document is written again after this long, so that retention never deletes the current one. */
const REPEAT_AFTER = 24 * 3_600_000;

/**
 * A filter over the table `documents`. A document is compared with its predecessor in time, not with the newest: so
 * replaying an old batch after newer ones stores nothing.
 */
export function createDocumentFilter(engine: Engine): DocumentFilter {
  const newest = new LRUCache<string, Version>({ max: CACHED_DOCUMENTS });
  return {
    forget: () => newest.clear(),
    async select(batches) {
      const pending = new Map<string, Version[]>();
      const rows: RowSource[] = [];
      let unchanged = 0;
      let unusable = 0;
      const sources = batches.flatMap(toSources);
      const stored = await newestStored(
        engine,
        sources.filter((source) => !newest.has(keyOf(source))),
      );
      for (const source of sources) {
        if (source.document === undefined) {
          unusable++;
          continue;
        }
        const key = keyOf(source);
        const version = { time: source.time.getTime(), print: fingerprint(source.document) };
        const last = newest.get(key) ?? stored.get(key);
        const before = await predecessor(engine, source, version.time, [last, ...(pending.get(key) ?? [])]);
        if (before?.print === version.print && version.time - before.time < REPEAT_AFTER) {
          unchanged++;
          continue;
        }
        rows.push(source);
        pending.set(key, [...(pending.get(key) ?? []), version]);
      }
      const commit = () => {
        for (const [key, versions] of pending)
          for (const version of versions)
            if (version.time >= (newest.get(key)?.time ?? Number.NEGATIVE_INFINITY)) newest.set(key, version);
      };
      return { rows, unchanged, unusable, commit };
    },
  };
}

function toSources({ targetId, job, startedAt, documents }: TakenBatch) {
  return documents.map(({ name, body }) => ({
    time: new Date(startedAt),
    target_id: keyText(targetId),
    job: keyText(job),
    name: keyText(name),
    document: canonicalJson(body),
  }));
}

function keyText(text: string): string {
  return String(toKeyText(cleanText(text)));
}

interface Key {
  readonly target_id: string;
  readonly job: string;
  readonly name: string;
}

const keyOf = ({ target_id, job, name }: Key): string => [target_id, job, name].join("\0");

/** Targets asked about in one statement. */
const TARGETS_PER_STATEMENT = 500;

/** The newest stored versions of these documents, by key: a statement for hundreds of targets, not one for each. */
async function newestStored({ db, capabilities }: Engine, keys: readonly Key[]): Promise<Map<string, Version>> {
  const found = new Map<string, Version>();
  const targets = [...new Set(keys.map((key) => key.target_id))];
  for (let from = 0; from < targets.length; from += TARGETS_PER_STATEMENT) {
    const rows = await db
      .selectFrom("documents as d")
      .innerJoin(
        (eb) =>
          eb
            .selectFrom("documents")
            .select(["target_id", "job", "name"])
            .select((e) => e.fn.max("time").as("last"))
            .where("target_id", "in", targets.slice(from, from + TARGETS_PER_STATEMENT))
            .groupBy(["target_id", "job", "name"])
            .as("l"),
        (join) =>
          join
            .onRef("l.target_id", "=", "d.target_id")
            .onRef("l.job", "=", "d.job")
            .onRef("l.name", "=", "d.name")
            .onRef("l.last", "=", "d.time"),
      )
      .select(["d.target_id", "d.job", "d.name", "d.time", "d.document"])
      .execute();
    for (const { target_id, job, name, time, document } of rows)
      found.set(keyOf({ target_id: `${target_id}`, job: `${job}`, name: `${name}` }), {
        time: Number(time),
        print: fingerprint(canonicalJson(capabilities.parseJson(document)) ?? ""),
      });
  }
  return found;
}

/** The last version at or before `time`: the newest known one, or from the table when that one is later: a replay. */
async function predecessor(
  engine: Engine,
  key: Key,
  time: number,
  known: readonly (Version | undefined)[],
): Promise<Version | undefined> {
  const [last, ...pending] = known;
  const stored = last === undefined || last.time <= time ? last : await readVersion(engine, key, time);
  return [stored, ...pending]
    .filter((version) => version !== undefined && version.time <= time)
    .reduce((a, b) => (a && b && a.time > b.time ? a : b), undefined);
}

async function readVersion(engine: Engine, key: Key, time: number): Promise<Version | undefined> {
  const row = await engine.db
    .selectFrom("documents")
    .select(["time", "document"])
    .where("target_id", "=", key.target_id)
    .where("job", "=", key.job)
    .where("name", "=", key.name)
    .where("time", "<=", new Date(time))
    .orderBy("time", "desc")
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    time: Number(row.time),
    print: fingerprint(canonicalJson(engine.capabilities.parseJson(row.document)) ?? ""),
  };
}
