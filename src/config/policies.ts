import { type Duration, days } from "../model/duration.ts";
import type { Plugin } from "../model/plugin.ts";
import type { ConfiguredTarget, Schedule } from "../model/target.ts";
import { longestGap } from "./cron.ts";
import type { LoadedConfig } from "./loaded.ts";
import type { TargetSettings } from "./schema.ts";

/** Jobs that are started here. */
type Jobs = Readonly<Record<string, { readonly trigger: Schedule; readonly timeout: Duration }>>;

/** When each job of a plugin's target runs and for how long: the job's own settings, the target's, the plugin's, the default. */
export function pluginJobs(plugin: Plugin, settings: TargetSettings, { scheduler }: LoadedConfig): Jobs {
  return Object.fromEntries(
    Object.entries(plugin.jobs).map(([name, job]) => {
      const own = Object.hasOwn(settings.jobs, name) ? settings.jobs[name] : undefined;
      const timezone = own?.timezone ?? settings.timezone;
      const trigger =
        triggerOf({ every: own?.interval, cron: own?.cron, timezone }) ??
        triggerOf({ every: settings.interval ?? settings.collection_interval, cron: settings.cron, timezone }) ??
        ({ every: scheduler.interval ?? job.every } as const);
      return [name, { trigger, timeout: own?.timeout ?? settings.timeout ?? job.timeout ?? scheduler.timeout }];
    }),
  );
}

interface When {
  readonly every: Duration | undefined;
  readonly cron: string | undefined;
  readonly timezone: string | undefined;
}

function triggerOf({ every, cron, timezone }: When): Schedule | undefined {
  if (every !== undefined) return { every };
  if (cron === undefined) return undefined;
  return timezone === undefined ? { cron } : { cron, timezone };
}

/** Retries and pauses of a plugin's target. */
export function pluginPolicies(
  { health }: Plugin,
  settings: TargetSettings,
  jobs: Jobs,
  { scheduler }: LoadedConfig,
): Pick<ConfiguredTarget, "retry" | "pause"> {
  return {
    retry: {
      // A circuit breaker is the better retry: the next run comes sooner than the first wait would end.
      retries: settings.retry_count ?? (health === "service" ? 0 : scheduler.retry_count),
      delay: settings.retry_delay ?? scheduler.retry_delay,
      growth: { kind: "exponential", factor: settings.retry_backoff ?? scheduler.retry_backoff },
    },
    pause: {
      initialBackoff: scheduler.initial_backoff,
      maxBackoff: scheduler.max_backoff,
      staleAfter: staleAfter(jobs),
    },
  };
}

/** Intervals without new data after which it is stale: one missed run is chance, three are not. */
const STALE_INTERVALS = 3;

/** Three times the shortest interval of a target. */
export function staleAfter(jobs: Jobs): Duration {
  const gaps = Object.values(jobs).map(({ trigger }) =>
    "every" in trigger ? trigger.every : longestGap(trigger.cron),
  );
  return STALE_INTERVALS * Math.min(...gaps, days(366));
}
