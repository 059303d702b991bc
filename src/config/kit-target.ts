import type { Duration } from "../model/duration.ts";
import type { Plugin } from "../model/plugin.ts";
import type { ConfiguredTarget, RetryPolicy } from "../model/target.ts";
import { type KitEntry, normaliseUrl } from "./kits.ts";
import type { LoadedConfig } from "./loaded.ts";
import { staleAfter } from "./policies.ts";

/** A kit of kits.yaml as a target of its plugin. */
export function kitTarget(kit: KitEntry, plugin: Plugin, { kits: fleet }: LoadedConfig): ConfiguredTarget {
  const id = kit.id ?? provisionalId(kit.api_url);
  const timeout = kit.timeout ?? fleet.timeout;
  const intervals: Readonly<Record<string, Duration>> = {
    drones: kit.poll_interval ?? fleet.poll_interval,
    signals: kit.poll_interval ?? fleet.poll_interval,
    status: kit.status_interval ?? fleet.status_interval,
  };
  const jobs = Object.fromEntries(
    Object.entries(plugin.jobs).map(([name, job]) => [
      name,
      { trigger: { every: intervals[name] ?? job.every }, timeout },
    ]),
  );
  return {
    ...{ id, name: kit.name ?? id, plugin, config: addressOf(kit), jobs },
    ...(kit.id === undefined ? { provisional: true as const } : {}),
    tags: { ...kit.tags, ...(kit.location === undefined ? {} : { location: kit.location }) },
    retry: retryOf(kit, fleet, timeout),
    pause: {
      initialBackoff: fleet.initial_backoff,
      maxBackoff: fleet.max_backoff,
      staleAfter: Math.max(fleet.stale_threshold, staleAfter(jobs)),
    },
  };
}

const addressOf = ({ api_url, ca }: KitEntry) => ({ api_url, ...(ca === undefined ? {} : { ca }) });

/** One deadline for the whole run: a kit that hangs must not hold its slot for several timeouts and waits. */
function retryOf({ retry_policy }: KitEntry, fleet: LoadedConfig["kits"], deadline: Duration): RetryPolicy {
  const factor = retry_policy.backoff_multiplier ?? 1;
  return {
    retries: retry_policy.max_retries ?? fleet.max_retries,
    delay: retry_policy.base_delay ?? fleet.retry_delay,
    growth: factor > 1 ? { kind: "exponential", factor } : { kind: "linear" },
    deadline,
  };
}

/**
 * What to call a kit that has no id yet: host, port, and path, because several kits may stand behind one proxy.
 * `http://10.0.0.11:8088` -> `10.0.0.11:8088`.
 */
function provisionalId(apiUrl: string): string {
  const { protocol, hostname, port, pathname } = new URL(normaliseUrl(apiUrl));
  const address = `${hostname.replaceAll(/[[\]]/g, "")}:${port || (protocol === "https:" ? "443" : "80")}`;
  const path = pathname === "/" ? "" : pathname.replaceAll(/[^A-Za-z0-9_.:-]/g, "_");
  // An IPv6 address may begin with a colon, an id may not.
  return `${address}${path}`.replace(/^(?=[^A-Za-z0-9])/, "kit-");
}
