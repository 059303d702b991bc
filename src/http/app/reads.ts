import type { TargetState } from "../../model/health.ts";

/** Latest values and states, from wherever they are quickest to have. `unavailable`: the database cannot be asked now. */
export interface Reads {
  /** The last value of each series of a target. A plugin that runs by default has a target of its name. */
  metrics(id: string, query: MetricsQuery): Promise<MetricsView | "unknown" | "unavailable">;
  status(id: string): Promise<StatusView | "unknown" | "unavailable">;
  summary(): Promise<SummaryView | "unavailable">;
}

export interface MetricsQuery {
  readonly limit: number;
  /** Only the series of this metric. */
  readonly metric?: string;
  /** As it was then, instead of now. */
  readonly at?: Date;
}

/** Where an answer comes from: this collector's memory, the cache, the database. Times out of the cache are text already. */
export interface MetricsView {
  readonly target: string;
  readonly plugin: string;
  readonly source: "memory" | "cache" | "database";
  readonly metrics: readonly { readonly series: string; readonly value: number; readonly time: Date | string | null }[];
}

export interface StatusView {
  readonly target: string;
  readonly plugin: string;
  readonly source: MetricsView["source"];
  readonly state: TargetState;
  readonly lastRun: Date | string | null;
  readonly lastSuccess: Date | string | null;
  readonly lastError: string | null;
  /** Failed runs since its collector started, and in a row. */
  readonly failures: number;
  readonly consecutiveFailures: number;
}

/** All targets that the database knows, counted by state and by plugin, and series that were ever stored. */
export interface SummaryView {
  readonly source: "cache" | "database";
  readonly at: Date | string;
  readonly targets: Readonly<Record<string, number>>;
  readonly plugins: Readonly<Record<string, number>>;
  readonly series: number;
}
