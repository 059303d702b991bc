import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { type Context, definePlugin, type Target } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { Collected } from "../model/sample.ts";
import { parseJson } from "./client/json.ts";
import { type Feed, openSource } from "./graph_memory/feed.ts";
import type { Frame } from "./graph_memory/frames.ts";
import { METRICS, type Metric } from "./graph_memory/metrics.ts";
import { isBlank, type Model, type Reading, readModel, recordOf, samplesOf } from "./graph_memory/models.ts";
import {
  afterFailure,
  afterGood,
  firstSeen,
  type Standing,
  standingDocuments,
  standingSamples,
} from "./graph_memory/standing.ts";
import { authorization, checkCredentials, credentialFields, trusted, webUrl } from "./web/fields.ts";

const path = () =>
  z.string().regex(/^\/[^\s#]{0,500}$/, { error: "expected a path such as /dashboard/stream/analytics" });

const config = z
  .strictObject({
    url: webUrl()
      .describe("The server; a path in it is put before those below.")
      .meta({ example: "http://127.0.0.1:8000" }),
    analytics_path: path().default("/dashboard/stream/analytics").describe("Where its system metrics are."),
    graph_path: path().default("/dashboard/stream/graphs").describe("Where its graph metrics are."),
    memory_path: path()
      .default("/dashboard/stream/memory")
      .describe("Where its memory insights are. Each may be a stream of events or a JSON document."),
    keep_last_good_seconds: z
      .number()
      .min(1)
      .max(86_400)
      .default(300)
      .describe("How long the last good data stands in for a model that brings none, before it is unavailable."),
    ...credentialFields,
  })
  .check(checkCredentials);
type Config = z.output<typeof config>;

/** What the jobs of a target share. */
interface Memory {
  readonly feeds: Map<Model, Feed>;
  readonly standings: Map<Model, Standing>;
}

function memoryOf({ state }: Context): Memory {
  const memory = (state.get("memory") as Memory | undefined) ?? { feeds: new Map(), standings: new Map() };
  state.set("memory", memory);
  return memory;
}

/** What the server has to say: the next event of a stream that is open, or what a new request brings. */
async function ask(model: Model, config: Config, context: Context, { feeds }: Memory): Promise<unknown> {
  const { signal, now } = context;
  const where = config[`${model}_path`];
  const known = feeds.get(model);
  // It is put back when it is still good.
  feeds.delete(model);
  const url = new URL(config.url.replace(/\/$/, "") + where);
  const opened = known
    ? { feed: known }
    : await openSource({ url, headers: await authorization(config), ...(await trusted(config)) }, now, signal);
  if ("document" in opened) return opened.document;
  const { feed } = opened;
  try {
    const body = bodyOf(await feed.next(signal), url.pathname);
    feeds.set(model, feed);
    return body;
  } catch (error) {
    feed.close();
    throw error;
  }
}

function bodyOf({ event, data }: Frame, path: string): unknown {
  if (event === "error") throw new CollectError("bad_data", `GET ${path}: the stream tells of an error of the server`);
  return parseJson(data, `GET ${path}`);
}

/** The server serves what it has for a minute; the same for longer (ms) is what it had before something of it broke. */
const REPEATS_MS = 90_000;
/** A server's clock that is further off (ms) is not taken for the time of its data. */
const CLOCK_MS = 300_000;

/** Why what was read is no data; undefined when it is. */
function problemWith(model: Model, reading: Reading, before: Standing | undefined, now: number): string | undefined {
  const { values, status, rejected } = reading;
  if (status === "unavailable" || status === "error")
    return `the server says that its engine is ${status === "error" ? "in error" : "unavailable"}`;
  if (isBlank(model, values)) return "every field is blank, as when the server cannot ask its engine";
  if (now - firstSeen(before, reading, now) > REPEATS_MS) return "the server goes on repeating old data";
  if (Object.keys(values).length > 0) return undefined;
  return `no field can be used: ${rejected.map(({ detail }) => detail).join("; ")}`.slice(0, 300);
}

async function collectModel(model: Model, { config }: Target<Config>, context: Context): Promise<Collected<Metric>> {
  const memory = memoryOf(context);
  const before = memory.standings.get(model);
  let reading: Reading | undefined;
  try {
    const record = recordOf(model, await ask(model, config, context, memory));
    if (!record) throw new CollectError("bad_data", `there is no model ${model} in the answer`);
    reading = readModel(model, record);
    const now = context.now().getTime();
    const problem = problemWith(model, reading, before, now);
    if (problem !== undefined) throw new CollectError("bad_data", problem);
    memory.standings.set(model, afterGood(before, reading, now));
    const at = reading.at && Math.abs(now - reading.at.getTime()) <= CLOCK_MS ? reading.at : null;
    return { samples: samplesOf(model, reading.values, at), rejected: reading.rejected };
  } catch (error) {
    const reason = error instanceof CollectError ? error.message : "the server cannot be reached";
    memory.standings.set(model, afterFailure(before, reason, context.now().getTime(), reading?.status));
    throw error;
  }
}

/**
 * The dashboard of GraphMemory-IDE: three models, each read by a job of its own, from a stream of events that stays open or
 * from a JSON document. The shapes are those of the project's source (`server/dashboard/models/analytics_models.py` for the
 * fields, `sse_models.py` and `routes.py` for frames and paths); its documentation does not describe them. What
 * `/dashboard/latest` has of the models is read too, where a version fills it in.
 *
 * A field that cannot be right is left out, with a reason, and costs no other. A model that brings no data at all makes the
 * run fail, and `status` says what stands in for it: the last good data for a while, then an object that says it is
 * unavailable. Zeros that the server sends when its engine is away are no data.
 */
export const graphMemory = definePlugin({
  id: "graph_memory",
  title: "GraphMemory",
  summary: "System, graph and memory metrics of a GraphMemory-IDE server, from its dashboard's streams.",
  category: "ai_ml",
  version: "1.0.0",
  tags: ["graph", "memory", "llm"],
  enabledByDefault: false,
  health: "service",
  config,
  metrics: METRICS,
  jobs: {
    analytics: {
      summary: "Reads activity, resources and speed.",
      every: seconds(1),
      timeout: seconds(5),
      collect: (target: Target<Config>, context) => collectModel("analytics", target, context),
    },
    graph: {
      summary: "Reads size and structure of the graph.",
      every: seconds(2),
      timeout: seconds(5),
      collect: (target: Target<Config>, context) => collectModel("graph", target, context),
    },
    memory: {
      summary: "Reads what is remembered, and how well.",
      every: seconds(5),
      timeout: seconds(10),
      collect: (target: Target<Config>, context) => collectModel("memory", target, context),
    },
    status: {
      summary: "Says what stands in for each model and how old it is, while a circuit is open too. It asks nobody.",
      every: seconds(5),
      async collect({ config }: Target<Config>, context) {
        context.signal.throwIfAborted();
        const { standings } = memoryOf(context);
        const [now, keepMs] = [context.now().getTime(), config.keep_last_good_seconds * 1_000];
        return {
          samples: standingSamples(standings, now, keepMs),
          documents: standingDocuments(standings, now, keepMs),
        };
      },
    },
  },
  close(state) {
    for (const feed of (state.get("memory") as Memory | undefined)?.feeds.values() ?? []) feed.close();
    state.delete("memory");
  },
});
