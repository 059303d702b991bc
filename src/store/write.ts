import { setImmediate as immediate } from "node:timers/promises";
import { redactSecrets } from "../model/redact.ts";
import { keepLetters } from "./dead-letters.ts";
import { createDocumentFilter, type DocumentFilter } from "./documents.ts";
import type { Engine } from "./engines/engine.ts";
import { watchIdentity } from "./identity.ts";
import { insertApart } from "./insert.ts";
import { collectRows, increment, type RowCollector, type RowSource } from "./rows.ts";
import { createSeriesIndex, type SeriesIdentity, type SeriesIndex } from "./series.ts";
import type { WriteCounts } from "./store.ts";
import { isRowTable } from "./tables.ts";
import type { TakenBatch, TakenEvent } from "./taken.ts";

/** What the hot write needs. */
export interface WriteContext {
  readonly engine: Engine;
  readonly series: SeriesIndex;
  readonly documents: DocumentFilter;
  /** Goes before every write: forgets what is remembered of the tables when the database is another one. @returns whether it is */
  readonly verify: () => Promise<boolean>;
}

/** What writes on an engine need, with nothing remembered yet. */
export function writeContext(engine: Engine): WriteContext {
  const series = createSeriesIndex(engine.db);
  const documents = createDocumentFilter(engine);
  const forget = () => {
    series.forget();
    documents.forget();
  };
  return { engine, series, documents, verify: watchIdentity(engine, forget) };
}

/**
 * Stores batches: samples, typed rows, documents and execution records, each under its natural key.
 * Safe to repeat in whole or in part: what is there already is counted as duplicate and left as it is.
 */
export async function writeBatches(context: WriteContext, batches: readonly TakenBatch[]): Promise<WriteCounts> {
  try {
    return await write(context, batches);
  } catch (error) {
    // After a failure the database may be another one: a restored backup, a fail-over. Ids of series are not taken over.
    context.series.forget();
    context.documents.forget();
    throw error;
  }
}

async function write(context: WriteContext, batches: readonly TakenBatch[]): Promise<WriteCounts> {
  const { rows, unknown } = await layOutVerified(context, batches);
  const documents = await context.documents.select(batches);
  for (const document of documents.rows) rows.add("documents", document);
  const counts = await store(context.engine, rows);
  documents.commit();
  if (documents.unchanged > 0) increment(counts.duplicate, "documents", documents.unchanged);
  if (documents.unusable > 0) increment(counts.rejected, "documents", documents.unusable);
  for (const [table, n] of Object.entries(unknown)) increment(counts.rejected, table, n);
  return counts;
}

/** Batches as rows of their tables; `unknown` counts rows of tables there are none of. */
interface LaidOut {
  readonly rows: RowCollector;
  readonly unknown: Readonly<Record<string, number>>;
}

/** Lays out rows while the database says who it is, and once more when it is not the one whose series were remembered. */
async function layOutVerified(context: WriteContext, batches: readonly TakenBatch[]): Promise<LaidOut> {
  if (batches.length === 0) return await layOut(context, batches);
  const verified = context.verify();
  // The question is on its way before this thread is busy.
  const laidOut = immediate().then(() => layOut(context, batches));
  const [isAnother, rows] = await Promise.all([verified, laidOut]);
  return isAnother ? await layOut(context, batches) : rows;
}

async function layOut(context: WriteContext, batches: readonly TakenBatch[]): Promise<LaidOut> {
  const rows = collectRows();
  const unknown: Record<string, number> = {};
  await addSamples(context.series, rows, batches);
  for (const batch of batches) {
    addRows(rows, unknown, batch);
    if (batch.recorded) addExecution(rows, batch);
  }
  return { rows, unknown };
}

/** Stores health transitions. */
export async function writeEvents(engine: Engine, events: readonly TakenEvent[]): Promise<WriteCounts> {
  const rows = collectRows();
  for (const { at, kind, id, from, to, severity, details } of events)
    rows.add("health_events", { time: at, kind, id, from_state: from, to_state: to, severity, details });
  return await store(engine, rows);
}

async function store(engine: Engine, rows: RowCollector) {
  const tables = rows.tables();
  const { stored, letters } = await insertApart(engine, tables);
  await keepLetters(engine, letters, new Date());
  const refused: Record<string, number> = {};
  for (const { table } of letters) increment(refused, table);
  const duplicate = { ...rows.duplicate };
  for (const { table, rows: offered } of tables) {
    const there = offered.length - (stored[table] ?? 0) - (refused[table] ?? 0);
    if (there > 0) increment(duplicate, table, there);
  }
  return { stored, duplicate, rejected: { ...rows.rejected }, refused };
}

async function addSamples(series: SeriesIndex, rows: RowCollector, batches: readonly TakenBatch[]): Promise<void> {
  const ids = await series.resolve(batches.flatMap(seriesOf));
  let i = 0;
  for (const batch of batches)
    for (const { at, value } of batch.samples)
      rows.add("samples", { series_id: ids[i++], time: at ?? batch.startedAt, value });
}

function seriesOf({ pluginId, targetId, samples }: TakenBatch): SeriesIdentity[] {
  return samples.map(({ metric, labels = {} }) => ({ pluginId, targetId, metric, labels }));
}

function addRows(rows: RowCollector, unknown: Record<string, number>, batch: TakenBatch): void {
  const known = { kit_id: batch.targetId, received_at: batch.finishedAt };
  const defaults: Readonly<Record<string, RowSource>> = { signals: { ...known, uid: NO_UID } };
  for (const { table, at, values } of batch.rows) {
    if (isRowTable(table)) rows.add(table, defaults[table] ?? known, values, { time: at });
    else increment(unknown, table);
  }
}

/** A signal's uid is part of its key, and old kits tell none. */
const NO_UID = "";

function addExecution(rows: RowCollector, batch: TakenBatch): void {
  rows.add("plugin_executions", {
    plugin_id: batch.pluginId,
    target_id: batch.targetId,
    job: batch.job,
    started_at: batch.startedAt,
    completed_at: batch.finishedAt,
    status: batch.status === "ok" ? "success" : batch.status,
    error_kind: batch.errorKind,
    error_message: batch.message === null ? null : redactSecrets(batch.message),
    metrics_count: batch.samples.length,
    rows_count: batch.rows.length,
    attempts: batch.attempts,
    duration_ms: batch.durationMs,
    host: batch.collector?.host ?? null,
    environment: batch.collector?.environment ?? null,
    collector_version: batch.collector?.version ?? null,
  });
}
