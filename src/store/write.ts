import type { Transition } from "../model/health.ts";
import type { Batch } from "../model/target.ts";
import type { DocumentFilter } from "./documents.ts";
import type { Engine } from "./engines/engine.ts";
import { collectRows, increment, type RowCollector, type RowSource } from "./rows.ts";
import type { SeriesIndex } from "./series.ts";
import type { WriteCounts } from "./store.ts";
import { isRowTable } from "./tables.ts";
import { scrub } from "./url.ts";

/** What the hot write needs. */
export interface WriteContext {
  readonly engine: Engine;
  readonly series: SeriesIndex;
  readonly documents: DocumentFilter;
}

/**
 * Stores batches: samples, typed rows, documents and execution records, each under its natural key.
 * Safe to repeat in whole or in part: what is there already is counted as duplicate and left as it is.
 */
export async function writeBatches(context: WriteContext, batches: readonly Batch[]): Promise<WriteCounts> {
  const rows = collectRows();
  const refused: Record<string, number> = {};
  await addSamples(context.series, rows, batches);
  for (const batch of batches) {
    addRows(rows, refused, batch);
    addExecution(rows, batch);
  }
  const documents = await context.documents.select(batches);
  for (const document of documents.rows) rows.add("documents", document);
  const counts = await store(context.engine, rows);
  documents.commit();
  if (documents.unchanged > 0) increment(counts.duplicate, "documents", documents.unchanged);
  if (documents.unusable > 0) increment(counts.rejected, "documents", documents.unusable);
  for (const [table, n] of Object.entries(refused)) increment(counts.rejected, table, n);
  return counts;
}

/** Stores health transitions. */
export async function writeEvents(engine: Engine, events: readonly Transition[]): Promise<void> {
  const rows = collectRows();
  for (const { at, kind, id, from, to, severity, details } of events)
    rows.add("health_events", { time: at, kind, id, from_state: from, to_state: to, severity, details });
  await store(engine, rows);
}

async function store(engine: Engine, rows: RowCollector) {
  const tables = rows.tables();
  const stored = await engine.insertRows(tables);
  const duplicate = { ...rows.duplicate };
  for (const { table, rows: offered } of tables)
    if (offered.length > (stored[table] ?? 0)) increment(duplicate, table, offered.length - (stored[table] ?? 0));
  return { stored, duplicate, rejected: { ...rows.rejected } };
}

async function addSamples(series: SeriesIndex, rows: RowCollector, batches: readonly Batch[]): Promise<void> {
  const all = batches.flatMap(({ target, run, samples }) => samples.map((sample) => ({ target, run, sample })));
  const ids = await series.resolve(
    all.map(({ target, run, sample }) => ({
      pluginId: run.pluginId,
      targetId: target.id,
      metric: sample.metric,
      labels: sample.labels ?? {},
    })),
  );
  all.forEach(({ run, sample }, i) => {
    rows.add("samples", { series_id: ids[i], time: sample.at ?? run.startedAt, value: sample.value });
  });
}

function addRows(rows: RowCollector, refused: Record<string, number>, { target, run, rows: offered }: Batch): void {
  const known = { kit_id: target.id, received_at: run.finishedAt };
  const defaults: Readonly<Record<string, RowSource>> = { signals: { ...known, uid: NO_UID } };
  for (const { table, at, values } of offered) {
    if (isRowTable(table)) rows.add(table, { ...values, time: at }, defaults[table] ?? known);
    else increment(refused, table);
  }
}

/** A signal's uid is part of its key, and old kits tell none. */
const NO_UID = "";

/**
 * Every run of a plugin is recorded; of kits only the runs that failed: two polls in five seconds of thousands of kits
 * would bury the table under rows that the kits' own rows tell already.
 */
function addExecution(rows: RowCollector, { target, run, samples, rows: typed }: Batch): void {
  const { outcome } = run;
  if (target.plugin.health === "kit" && outcome.status !== "failed") return;
  rows.add("plugin_executions", {
    plugin_id: run.pluginId,
    target_id: target.id,
    job: run.job,
    started_at: run.startedAt,
    completed_at: run.finishedAt,
    status: outcome.status === "ok" ? "success" : outcome.status,
    error_kind: outcome.status === "failed" ? outcome.error.kind : null,
    error_message: messageOf(outcome),
    metrics_count: samples.length,
    rows_count: typed.length,
    attempts: run.attempts,
    duration_ms: run.durationMs,
  });
}

function messageOf(outcome: Batch["run"]["outcome"]): string | null {
  if (outcome.status === "failed") return scrub(outcome.error.message);
  return outcome.status === "empty" ? scrub(outcome.reason) : null;
}
