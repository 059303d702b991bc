import { minutes, seconds } from "../model/duration.ts";
import type { PluginState } from "../model/health.ts";
import { backoffDelay } from "./backoff.ts";
import { type Circuit, type Finished, type HealthRules, holdJob, recordRun, type TargetHealth } from "./target.ts";

/** Failures in a row that open the circuit of a job. */
const OPENS_AT = 5;
/** So does this share of failed runs within the time (ms), once there are enough to speak of a share. */
const RATE = { failed: 0.5, over: minutes(1), atLeast: 10 } as const;
/** How long it stays open at the least (ms). */
const OPEN_MS = seconds(30);
/** Good probes in a row that close it; the first bad one opens it again. So there are never more than three. */
const CLOSES_AT = 3;
/** First pause after a failure (ms); each further one doubles it, up to the configured longest. */
const FIRST_BACKOFF_MS = seconds(1);
/** Runs that the share is taken of at most: those of a minute, for jobs of every 100 ms and more. */
const MAX_RECENT = 600;

const CLOSED: Circuit = { phase: "closed", recent: [], failed: 0, probed: 0 };

/** What the runs so far say of the circuit, by the last one. */
function step(before: Circuit, { finished, outcome }: Finished): Circuit {
  const isFailed = outcome.status === "failed";
  if (before.phase !== "closed") {
    if (isFailed) return { ...before, phase: "open", failed: before.failed + 1, probed: 0 };
    const probed = before.probed + 1;
    return probed >= CLOSES_AT ? CLOSED : { ...before, phase: "half_open", probed };
  }
  const recent = [...before.recent.filter(({ at }) => at > finished - RATE.over), { at: finished, isFailed }];
  const circuit = { ...before, recent: recent.slice(-MAX_RECENT), failed: isFailed ? before.failed + 1 : 0 };
  return isFailed && opens(circuit) ? { ...circuit, phase: "open", recent: [] } : circuit;
}

function opens({ recent, failed }: Circuit): boolean {
  if (failed >= OPENS_AT) return true;
  return (
    recent.length >= RATE.atLeast && recent.filter(({ isFailed }) => isFailed).length >= RATE.failed * recent.length
  );
}

/** How long the job is left alone after a failure: 1, 2, 4, 8 s, then at least 30 s; or longer, if it was asked for. */
function pauseAfter(circuit: Circuit, run: Finished, { pause }: HealthRules): number {
  if (run.outcome.status !== "failed") return 0;
  const { maxBackoff } = pause;
  const backoff = backoffDelay(circuit.failed, { ...pause, initialBackoff: FIRST_BACKOFF_MS }, run.random);
  const asked = Math.min(run.outcome.error.retryAfter ?? 0, maxBackoff);
  return Math.max(backoff, asked, circuit.phase === "open" ? Math.min(OPEN_MS, maxBackoff) : 0);
}

/** failing while a circuit is open, degraded while one is tried or a job failed twice in a row, else healthy. */
function stateOf(health: TargetHealth): PluginState {
  const jobs = Object.values(health.jobs);
  if (jobs.some(({ circuit }) => circuit?.phase === "open")) return "failing";
  if (jobs.some(({ circuit, failures }) => circuit?.phase === "half_open" || failures >= 2)) return "degraded";
  return health.lastOk === null ? (health.state as PluginState) : "healthy";
}

/**
 * Moves the health of a service's target on by one finished run. Pure.
 * For services that are asked every second or two: each job has a circuit breaker of its own, so that one broken endpoint
 * never costs the others. Five failures in a row open it, or half of a minute's runs; after its pause single runs probe:
 * three good ones close it, a bad one opens it again, each time for longer.
 */
export function stepService(before: TargetHealth, run: Finished, rules: HealthRules): TargetHealth {
  const { health, job } = recordRun(before, run);
  const circuit = step(job.circuit ?? CLOSED, run);
  const stepped = { ...health, jobs: { ...health.jobs, [run.job]: { ...job, circuit } } };
  const pause = pauseAfter(circuit, run, rules);
  const paused = pause > 0 ? holdJob(stepped, run.job, run.finished + pause, pause) : { ...stepped, backoff: 0 };
  return { ...paused, state: stateOf(paused) };
}
