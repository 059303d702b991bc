import { formatDuration, minutes, seconds } from "../model/duration.ts";
import type { ComponentState } from "../model/health.ts";

/** How a component is, and why. */
export interface Verdict {
  readonly state: ComponentState;
  readonly reason: string;
}

/** What is known of a job that has run. Times in milliseconds. */
export interface JobFacts {
  /** Null for a cron job, of which nobody knows when it is late. */
  readonly every: number | null;
  /** Its last run. */
  readonly last: { readonly failure: string | null; readonly durationMs: number; readonly age: number };
  /** Whether a run has ever not failed since the job is watched. */
  readonly everWell: boolean;
  /** Of the runs within `judgedOver`; null when there were none. */
  readonly success: { readonly runs: number; readonly ratio: number } | null;
}

/** Shares of runs that did not fail, below which a job's buffer is degraded, and unhealthy. */
const BUFFER = { degraded: 0.8, unhealthy: 0.5 } as const;
/** The same for what all jobs of a target have in common: the way to it. */
const ADAPTER = { degraded: 0.8, critical: 0.5 } as const;

const healthy: Verdict = { state: "healthy", reason: "" };
const percent = (ratio: number) => `${Math.round(ratio * 100)} %`;
const spoken = (ms: number) => formatDuration(ms >= 1_000 ? Math.round(ms / 1_000) * 1_000 : Math.round(ms));

/**
 * How long a run may take before it is slow: 2 s for a job of every second and 3 s for those of up to 12 s, which holds the
 * constants of GraphMemory's collector (2 s at 1 s; 3 s at 2 s and 5 s); then a quarter of the interval, and never over 15 s.
 */
export function slowAfter(every: number | null): number {
  if (every === null) return seconds(15);
  return every <= seconds(1) ? seconds(2) : Math.min(seconds(15), Math.max(seconds(3), every / 4));
}

/** Over how long the share of good runs is taken: five minutes, or ten runs where those are more. */
export const judgedOver = (every: number | null): number => Math.max(minutes(5), 10 * (every ?? 0));

/** A job without a run for so long is late: three intervals, and time for one that tries again. */
const lateAfter = (every: number): number => Math.max(3 * every, seconds(30));

/**
 * How a job is: critical when it has never worked, unhealthy when its last run failed or half of its runs do, degraded when
 * a fifth do, when it is slow, or when it does not run at all.
 */
export function judgeJob({ every, last, everWell, success }: JobFacts): Verdict {
  if (!everWell) return { state: "critical", reason: `no run has succeeded yet: ${last.failure ?? "no reason given"}` };
  if (last.failure !== null) return { state: "unhealthy", reason: last.failure };
  if (success && success.ratio < BUFFER.unhealthy) return share("unhealthy", success.ratio, success.runs);
  if (success && success.ratio < BUFFER.degraded) return share("degraded", success.ratio, success.runs);
  if (last.durationMs > slowAfter(every))
    return {
      state: "degraded",
      reason: `the last run took ${spoken(last.durationMs)}; over ${spoken(slowAfter(every))} is slow`,
    };
  if (every !== null && last.age > lateAfter(every))
    return { state: "degraded", reason: `no run has finished for ${spoken(last.age)}` };
  return healthy;
}

const share = (state: ComponentState, ratio: number, runs: number): Verdict => ({
  state,
  reason: `${percent(ratio)} of the last ${runs} runs succeeded`,
});

/**
 * How the way to a target is, by the shares of good runs of its jobs. Their mean, not that of all runs: while a job that
 * fails is held back, those that go well would outnumber it.
 */
export function judgeTarget(ratios: readonly number[]): Verdict {
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / Math.max(1, ratios.length);
  const reason = `${percent(mean)} of the runs of its ${ratios.length} jobs succeeded, on the mean`;
  if (ratios.length === 0) return healthy;
  if (mean < ADAPTER.critical) return { state: "critical", reason };
  return mean < ADAPTER.degraded ? { state: "degraded", reason } : healthy;
}

/** How long the database may be away before that is critical; its alert waits as long. */
const DOWN_CRITICAL_MS = minutes(2);

/** How writing to the database goes. `down`: why it does not, and for how long (ms). */
export function judgeStore(down: { readonly reason: string; readonly for: number } | null, everUp: boolean): Verdict {
  if (down === null) return everUp ? healthy : { state: "critical", reason: "the database has not been reached yet" };
  const isCritical = !everUp || down.for >= DOWN_CRITICAL_MS;
  return { state: isCritical ? "critical" : "unhealthy", reason: down.reason };
}

/** Shares of the spool's bound, and the age of what waits in it (ms), from which on it is not well any more. */
const SPOOL = { degraded: 0.5, unhealthy: 0.8, old: minutes(15) } as const;

/** How full the spool is. `age`: of the oldest batch in it (ms), null when it is empty. */
export function judgeSpool(spool: { bytes: number; maxBytes: number; age: number | null; isFull: boolean }): Verdict {
  const { bytes, maxBytes, age, isFull } = spool;
  if (isFull) return { state: "critical", reason: "the spool is full, and collecting waits" };
  const used = bytes / maxBytes;
  const reason = `${percent(used)} of the spool is in use`;
  if (used >= SPOOL.unhealthy) return { state: "unhealthy", reason };
  if (used >= SPOOL.degraded) return { state: "degraded", reason };
  if (age !== null && age >= SPOOL.old)
    return { state: "degraded", reason: `rows have waited ${spoken(age)} for the database` };
  return healthy;
}

/** How late the scheduler may come to a due run (ms). */
const LAG = { degraded: seconds(1), unhealthy: seconds(5) } as const;

/** How late the scheduler came to the run it was latest for (ms). */
export function judgeScheduler(worstLag: number): Verdict {
  const reason = `it came ${spoken(worstLag)} late to a run`;
  if (worstLag > LAG.unhealthy) return { state: "unhealthy", reason };
  return worstLag > LAG.degraded ? { state: "degraded", reason } : healthy;
}
