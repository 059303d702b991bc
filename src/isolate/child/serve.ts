import { isDeepStrictEqual } from "node:util";
import { createHttpClient } from "../../collect/http.ts";
import { findIssues } from "../../config/validate.ts";
import type { Context, Logger, Plugin } from "../../model/plugin.ts";
import { CollectError } from "../../model/run.ts";
import type { ConfigIssue, FromChild, ToChild, WireOutcome } from "../messages.ts";
import { failure, harvest } from "./wire.ts";

/** Problems of one configuration that are sent. */
const MAX_ISSUES = 100;

type Send = (message: FromChild) => void;
type Run = Extract<ToChild, { type: "run" }>;

/** What is kept of a target between runs. */
interface Memory {
  readonly state: Context["state"];
  /** The configuration as it came, and as the plugin's schema made it. */
  config?: { readonly given: unknown; readonly parsed: unknown };
}

/** Answers gleaner's questions about a plugin that is loaded. */
export function createServer(plugin: Plugin, send: Send, loggerOf: (target: string) => Logger) {
  const http = createHttpClient();
  const memories = new Map<number, Memory>();
  const running = new Map<number, AbortController>();

  const memoryOf = (key: number): Memory => {
    const known = memories.get(key) ?? { state: new Map<string, unknown>() };
    memories.set(key, known);
    return known;
  };

  async function configOf(memory: Memory, given: unknown): Promise<unknown> {
    if (!memory.config || !isDeepStrictEqual(memory.config.given, given)) {
      const { data, error } = await plugin.config.safeParseAsync(given);
      if (error) throw new CollectError("bug", "the plugin refuses its configuration");
      memory.config = { given, parsed: data };
    }
    return memory.config.parsed;
  }

  async function collect({ job: name, target, memory: key }: Run, signal: AbortSignal): Promise<WireOutcome> {
    try {
      const job = plugin.jobs[name];
      if (!job) throw new CollectError("bug", `plugin ${plugin.id} has no job ${name}`);
      const memory = memoryOf(key);
      const config = await configOf(memory, target.config);
      const context = { signal, http, log: loggerOf(target.id), now: () => new Date(), state: memory.state };
      return harvest(plugin, await job.collect({ ...target, config }, context));
    } catch (thrown) {
      return failure(thrown);
    }
  }

  async function run(message: Run): Promise<void> {
    const controller = new AbortController();
    running.set(message.n, controller);
    const outcome = await collect(message, controller.signal);
    running.delete(message.n);
    send({ type: "ended", n: message.n, outcome });
  }

  async function forget(key: number): Promise<void> {
    const memory = memories.get(key);
    memories.delete(key);
    if (memory) await plugin.close?.(memory.state);
  }

  async function check(given: unknown): Promise<ConfigIssue[]> {
    const issues = await findIssues(plugin.config, given);
    const plain = (step: PropertyKey) => (typeof step === "number" ? step : String(step).slice(0, 200));
    return issues.slice(0, MAX_ISSUES).map((issue) => ({
      ...issue,
      path: issue.path.slice(0, 50).map(plain),
      message: issue.message.slice(0, 2_000),
    }));
  }

  return {
    async answer(message: ToChild): Promise<void> {
      const { n } = message;
      if (message.type === "run") await run(message);
      if (message.type === "abort") running.get(n)?.abort(new CollectError("timeout", message.reason));
      if (message.type === "check") send({ type: "checked", n, issues: await check(message.config) });
      if (message.type === "forget") {
        await forget(message.memory).catch(() => undefined);
        send({ type: "forgotten", n });
      }
    },
  };
}
