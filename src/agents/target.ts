import { z } from "zod";
import type { Agent } from "../model/agent.ts";
import { minutes } from "../model/duration.ts";
import { definePlugin, type Plugin } from "../model/plugin.ts";
import { NothingHere } from "../model/run.ts";
import type { ConfiguredTarget } from "../model/target.ts";

/** The jobs an agent has: what it measures, and what it says of itself. Neither is ever started from here. */
export const REPORT_JOB = "report";
export const HEALTH_JOB = "health";
/** Assumed of an agent that has not registered yet; nothing is expected of it. */
const INTERVAL_MS = minutes(1);
/** No report for this many intervals: its series are withdrawn, and it counts as a run that failed. */
export const SILENT_INTERVALS = 3;

const MAX_BACKOFF_MS = minutes(5);

const collect = () => Promise.reject(new NothingHere("an agent reports by itself"));

/** The plugin that a reporting agent stands for: what it declared, with nothing to run. */
function agentPlugin({ plugin, name, declared }: Agent): Plugin {
  const every = declared?.interval ?? INTERVAL_MS;
  return definePlugin({
    id: plugin,
    title: name,
    summary: "Reported by an agent.",
    category: "custom",
    version: declared?.version ?? "0.0.0",
    enabledByDefault: false,
    config: z.strictObject({}),
    metrics: declared?.metrics ?? {},
    jobs: {
      [REPORT_JOB]: { summary: "What the agent measured.", every, collect },
      [HEALTH_JOB]: { summary: "What the agent says of itself.", every, collect },
    },
  });
}

/** An agent as a target like any other. Its declaration is part of `config`, so that a changed one makes a changed target. */
export function agentTarget(agent: Agent, environment: string | undefined): ConfiguredTarget {
  const every = agent.declared?.interval ?? INTERVAL_MS;
  const job = { trigger: { reported: every }, timeout: every };
  return {
    ...{ id: agent.id, name: agent.name, plugin: agentPlugin(agent) },
    config: { declared: agent.declared },
    tags: environment === undefined ? {} : { env: environment },
    jobs: { [REPORT_JOB]: job, [HEALTH_JOB]: job },
    retry: { retries: 0, delay: 0, growth: { kind: "linear" } },
    pause: { initialBackoff: every, maxBackoff: Math.max(every, MAX_BACKOFF_MS), staleAfter: SILENT_INTERVALS * every },
  };
}
