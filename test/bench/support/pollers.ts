import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { Agent } from "undici";
import { createHttpClient } from "../../../src/collect/http.ts";
import { createRunner } from "../../../src/collect/runner.ts";
import type { ConfiguredTarget } from "../../../src/model/target.ts";
import { dragonsync } from "../../../src/plugins/dragonsync.ts";
import { toBatch } from "../../../src/process/pipeline.ts";
import { targetOf } from "../../support/targets.ts";
import { rowsOf } from "./poll-zod.ts";
import { rssOf } from "./proc.ts";

/** Who polls: gleaner's own way, or what one would write with a client and zod. */
export const POLLERS = ["gleaner", "fetch", "agent"] as const;
export type PollerName = (typeof POLLERS)[number];

/** What polling every origin once cost. */
export interface Round {
  /** CPU of the process (µs) for each poll of an origin. */
  readonly cpu: number;
  readonly rssMb: number;
  readonly files: number;
}

/** A poller in a process of its own, so that nobody's garbage is another's to collect. */
export interface Poller extends AsyncDisposable {
  round(): Promise<Round>;
}

/** Polls both lists of an origin, and returns how many rows came of it. */
type Poll = (url: string) => Promise<number>;

interface Order {
  readonly name: PollerName;
  readonly urls: readonly string[];
  readonly rows: number;
}

const PATHS = ["/drones", "/signals"] as const;
/** Polls under way at once: what a thousand kits come to that answer within some tens of milliseconds. */
const AT_ONCE = 16;
const TIMEOUT_MS = 5_000;
/** Share of polls that may fail: with this many connections a second, a system loses one now and then. */
const MAX_FAILED = 0.001;

/** @param rows that each origin's lists must come to: who skips some is not compared */
export async function startPoller(name: PollerName, urls: readonly string[], rows: number): Promise<Poller> {
  const child = fork(import.meta.filename, [], { execArgv: [] });
  const ended = once(child, "exit");
  const order: Order = { name, urls, rows };
  child.send(order);
  return {
    async round() {
      child.send("round");
      const answer = await Promise.race([once(child, "message"), ended.then(() => undefined)]);
      if (!answer) throw new Error(`the poller ${name} ended`);
      return answer[0] as Round;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** The HTTP client, the runner with its deadline, the plugin, and what checks its harvest: all of a poll but the sinks. */
function pollWithGleaner(): Poll {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const never = new AbortController().signal;
  const runner = createRunner({
    ...{ http: createHttpClient(), log: () => quiet, limit: () => (fn) => fn(), draining: never },
    ...{ now: () => new Date(), monotonic: () => performance.now() },
  });
  const jobs = Object.fromEntries(
    ["drones", "signals"].map((job) => [job, { trigger: { every: 5_000 }, timeout: TIMEOUT_MS }]),
  );
  const targets = new Map<string, ConfiguredTarget>();
  const targetAt = (url: string) => {
    const target = targets.get(url) ?? targetOf(dragonsync, { id: url, config: { api_url: url }, jobs });
    targets.set(url, target);
    return target;
  };
  const collect = async (target: ConfiguredTarget, job: string) => {
    const { run, rows } = toBatch(target, await runner.run(target, job, never));
    if (run.outcome.status !== "ok") throw new Error(`${target.id}: ${JSON.stringify(run.outcome)}`);
    return rows.length;
  };
  return async (url) => {
    const target = targetAt(url);
    return (await collect(target, "drones")) + (await collect(target, "signals"));
  };
}

/** Polls with zod what `get` brings. */
function pollWithZod(get: (url: string) => Promise<unknown>): Poll {
  return async (url) => {
    let rows = 0;
    for (const path of PATHS) rows += rowsOf(path, await get(url + path), url).length;
    return rows;
  };
}

const CREATE: Readonly<Record<PollerName, () => Poll>> = {
  gleaner: pollWithGleaner,
  fetch: () =>
    pollWithZod(async (url) => {
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "manual" });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return await response.json();
    }),
  agent: () => {
    const agent = new Agent();
    return pollWithZod(async (url) => {
      const { origin, pathname } = new URL(url);
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const { statusCode, body } = await agent.request({ origin, path: pathname, method: "GET", signal });
      if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`);
      return await body.json();
    });
  },
};

async function round(poll: Poll, { urls, rows }: Order): Promise<Round> {
  const left = urls.values();
  let failed = 0;
  const worker = async () => {
    for (const url of left) {
      const got = await poll(url).catch((error: Error) => {
        if (++failed > urls.length * MAX_FAILED) throw error;
        return rows;
      });
      if (got !== rows) throw new Error(`${url}: ${got} rows of ${rows}`);
    }
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / urls.length, rssMb: rssOf(process.pid), files: readdirSync("/proc/self/fd").length };
}

if (import.meta.main) {
  process.once("message", (order: Order) => {
    const poll = CREATE[order.name]();
    process.on("message", async () => process.send?.(await round(poll, order)));
  });
  process.once("disconnect", () => process.exit());
}
