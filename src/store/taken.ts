import type { Transition } from "../model/health.ts";
import type { Document, Row, Sample } from "../model/sample.ts";
import type { Batch } from "../model/target.ts";

/** A point in time: epoch ms, which JSON takes ten times as fast as a `Date`. */
type Moment = number;

/** Where and by what a run was made. */
export interface Collector {
  readonly host: string;
  /** As configured; null when it is not. */
  readonly environment: string | null;
  /** Version of gleaner. */
  readonly version: string;
}

/**
 * A batch as plain data: all that is stored of it and nothing else, so that it survives as JSON in the spool and means the
 * same to the next process, whatever that one is configured with.
 */
export interface TakenBatch {
  readonly targetId: string;
  readonly pluginId: string;
  readonly job: string;
  readonly startedAt: Moment;
  readonly finishedAt: Moment;
  readonly durationMs: number;
  readonly attempts: number;
  readonly status: "ok" | "empty" | "failed";
  readonly errorKind: string | null;
  readonly message: string | null;
  /** Whether the run itself is recorded in `plugin_executions`. */
  readonly recorded: boolean;
  /** Who made the run; only of runs that are recorded. An older gleaner did not say. */
  readonly collector?: Collector;
  readonly samples: readonly (Omit<Sample, "at"> & { readonly at?: Moment })[];
  readonly rows: readonly (Omit<Row, "at"> & { readonly at: Moment })[];
  readonly documents: readonly Document[];
}

/** A change of state as plain data. */
export type TakenEvent = Omit<Transition, "at"> & { readonly at: Moment };

/** What is written together: batches and events in the order they were taken. */
export interface Group {
  readonly batches: readonly TakenBatch[];
  readonly events: readonly TakenEvent[];
}

/** Rows a batch comes to: its samples, rows and documents, and the execution record. */
export function rowsOf(batch: TakenBatch): number {
  return batch.samples.length + batch.rows.length + batch.documents.length + (batch.recorded ? 1 : 0);
}

/** Rows a group comes to; an event is one. */
export function rowsIn({ batches, events }: Group): number {
  return events.length + batches.reduce((sum, batch) => sum + rowsOf(batch), 0);
}

/**
 * Takes a batch down to what is stored.
 * Every run of a plugin is recorded; of kits only the runs that failed: two polls in five seconds of thousands of kits
 * would bury the table under rows that the kits' own rows tell already. For the same reason the samples of kits, which
 * only sum up their rows, are shown and not stored.
 */
export function toTaken({ target, run, samples, rows, documents }: Batch, collector?: Collector): TakenBatch {
  const { outcome } = run;
  const isKit = target.plugin.health === "kit";
  const recorded = !isKit || outcome.status === "failed";
  return {
    targetId: run.targetId,
    pluginId: run.pluginId,
    job: run.job,
    startedAt: run.startedAt.getTime(),
    finishedAt: run.finishedAt.getTime(),
    durationMs: run.durationMs,
    attempts: run.attempts,
    status: outcome.status,
    errorKind: outcome.status === "failed" ? outcome.error.kind : null,
    message: outcome.status === "failed" ? outcome.error.message : outcome.status === "empty" ? outcome.reason : null,
    recorded,
    ...(recorded && collector ? { collector } : {}),
    samples: isKit ? [] : samples.map(({ at, ...sample }) => (at ? { ...sample, at: at.getTime() } : sample)),
    rows: rows.map(toTakenRow),
    documents,
  };
}

/** A change of state as it is stored. */
export const toTakenEvent = ({ at, ...change }: Transition): TakenEvent => ({ ...change, at: at.getTime() });

/** Rows that belong to no run, as a batch: nothing is recorded of it but the rows. */
export function rowsOnly(rows: readonly Row[], at: Moment): TakenBatch {
  return {
    ...{ targetId: "", pluginId: "", job: "", startedAt: at, finishedAt: at, durationMs: 0, attempts: 0 },
    ...{ status: "ok", errorKind: null, message: null, recorded: false, samples: [], documents: [] },
    rows: rows.map(toTakenRow),
  };
}

const toTakenRow = ({ table, at, values }: Row) => ({ table, at: at.getTime(), values: withoutDates(values) });

/** Values with times as epoch ms: two of them as dates take as long to write down as all fifty others. */
function withoutDates(values: Row["values"]): Row["values"] {
  let plain: Record<string, Row["values"][string]> | undefined;
  for (const key in values) {
    const value = values[key];
    if (!(value instanceof Date)) continue;
    plain ??= { ...values };
    plain[key] = value.getTime();
  }
  return plain ?? values;
}

/** The spool's body of a group. Numbers that are not finite become null here, as they would in the database. */
export function encodeGroup(group: Group): string {
  return JSON.stringify({ v: 1, ...group });
}

/** Reads a body back; undefined when it is no group of ours. */
export function decodeGroup(body: string): Group | undefined {
  try {
    const { v, batches, events } = JSON.parse(body) as { v: number } & Group;
    return v === 1 && Array.isArray(batches) && Array.isArray(events) ? { batches, events } : undefined;
  } catch {
    return undefined;
  }
}
