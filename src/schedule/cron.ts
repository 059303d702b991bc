import cron from "node-cron";

/** A running cron trigger. `nextRun` is null once it is stopped. */
export interface CronTask {
  readonly nextRun: () => Date | null;
  readonly stop: () => void;
}

/** The sentence to show for a bad cron expression, or undefined for a good one. */
export function cronProblem(expression: string): string | undefined {
  return cron.validate(expression)
    ? undefined
    : `expected a cron expression such as "*/5 * * * *" (minute hour day month weekday, seconds optional in front), got ${JSON.stringify(expression)}`;
}

/** Calls `tick` whenever the expression matches in the time zone (the host's when absent). */
export function startCron(expression: string, timezone: string | undefined, tick: () => void): CronTask {
  const task = cron.schedule(expression, tick, timezone ? { timezone } : {});
  return {
    nextRun: () => task.getNextRun(),
    stop: () => void task.destroy(),
  };
}
