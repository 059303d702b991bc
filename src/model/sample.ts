import type { AlertSpec } from "./alert.ts";

/** Units a metric may declare: base units only, so that names pass the Prometheus linter. `toBase` (units.ts) converts. */
export const UNITS = [
  "seconds",
  "bytes",
  "ratio",
  "celsius",
  "hertz",
  "meters",
  "volts",
  "amperes",
  "watts",
  "joules",
  "degrees",
  "info",
] as const;
export type Unit = (typeof UNITS)[number];

/** What values can be; each bound is within. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/**
 * What a plugin says once about a metric; gauge or counter, docs row, panel and alert rules derive from it.
 * The metric's name in the exposition is `gleaner_` + its key. Counters' keys end in `_total`; a key ends in its unit.
 */
export interface MetricSpec {
  readonly help: string;
  readonly type?: "gauge" | "counter";
  readonly unit?: Unit;
  /** Closed set of label names: a sample with another label is rejected and counted, never a new series. */
  readonly labels?: readonly string[];
  /** Cap of series per target; what is over it is dropped and counted. */
  readonly maxSeries?: number;
  /** Exposed under its key as it is, without the prefix: a metric that another program named. Only for further metrics. */
  readonly ownName?: boolean;
  /** What is outside is no measurement: it is rejected and counted. A counter begins at 0 without being told. */
  readonly range?: Range;
  readonly alert?: readonly AlertSpec[];
}

/**
 * One numeric value of a declared metric, for one label set. What comes as JSON out of another process is cast: true and
 * false to 1 and 0, text that is a number to that number, text that is a time to UTC; null is a value the source has not.
 */
export interface Sample<M extends string = string> {
  readonly metric: M;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** When the source observed it; the time of collection when absent. */
  readonly at?: Date;
}

/** What a column of a row can hold. Times are `Date`; structured values are JSON text in a json column. */
export type Cell = string | number | boolean | Date | null;

/**
 * One row for a typed table (`drones`, `signals`, `system_health`).
 * `at` is the source's own observation time and part of the key, so that the same observation served twice is one row.
 */
export interface Row<T extends string = string> {
  readonly table: T;
  readonly at: Date;
  readonly values: Readonly<Record<string, Cell>>;
}

/** A JSON document worth keeping whole; it is stored when it differs from the last one of the same name. */
export interface Document {
  readonly name: string;
  readonly body: unknown;
}

/** Everything one collection brought back. */
export interface Collected<M extends string = string> {
  readonly samples: readonly Sample<M>[];
  readonly rows?: readonly Row[];
  readonly documents?: readonly Document[];
  /** The target's own id, when it tells one (a kit's uid). */
  readonly identity?: string;
  /** Metrics the plugin could not declare beforehand, by key; heeded where the plugin says that it has such (`furtherMetrics`). */
  readonly metrics?: Readonly<Record<string, MetricSpec>>;
  /** When the source last refreshed what it serves; a source whose clock stands still is stale though it answers. */
  readonly sourceTime?: Date;
  /** Parts that failed while the rest was kept, or values that could not be read: counted by `reason`, shown on the target. */
  readonly rejected?: readonly Rejection[];
}

/** A part of an answer that could not be used, with the reason it is counted under. */
export interface Rejection {
  readonly reason: string;
  readonly detail: string;
  /** How many rows, fields or parts; 1 when absent. */
  readonly count?: number;
}
