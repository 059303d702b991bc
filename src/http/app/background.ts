import type { PointView, WindowName, WindowSummary } from "../../buffer/windows.ts";
import type { ComponentState, Severity, Trend } from "../../model/health.ts";

/**
 * The buffers of a target. What GraphMemory's collector gave has the names that it had there (`success_rate`); times are
 * seconds.
 */
export interface BuffersView {
  readonly target: string;
  readonly jobs: readonly JobBuffer[];
  /** Of all targets: what the buffers take, and may take (bytes). */
  readonly memory: { readonly used: number; readonly limit: number };
}

export interface JobBuffer {
  readonly job: string;
  /** Runs that are kept at most, how many that would be for an hour, and how many there are. */
  readonly capacity: number;
  readonly wanted: number;
  readonly size: number;
  /** How far a full buffer reaches back; null for a job that runs by cron. */
  readonly reach_seconds: number | null;
  readonly oldest: Date | null;
  readonly newest: Date | null;
  /** Runs since the buffer began. */
  readonly total_runs: number;
  readonly failed_runs: number;
  /** Series of the last run that are not buffered, because there are too many. */
  readonly series_left_out: number;
  /** Null without a run. */
  readonly windows: Readonly<Record<WindowName, WindowSummary | null>>;
  readonly recent: readonly PointView[];
}

/** One component. `since`: when it came into its state. */
export interface ComponentSummary {
  readonly component: string;
  readonly state: ComponentState;
  /** Why it is not healthy; empty when it is. */
  readonly reason: string;
  readonly since: Date;
  readonly trend: Trend;
}

export interface ComponentDetail extends ComponentSummary {
  /** Its evaluations, the newest last. */
  readonly history: readonly { readonly at: Date; readonly state: ComponentState; readonly reason: string }[];
}

/** How gleaner is as a whole: as its worst component. */
export interface HealthView {
  readonly overall: ComponentState;
  readonly trend: Trend;
  readonly since: Date | null;
  readonly components: readonly ComponentSummary[];
  /** The last changes of state, the newest last. */
  readonly alerts: readonly {
    readonly at: Date;
    readonly component: string;
    readonly from: string;
    readonly to: string;
    readonly severity: Severity;
    readonly details: string;
  }[];
}
