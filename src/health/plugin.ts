import type { PluginState } from "../model/health.ts";
import { backoffDelay } from "./backoff.ts";
import {
  consecutiveFailures,
  type Finished,
  type HealthRules,
  holdJob,
  recordRun,
  type TargetHealth,
} from "./target.ts";

/** Failures in a row at which a plugin's target is degraded, and at which it is failing and paused. */
const DEGRADED_AT = 2;
const FAILING_AT = 5;
/** From degraded on the interval doubles with each failure, up to this factor. */
const MAX_STRETCH = 8;

/** unknown -> healthy -> degraded -> failing, by failures in a row of the worst job. */
function stateOf(health: TargetHealth): PluginState {
  const failures = consecutiveFailures(health);
  if (failures >= FAILING_AT) return "failing";
  if (failures >= DEGRADED_AT) return "degraded";
  return health.lastOk === null && Object.values(health.jobs).every((job) => job.lastOk === null)
    ? (health.state as PluginState)
    : "healthy";
}

/** How long after its start a failed run's job is left alone: nothing at first, then stretched intervals, then back-off steps. */
function pauseAfter(failures: number, every: number, run: Finished, rules: HealthRules): number {
  if (failures < DEGRADED_AT) return 0;
  if (failures >= FAILING_AT) return backoffDelay(failures - FAILING_AT + 1, rules.pause, run.random);
  const stretched = every * Math.min(2 ** (failures - DEGRADED_AT + 1), MAX_STRETCH);
  // Half an interval early, so that the grid point at the stretched interval's end is not missed by a hair.
  return stretched - every / 2;
}

/** Moves a plugin target's health on by one finished run. Pure. */
export function stepPlugin(before: TargetHealth, run: Finished, rules: HealthRules): TargetHealth {
  const { health, job } = recordRun(before, run);
  const pause = pauseAfter(job.failures, rules.every[run.job] ?? 0, run, rules);
  const paused = pause > 0 ? holdJob(health, run.job, run.started + pause, pause) : { ...health, backoff: 0 };
  return { ...paused, state: stateOf(paused) };
}
