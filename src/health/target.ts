import type { TargetState } from "../model/health.ts";
import type { ErrorKind, Run } from "../model/run.ts";
import type { PausePolicy } from "../model/target.ts";

/**
 * What is known of one job of a target. Times are monotonic milliseconds, so that a jump of the wall clock neither
 * makes a target stale nor lets a pause end early.
 */
export interface JobHealth {
  readonly failures: number;
  /** Start of the first failing run of the present streak. */
  readonly failingSince: number | null;
  readonly lastKind: ErrorKind | null;
  readonly lastOk: number | null;
  readonly holdUntil: number;
  /** Of a job whose policy has one. */
  readonly circuit?: Circuit;
}

/** A circuit breaker. `recent`: runs of the last minute while it is closed. */
export interface Circuit {
  readonly phase: "closed" | "open" | "half_open";
  readonly recent: readonly { readonly at: number; readonly isFailed: boolean }[];
  /** Failures in a row; once it is open, all until it closes. */
  readonly failed: number;
  /** Good probes since it was last open. */
  readonly probed: number;
}

/** Health of one target: a value, moved on by `step`. */
export interface TargetHealth {
  readonly state: TargetState;
  readonly jobs: Readonly<Record<string, JobHealth>>;
  /** Last time anything answered, well or badly: what tells an unreachable kit from a half-broken one. */
  readonly lastAnswer: number | null;
  readonly lastOk: number | null;
  /** The source's own clock, and when we first saw it at that value. */
  readonly source: { readonly value: number; readonly since: number; readonly seen: number } | null;
  /** Length of the pause now in force (ms), 0 when none. */
  readonly backoff: number;
}

/** What the folds need to know of the target's configuration. */
export interface HealthRules {
  readonly every: Readonly<Record<string, number>>;
  readonly pause: PausePolicy;
}

/** A finished run as the folds see it. Times are monotonic milliseconds; `random` in [0, 1) jitters the pauses. */
export interface Finished {
  readonly job: string;
  readonly started: number;
  readonly finished: number;
  readonly outcome: Run["outcome"];
  readonly random: number;
}

export const UNKNOWN: TargetHealth = {
  state: "unknown",
  jobs: {},
  lastAnswer: null,
  lastOk: null,
  source: null,
  backoff: 0,
};

const NEW_JOB: JobHealth = { failures: 0, failingSince: null, lastKind: null, lastOk: null, holdUntil: 0 };

export function jobHealth(health: TargetHealth, job: string): JobHealth {
  return health.jobs[job] ?? NEW_JOB;
}

/** Failures in a row of the worst job. */
export function consecutiveFailures(health: TargetHealth): number {
  return Math.max(0, ...Object.values(health.jobs).map((job) => job.failures));
}

/** How old good data of a job may be before it is withdrawn: three intervals, or the configured threshold if that is longer. */
export function staleAfter(rules: HealthRules, job: string): number {
  return Math.max(3 * (rules.every[job] ?? 0), rules.pause.staleAfter);
}

/** The part of a step that is the same for plugins and kits: the job's own record. */
export function recordRun(health: TargetHealth, run: Finished): { health: TargetHealth; job: JobHealth } {
  const before = jobHealth(health, run.job);
  const job = nextJob(before, run);
  const answered = run.outcome.status !== "failed" || !isConnectionFailure(run.outcome.error.kind);
  const source = nextSource(health, run);
  return {
    job,
    health: {
      ...health,
      source,
      jobs: { ...health.jobs, [run.job]: job },
      lastAnswer: answered ? Math.max(health.lastAnswer ?? 0, run.finished) : health.lastAnswer,
      lastOk: run.outcome.status === "ok" ? run.finished : health.lastOk,
    },
  };
}

function nextJob(before: JobHealth, run: Finished): JobHealth {
  if (run.outcome.status === "failed") {
    const { kind } = run.outcome.error;
    return {
      ...before,
      failures: before.failures + 1,
      failingSince: before.failingSince ?? run.started,
      lastKind: kind,
    };
  }
  const lastOk = run.outcome.status === "ok" ? run.finished : before.lastOk;
  return { ...before, failures: 0, failingSince: null, lastKind: null, lastOk, holdUntil: 0 };
}

function nextSource(health: TargetHealth, run: Finished): TargetHealth["source"] {
  const time = run.outcome.status === "ok" ? run.outcome.collected.sourceTime?.getTime() : undefined;
  if (time === undefined) return health.source;
  const since = health.source?.value === time ? health.source.since : run.finished;
  return { value: time, since, seen: run.finished };
}

export function isConnectionFailure(kind: ErrorKind | null): boolean {
  return kind === "timeout" || kind === "unreachable";
}

/** Keeps one job from running before `until`. */
export function holdJob(health: TargetHealth, name: string, until: number, backoff: number): TargetHealth {
  const job = { ...jobHealth(health, name), holdUntil: until };
  return { ...health, backoff, jobs: { ...health.jobs, [name]: job } };
}
