import { z } from "zod";
import type { Context, Job, Plugin, Target } from "../model/plugin.ts";
import { CollectError, NothingHere } from "../model/run.ts";
import type { Collected } from "../model/sample.ts";
import type { Declaration } from "./declaration.ts";
import type { ConfigIssue, WireOutcome } from "./messages.ts";
import type { Session } from "./session.ts";

/** The key under which a target's state on this side says which memory is its own on the other. */
const MEMORY = "memory";
/** Longest that a plugin's schema may take to look at a configuration (ms). */
const CHECK_MS = 5_000;

/**
 * A plugin whose process does what it says: to everybody else it is a plugin like any other. Its configuration is checked
 * by its own schema over there, and stays here as it is written.
 */
export function externalPlugin(declaration: Declaration, session: Session): Plugin {
  let memories = 0;

  async function collect(job: string, target: Target, { signal, state }: Context): Promise<Collected> {
    if (!state.has(MEMORY)) state.set(MEMORY, ++memories);
    const memory = Number(state.get(MEMORY));
    const { id, config, tags } = target;
    const { outcome } = await session.ask("ended", { type: "run", job, target: { id, config, tags }, memory }, signal);
    return harvestOf(outcome);
  }

  const jobs = Object.entries(declaration.jobs).map(([name, job]): [string, Job] => [
    name,
    { ...job, collect: (target, context) => collect(name, target, context) } as Job,
  ]);
  return {
    ...declaration,
    config: remoteSchema(async (config) => {
      const signal = AbortSignal.timeout(CHECK_MS);
      // A plugin that cannot say is no mistake in the configuration: its runs tell what is wrong.
      const answer = await session.ask("checked", { type: "check", config }, signal).catch(() => undefined);
      return answer?.issues ?? [];
    }),
    jobs: Object.fromEntries(jobs),
    async close(state) {
      const memory = state.get(MEMORY);
      // With its process its memory is gone.
      if (typeof memory === "number" && session.isRunning()) await session.ask("forgotten", { type: "forget", memory });
    },
  } as Plugin;
}

function harvestOf(outcome: WireOutcome): Collected {
  if (outcome.status === "empty") throw new NothingHere(outcome.reason);
  if (outcome.status === "failed") {
    const { kind, message, httpStatus, retryAfter } = outcome;
    throw new CollectError(kind, message, {
      ...(httpStatus === undefined ? {} : { status: httpStatus }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  }
  const { sourceTime, metrics = {}, ...rest } = outcome.collected;
  // A name without the prefix could be that of anybody's metric.
  const prefixed = Object.entries(metrics).map(([key, spec]) => [
    key,
    isObject(spec) ? { ...spec, ownName: false } : spec,
  ]);
  const time = sourceTime === undefined ? {} : { sourceTime: new Date(sourceTime) };
  // Samples, documents and metrics are judged one by one, like those of every plugin.
  return { ...rest, ...time, metrics: Object.fromEntries(prefixed) } as Collected;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** A schema that asks somebody else. It parses asynchronously only, and changes nothing. */
function remoteSchema(check: (config: unknown) => Promise<readonly ConfigIssue[]>): z.ZodType {
  return z.unknown().check(async ({ value, issues }) => {
    for (const { path, message, part, expected } of await check(value))
      issues.push(
        expected === undefined
          ? { code: "custom", path: [...path], message, input: value, params: { part } }
          : { code: "invalid_type", path: [...path], message, input: value, expected: expected as "string" },
      );
  });
}

/** Stands in for a plugin that cannot be loaded: its targets are there, and every run says why they fail. */
export function standIn(id: string, reason: string, jobNames: readonly string[]): Plugin {
  const job: Job = {
    summary: "Says why the plugin cannot be loaded.",
    every: 60_000,
    collect: async () => {
      throw new CollectError("bug", `the plugin cannot be loaded: ${reason}`);
    },
  };
  const names = jobNames.length > 0 ? jobNames : ["load"];
  return {
    ...{ id, title: id, summary: "An external plugin that cannot be loaded.", category: "custom", version: "0.0.0" },
    ...{ enabledByDefault: true, config: z.unknown(), metrics: {} },
    jobs: Object.fromEntries(names.map((name) => [name, job])),
  };
}
