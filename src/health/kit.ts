import type { KitState } from "../model/health.ts";
import { backoffDelay } from "./backoff.ts";
import {
  type Finished,
  type HealthRules,
  holdJob,
  isConnectionFailure,
  type JobHealth,
  recordRun,
  type TargetHealth,
} from "./target.ts";

/** A job that runs this rarely (ms) does not decide how a kit is: its one failure would stand long after the kit was well. */
const RARE_MS = 3_600_000;

/** The jobs that do: all that are not rare, or all when none is. */
function decisive(health: TargetHealth, rules: HealthRules): JobHealth[] {
  const isRare = (job: string) => (rules.every[job] ?? 0) >= RARE_MS;
  const all = Object.entries(health.jobs);
  const often = Object.keys(rules.every).every(isRare) ? all : all.filter(([job]) => !isRare(job));
  return often.map(([, job]) => job);
}

/**
 * The state of a kit from what its endpoints last did.
 * offline: an endpoint cannot be reached and nothing has answered since that began; error: it answers, but an endpoint fails;
 * stale: no good data for the threshold, or its status stands still while the API goes on answering; online: the rest.
 */
export function kitState(health: TargetHealth, now: number, rules: HealthRules): KitState {
  const failing = decisive(health, rules).filter((job) => job.failures > 0);
  const unreachable = failing.some(
    (job) =>
      isConnectionFailure(job.lastKind) && (health.lastAnswer === null || health.lastAnswer < (job.failingSince ?? 0)),
  );
  if (unreachable) return "offline";
  if (failing.length > 0) return "error";
  if (health.lastOk === null) return "unknown";
  const quietest = Math.max(rules.pause.staleAfter, 3 * Math.min(...Object.values(rules.every)));
  const frozen = health.source !== null && health.source.seen - health.source.since > rules.pause.staleAfter;
  return frozen || now - health.lastOk > quietest ? "stale" : "online";
}

/** What the kit asked for (429 with Retry-After) or the back-off step, whichever is longer. */
function pauseAfter(failures: number, run: Finished, rules: HealthRules): number {
  const asked = run.outcome.status === "failed" ? (run.outcome.error.retryAfter ?? 0) : 0;
  return Math.max(backoffDelay(failures, rules.pause, run.random), Math.min(asked, rules.pause.maxBackoff));
}

/** Ends every pause at once: the kit answered again, and its other endpoints need not wait theirs out. */
function release(health: TargetHealth): TargetHealth {
  const jobs = Object.fromEntries(Object.entries(health.jobs).map(([name, job]) => [name, { ...job, holdUntil: 0 }]));
  return { ...health, jobs, backoff: 0 };
}

/**
 * Moves a kit's health on by one finished run. Pure.
 * A failing endpoint is backed off by itself, so that a broken /signals never costs a drone; a kit that refuses for being
 * asked too often is left alone as a whole, since its budget counts all paths together.
 */
export function stepKit(before: TargetHealth, run: Finished, rules: HealthRules): TargetHealth {
  const recorded = recordRun(before, run);
  let { health } = recorded;
  if (run.outcome.status === "failed") {
    const pause = pauseAfter(recorded.job.failures, run, rules);
    const held = run.outcome.error.status === 429 ? Object.keys(rules.every) : [run.job];
    for (const job of held) health = holdJob(health, job, run.finished + pause, pause);
  } else if (before.state === "offline") {
    health = release(health);
  } else if (Object.values(health.jobs).every((job) => job.holdUntil <= run.finished)) {
    health = { ...health, backoff: 0 };
  }
  return { ...health, state: kitState(health, run.finished, rules) };
}
