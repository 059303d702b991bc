import type { Run, SkipReason } from "../model/run.ts";

/** Counters of one job since the process started. */
export interface JobCounts {
  readonly runs: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  readonly last: LastRun | null;
}

/** How a job's last run ended; `reason` says why it was not ok. */
export interface LastRun {
  readonly at: Date;
  readonly outcome: Run["outcome"]["status"];
  readonly reason: string | null;
  readonly durationMs: number;
}

/** The counters of all jobs of a target, by job. */
export type Counts = Record<string, JobCounts>;

const NONE: JobCounts = { runs: 0, failures: {}, skipped: {}, last: null };

const plus = (counts: Readonly<Record<string, number>>, key: string, n: number) => ({
  ...counts,
  [key]: (counts[key] ?? 0) + n,
});

function reasonOf(outcome: Run["outcome"]): string | null {
  if (outcome.status === "failed") return outcome.error.message;
  return outcome.status === "empty" ? outcome.reason : null;
}

/** Takes in a finished run. */
export function countRun(counts: Counts, { job, outcome, finishedAt, durationMs }: Run): void {
  const before = counts[job] ?? NONE;
  counts[job] = {
    ...before,
    runs: before.runs + 1,
    failures: outcome.status === "failed" ? plus(before.failures, outcome.error.kind, 1) : before.failures,
    last: { at: finishedAt, outcome: outcome.status, reason: reasonOf(outcome), durationMs },
  };
}

/** Takes in due runs that did not happen. */
export function countSkipped(counts: Counts, job: string, reason: SkipReason, n: number): void {
  const before = counts[job] ?? NONE;
  counts[job] = { ...before, skipped: plus(before.skipped, reason, n) };
}

/** Reasons of one target that are told apart; plugins list theirs in their code, but one may be someone else's. */
const MAX_REASONS = 32;

/** Takes in what could not be used. @returns the reason it is counted under */
export function countRejected(counts: Record<string, number>, reason: string, n: number): string {
  const isKnown = Object.hasOwn(counts, reason) || Object.keys(counts).length < MAX_REASONS;
  const under = isKnown ? reason : "other";
  counts[under] = (Object.hasOwn(counts, under) ? (counts[under] ?? 0) : 0) + (n > 0 ? n : 0);
  return under;
}
