import type { TargetState } from "../../model/health.ts";
import type { SkipReason } from "../../model/run.ts";

/** Everything the landing page and /api/targets show. */
export interface Overview {
  readonly store: StoreView;
  /** Series in the snapshot that /metrics serves. */
  readonly series: number;
  /** Targets that are not kits. */
  readonly targets: readonly TargetView[];
  readonly kits: readonly KitView[];
}

export interface StoreView {
  /** Engine and place without credentials: `sqlite data/gleaner.db`. */
  readonly label: string;
  /** Whether the last write or ping succeeded. */
  readonly reachable: boolean;
  /** Rows newly stored since the process started, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** One target as people see it. Times are null when there was or will be none. */
export interface TargetView {
  readonly id: string;
  readonly name: string;
  /** Id of its plugin. */
  readonly plugin: string;
  readonly state: TargetState;
  readonly lastSuccess: Date | null;
  /** Soonest next run of any of its jobs. */
  readonly nextRun: Date | null;
  /** Failed runs in a row; 0 after a success. */
  readonly consecutiveFailures: number;
  /** Failed runs since the process started. */
  readonly failures: number;
  /** Why the last failed run failed; kept after recovery. */
  readonly lastError: string | null;
  /** Series it has in the snapshot now. */
  readonly series: number;
  /** What of its answers could not be used since it is watched, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
}

export interface KitView extends TargetView {
  readonly location: string | null;
  /** The kit's API URL, without credentials. */
  readonly address: string;
}

/** One job of one target. */
export interface JobView {
  readonly target: string;
  readonly plugin: string;
  readonly job: string;
  /** `every 5s`, `cron 0 3 * * *`, or `reported every 30s` where nothing here starts it. */
  readonly trigger: string;
  /** Null while paused for good or not scheduled. */
  readonly nextRun: Date | null;
  readonly lastRun: Date | null;
  readonly lastOutcome: "ok" | "empty" | "failed" | "skipped" | null;
  /** Why the last outcome was not ok: the error, what was empty, or why it was skipped. */
  readonly reason: string | SkipReason | null;
  readonly lastDurationMs: number | null;
}
