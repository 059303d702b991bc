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
      for (const source of batches.flatMap(toSources)) {
        if (source.document === undefined) {
          unusable++;
          continue;
        }
        const key = [source.target_id, source.job, source.name].join("\0");
        const version = { time: source.time.getTime(), print: fingerprint(source.document) };
        const before = await predecessor(engine, source, version.time, [newest.get(key), ...(pending.get(key) ?? [])]);
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

/** The last version at or before `time`: from memory when the newest known one is, else from the table. */
async function predecessor(
  engine: Engine,
  key: { readonly target_id: string; readonly job: string; readonly name: string },
  time: number,
  known: readonly (Version | undefined)[],
): Promise<Version | undefined> {
  const [cached, ...pending] = known;
  const stored = cached && cached.time <= time ? cached : await readVersion(engine, key, time);
  return [stored, ...pending]
    .filter((version) => version !== undefined && version.time <= time)
    .reduce((a, b) => (a && b && a.time > b.time ? a : b), undefined);
}

async function readVersion(
  engine: Engine,
  key: { readonly target_id: string; readonly job: string; readonly name: string },
  time: number,
): Promise<Version | undefined> {
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
