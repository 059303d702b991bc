import { setImmediate } from "node:timers/promises";
import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import type { Capabilities } from "./capabilities.ts";
import type { Engine } from "./engines/engine.ts";
import { type Merge, ROLLUPS, type Rollup } from "./rollups.ts";
import type { Retention } from "./store.ts";
import { type Database, ROW_TABLES, type StoredTime } from "./tables.ts";

/**
 * The tiers where TimescaleDB does not keep them: raw rows -> hourly and daily roll-ups -> deletion.
 *
 *   roll up    every complete bucket since the last one, and those of the last day again (rows arrive late)
 *   purge      entity by entity and day by day: roll that day up once more, delete its raw rows, seal its buckets,
 *              all in one transaction; so no raw row is ever deleted that a roll-up has not seen
 *
 * All work is in small statements that use the key's index, with a turn of the event loop between them.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Rows that arrive up to a day late (a drained spool, a kit that was away) still count before the purge does it anyway. */
const LATE = DAY;
const ROWS_PER_DELETE = 5_000;

/** Raw tables that are rolled up, with their roll-ups, and how many ms of one entity one statement reads. */
const SOURCES = [
  { table: "drones", entity: "kit_id", slice: HOUR, keep: "raw" },
  { table: "signals", entity: "kit_id", slice: HOUR, keep: "raw" },
  { table: "system_health", entity: "kit_id", slice: DAY, keep: "systemHealth" },
  { table: "samples", entity: "series_id", slice: DAY, keep: "raw" },
] as const satisfies readonly Source[];

interface Source {
  readonly table: Rollup["source"];
  readonly entity: Rollup["entity"];
  readonly slice: number;
  readonly keep: keyof Retention;
}

/** Tables that only age. */
const AGEING = [
  { table: "documents", time: "time", key: "target_id, job, name, time", keep: "raw" },
  { table: "plugin_executions", time: "started_at", key: "target_id, job, started_at", keep: "raw" },
  { table: "health_events", time: "time", key: "time, kind, id, to_state", keep: "alertHistory" },
  { table: "alert_history", time: "time", key: "time, fingerprint, triggered", keep: "alertHistory" },
  ...ROLLUPS.map(({ name, entity, width }) => ({
    table: name,
    time: "bucket",
    key: `${entity}, bucket`,
    keep: width === HOUR ? ("hourly" as const) : ("daily" as const),
  })),
] as const;

/** What one maintenance came to. */
export interface Maintained {
  /** Buckets written, by roll-up. */
  readonly rolledUp: Readonly<Record<string, number>>;
  /** Rows deleted, by table. */
  readonly deleted: Readonly<Record<string, number>>;
}

/**
 * Rolls up and deletes what `retention` says, as of `now`. Safe to repeat and to interrupt at any point.
 * @param signal stops between two statements, as at shutdown.
 */
export async function maintain(
  { db, capabilities }: Engine,
  retention: Retention,
  now: Date,
  signal?: AbortSignal,
): Promise<Maintained> {
  const work: Work = { db, capabilities, now: now.getTime(), signal, rolledUp: {}, deleted: {} };
  for (const rollup of ROLLUPS) await rollUpComplete(work, rollup);
  for (const source of SOURCES) await purge(work, source, floor(work.now - retention[source.keep], DAY));
  for (const { table, time, key, keep } of AGEING)
    work.deleted[table] = await deleteChunks(work, work.db, table, key, before(time, work.now - retention[keep]));
  return { rolledUp: work.rolledUp, deleted: work.deleted };
}

interface Work {
  readonly db: Kysely<Database>;
  readonly capabilities: Capabilities;
  readonly now: number;
  readonly signal: AbortSignal | undefined;
  readonly rolledUp: Record<string, number>;
  readonly deleted: Record<string, number>;
}

type Handle = Kysely<Database> | Transaction<Database>;

/** Writes every complete bucket that may have changed. Sealed buckets are left alone: their rows are gone. */
async function rollUpComplete(work: Work, rollup: Rollup): Promise<void> {
  const last = await oneTime(work.db, sql`select max(bucket) as t from ${sql.table(rollup.name)}`);
  const from = last === null ? null : Math.min(last, floor(work.now - LATE, rollup.width));
  const until = floor(work.now, rollup.width);
  for await (const entity of entities(work, rollup)) {
    let at = await firstRow(work.db, rollup, entity, from, until);
    while (at !== null) {
      const start = floor(at, rollup.width);
      const end = Math.min(start + Math.max(rollup.width, sliceOf(rollup)), until);
      await rollUp(work, work.db, rollup, entity, start, end, "replace");
      await turn(work);
      at = await firstRow(work.db, rollup, entity, end, until);
    }
  }
}

/** Deletes raw rows of whole days before `cutoff`, each day of an entity in one transaction with its last roll-up. */
async function purge(work: Work, source: Source, cutoff: number): Promise<void> {
  work.deleted[source.table] = 0;
  for await (const entity of entities(work, { source: source.table, entity: source.entity })) {
    let at = await firstRow(work.db, { source: source.table, entity: source.entity }, entity, null, cutoff);
    while (at !== null) {
      const day = floor(at, DAY);
      work.deleted[source.table] = (work.deleted[source.table] ?? 0) + (await purgeDay(work, source, entity, day));
      at = await firstRow(work.db, { source: source.table, entity: source.entity }, entity, day + DAY, cutoff);
    }
  }
}

async function purgeDay(work: Work, source: Source, entity: string | number, day: number): Promise<number> {
  // Repeatable read: a row that another connection adds meanwhile is neither rolled up nor deleted; the next purge has it.
  return await work.db
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (transaction) => {
      for (const rollup of ROLLUPS.filter((candidate) => candidate.source === source.table)) {
        const step = Math.max(rollup.width, source.slice);
        for (let start = day; start < day + DAY; start += step) {
          await rollUp(work, transaction, rollup, entity, start, start + step, "seal");
          await turn(work);
        }
      }
      const rows = sql`${sql.ref(source.entity)} = ${entity} and ${between("time", day, day + DAY)}`;
      return await deleteChunks(work, transaction, source.table, ROW_TABLES[source.table].key.join(", "), rows);
    });
}

/** One statement: the buckets of one entity in [start, end). Idempotent. */
async function rollUp(
  work: Work,
  db: Handle,
  rollup: Rollup,
  entity: string | number,
  start: number,
  end: number,
  mode: "replace" | "seal",
): Promise<void> {
  const names = Object.keys(rollup.columns);
  const bucket = sql.raw(work.capabilities.bucket("time", rollup.width));
  const aggregates = Object.values(rollup.columns).map((column) => sql.raw(column.aggregate));
  const result = await sql`
    insert into ${sql.table(rollup.name)} as t (bucket, ${sql.ref(rollup.entity)}, ${sql.join(names.map((n) => sql.ref(n)))}, sealed)
    select ${bucket}, ${sql.ref(rollup.entity)}, ${sql.join(aggregates)}, ${sql.lit(mode === "seal")}
    from ${sql.table(rollup.source)}
    where ${sql.ref(rollup.entity)} = ${entity} and ${between("time", start, end)}
    group by 1, 2
    on conflict (${sql.ref(rollup.entity)}, bucket) do update set ${CONFLICT[mode](rollup)}`.execute(db);
  work.rolledUp[rollup.name] = (work.rolledUp[rollup.name] ?? 0) + Number(result.numAffectedRows ?? 0);
}

const CONFLICT: Readonly<Record<"replace" | "seal", (rollup: Rollup) => RawBuilder<unknown>>> = {
  replace: (rollup) =>
    sql`${sql.join(Object.keys(rollup.columns).map((n) => sql`${sql.ref(n)} = ${sql.ref(`excluded.${n}`)}`))} where not t.sealed`,
  seal: (rollup) => {
    const columns = Object.entries(rollup.columns).map(
      ([n, { merge }]) =>
        sql`${sql.ref(n)} = case when t.sealed then ${MERGE[merge](n, rollup.count)} else ${sql.ref(`excluded.${n}`)} end`,
    );
    return sql`${sql.join(columns)}, sealed = excluded.sealed`;
  },
};

// Nulls spelt out: SQLite's max(a, b) is null when either is, PostgreSQL's greatest is not.
const pick = (n: string, op: string) =>
  sql.raw(`case when t.${n} is null or excluded.${n} ${op} t.${n} then excluded.${n} else t.${n} end`);
const MERGE: Readonly<Record<Merge, (n: string, count: string) => RawBuilder<unknown>>> = {
  sum: (n) => sql.raw(`t.${n} + excluded.${n}`),
  min: (n) => pick(n, "<"),
  max: (n) => pick(n, ">"),
  mean: (n, c) =>
    sql.raw(`case when t.${n} is null then excluded.${n} when excluded.${n} is null then t.${n}
      else (t.${n} * t.${c} + excluded.${n} * excluded.${c}) / (t.${c} + excluded.${c}) end`),
};

/** Entities that have rows, one index look-up each: SELECT DISTINCT would read the whole table. */
async function* entities(
  work: Work,
  { source, entity }: Pick<Rollup, "source" | "entity">,
): AsyncGenerator<string | number> {
  const column = sql.ref(entity);
  let after: RawBuilder<unknown> = sql`true`;
  for (;;) {
    const { rows } = await sql<{ e: string | number | null }>`
      select min(${column}) as e from ${sql.table(source)} where ${after}`.execute(work.db);
    const next = rows[0]?.e ?? null;
    if (next === null) return;
    yield next;
    await turn(work);
    after = sql`${column} > ${next}`;
  }
}

async function firstRow(
  db: Handle,
  { source, entity }: Pick<Rollup, "source" | "entity">,
  value: string | number,
  from: number | null,
  until: number,
): Promise<number | null> {
  const range = from === null ? before("time", until) : between("time", from, until);
  return await oneTime(
    db,
    sql`select min(time) as t from ${sql.table(source)} where ${sql.ref(entity)} = ${value} and ${range}`,
  );
}

async function deleteChunks(
  work: Work,
  db: Handle,
  table: string,
  key: string,
  where: RawBuilder<unknown>,
): Promise<number> {
  const columns = sql.raw(key);
  let deleted = 0;
  for (;;) {
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where (${columns}) in
        (select ${columns} from ${sql.table(table)} where ${where} limit ${sql.lit(ROWS_PER_DELETE)})`.execute(db);
    deleted += Number(numAffectedRows ?? 0);
    if (Number(numAffectedRows ?? 0) < ROWS_PER_DELETE) return deleted;
    await turn(work);
  }
}

async function oneTime(db: Handle, query: RawBuilder<unknown>): Promise<number | null> {
  const { rows } = await (query as RawBuilder<{ t: StoredTime | null }>).execute(db);
  const time = rows[0]?.t ?? null;
  return time === null ? null : Number(time);
}

/** Lets everything else run: node:sqlite answers within the same turn of the event loop. */
async function turn({ signal }: Work): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

const before = (column: string, time: number) => sql`${sql.ref(column)} < ${new Date(time)}`;
const between = (column: string, from: number, until: number) =>
  sql`${sql.ref(column)} >= ${new Date(from)} and ${before(column, until)}`;
const floor = (time: number, width: number) => Math.floor(time / width) * width;
const sliceOf = (rollup: Rollup) => SOURCES.find(({ table }) => table === rollup.source)?.slice ?? rollup.width;
