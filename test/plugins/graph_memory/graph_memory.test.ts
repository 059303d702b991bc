// On a real HTTP server that streams as GraphMemory-IDE does, breaks as it breaks, and is gone; and on documents.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { pluginPolicies } from "../../../src/config/policies.ts";
import type { Context } from "../../../src/model/plugin.ts";
import { CollectError, type ErrorKind } from "../../../src/model/run.ts";
import { MAX_FRAME, takeFrames } from "../../../src/plugins/graph_memory/frames.ts";
import { readModel, recordOf } from "../../../src/plugins/graph_memory/models.ts";
import { graphMemory } from "../../../src/plugins/graph_memory.ts";
import { collect, endsWhenAborted } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { contextOf } from "../../support/plugins.ts";

type Fields = Record<string, unknown>;
const NOW = Date.parse("2026-01-02T03:04:05Z");
const stamp = (ms = NOW) => new Date(ms).toISOString().replace("Z", "+00:00");

const GOOD: Record<string, Fields> = {
  analytics: {
    ...{ active_nodes: 1_250, active_edges: 3_400, query_rate: 90, cache_hit_rate: 0.87, memory_usage: 62.5 },
    ...{ cpu_usage: 23.4, response_time: 48.2, uptime_seconds: 86_400, timestamp: stamp(), status: "healthy" },
  },
  graphs: {
    ...{ node_count: 1_250, edge_count: 3_400, connected_components: 4, largest_component_size: 1_200, diameter: 12 },
    ...{ density: 0.0043, clustering_coefficient: 0.31, avg_centrality: 0.0043, modularity: 0.372, timestamp: stamp() },
  },
  memory: {
    ...{ total_memories: 4_650, procedural_memories: 1_360, semantic_memories: 750, episodic_memories: 2_540 },
    ...{ memory_efficiency: 0.72, memory_growth_rate: 0.05, avg_memory_size: "1.5KB", compression_ratio: 1.8 },
    ...{ retrieval_speed: 96.8, timestamp: stamp(), status: "healthy" },
  },
};

/** A frame as the project's SSEEvent.to_sse_format writes it. */
const frame = (type: string, data: unknown, id = "1a2b3c4d") =>
  `event: ${type}\nid: ${id}\ndata: ${JSON.stringify({ data, timestamp: stamp(), event_type: type })}\n\n`;
/** The same once more framed, as sse_starlette does with the text it is handed. */
const framedTwice = (text: string) =>
  `${text
    .split("\n")
    .map((line) => `data: ${line}\r\n`)
    .join("")}\r\n`;

/** A server with the three streams; what each does when it is asked is the test's to say. */
async function streaming(t: TestContext) {
  const open = new Map<string, ServerResponse>();
  const asked: { path: string; authorization: string | undefined }[] = [];
  const does: { answer(path: string, response: ServerResponse): void } = {
    answer(path, response) {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      response.write(": ping - 2026-01-02\r\n\r\n");
      response.write(framedTwice(frame(path, GOOD[path])));
    },
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace("/dashboard/stream/", "");
    asked.push({ path, authorization: request.headers.authorization });
    open.set(path, response);
    response.on("close", () => open.get(path) === response && open.delete(path));
    does.answer(path, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  t.after(stop);
  const clock = { now: NOW };
  const state: Context["state"] = new Map();
  t.after(() => graphMemory.close?.(state));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = (job: string, over: Fields = {}, signal = AbortSignal.timeout(2_000)) =>
    collect(graphMemory, { url, ...over }, { job, state, signal, now: () => new Date(clock.now) });
  const status = async (over: Fields = {}) => {
    const config = graphMemory.config.parse({ url, ...over });
    const context = contextOf({ state, now: () => new Date(clock.now) });
    return graphMemory.jobs.status.collect({ id: "t", config, tags: {} }, context);
  };
  const say = (path: string, text: string) => void open.get(path)?.write(text);
  return { open, asked, does, stop, clock, state, url, run, status, say };
}

const failsWith = (run: Promise<unknown>, kind: ErrorKind, message: RegExp) =>
  assert.rejects(run, (error) => {
    assert.ok(error instanceof CollectError, String((error as Error).stack));
    assert.deepEqual([error.kind, message.test(error.message)], [kind, true], error.message);
    return true;
  });

describe("the streams of a GraphMemory-IDE", () => {
  it("bring the three models, over connections that stay open", async (t) => {
    const { run, asked, say, open } = await streaming(t);
    const first = await run("analytics");
    assert.equal(first.value("graph_memory_query_rate"), 1.5);
    assert.equal(first.value("graph_memory_response_seconds"), 0.0482);
    assert.equal((await run("graph")).value("graph_memory_graph_nodes"), 1_250);
    const memory = await run("memory");
    assert.deepEqual(memory.by("graph_memory_memories", "kind"), { procedural: 1_360, semantic: 750, episodic: 2_540 });
    assert.equal(memory.value("graph_memory_memory_size_bytes"), 1_536);
    for (let nodes = 1; nodes <= 3; nodes++) {
      say("analytics", framedTwice(frame("analytics", { ...GOOD["analytics"], active_nodes: nodes })));
      assert.equal((await run("analytics")).value("graph_memory_active_nodes"), nodes);
    }
    assert.equal(asked.length, 3, "one connection each, for all runs");
    assert.equal(open.size, 3);
  });

  it("are read framed once too, in whatever pieces they come, the newest event of several", async (t) => {
    const { run, does, say } = await streaming(t);
    does.answer = (_path, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const text = frame("analytics", { ...GOOD["analytics"], active_nodes: 7 });
      for (const [from, to] of [
        [0, 9],
        [9, 40],
        [40, undefined],
      ] as const)
        response.write(text.slice(from, to));
    };
    assert.equal((await run("analytics")).value("graph_memory_active_nodes"), 7);
    const some = [8, 9].map((n) => frame("analytics", { ...GOOD["analytics"], active_nodes: n })).join("");
    say("analytics", some);
    assert.equal((await run("analytics")).value("graph_memory_active_nodes"), 9);
  });

  it("are opened again when they end, and a silent one is given up with the run", async (t) => {
    const { run, open, asked } = await streaming(t);
    await run("analytics");
    open.get("analytics")?.end();
    await eventually(async () => assert.equal(open.size, 0));
    await failsWith(run("analytics"), "unreachable", /the stream has ended/);
    assert.equal((await run("analytics")).value("graph_memory_active_nodes"), 1_250);
    assert.equal(asked.length, 2);
    const deadline = new AbortController();
    const silent = run("analytics", {}, deadline.signal);
    const reason = new CollectError("timeout", "its time is over");
    setTimeout(() => deadline.abort(reason), 20);
    await assert.rejects(silent, reason);
    await eventually(async () => assert.equal(open.size, 0));
    await run("analytics");
    assert.equal(asked.length, 3);
  });

  it("are asked for with the token, which no message has", async (t) => {
    const { run, asked, does } = await streaming(t);
    await run("analytics", { bearer_token: "canary-5f3d9a" });
    assert.equal(asked[0]?.authorization, "Bearer canary-5f3d9a");
    does.answer = (_path, response) => void response.writeHead(401).end("no");
    await assert.rejects(run("graph", { bearer_token: "canary-5f3d9a" }), (error: Error) => {
      assert.match(error.message, /^HTTP 401 from \/dashboard\/stream\/graphs: is the token right\?$/);
      return true;
    });
  });

  it("end with the target", async (t) => {
    const { run, open, state } = await streaming(t);
    for (const job of ["analytics", "graph", "memory"]) await run(job);
    assert.equal(open.size, 3);
    await graphMemory.close?.(state);
    await eventually(async () => assert.equal(open.size, 0));
    assert.equal(state.size, 0);
  });

  it("leave nothing behind when a run is aborted", () =>
    endsWhenAborted(graphMemory, (port) => ({ url: `http://127.0.0.1:${port}` })));
});

describe("what is no data", () => {
  const cases: [string, (path: string, response: ServerResponse) => void, ErrorKind, RegExp][] = [
    ["an error", (_, r) => r.writeHead(503, { "retry-after": "7" }).end(), "http_status", /^HTTP 503 from/],
    ["a redirect", (_, r) => r.writeHead(302, { location: "/login" }).end(), "http_status", /^HTTP 302/],
    ["a page", (_, r) => r.writeHead(200, { "content-type": "text/html" }).end("<html>"), "bad_data", /expected JSON/],
    ["a list", (_, r) => r.writeHead(200, { "content-type": "application/json" }).end("[]"), "bad_data", /no model/],
    ["another model", (_, r) => r.end(JSON.stringify(GOOD["memory"])), "bad_data", /no model analytics/],
    ["nothing that is a number", (_, r) => r.end('{"active_nodes":"many"}'), "bad_data", /no field can be used/],
    ["too much", (_, r) => r.end("x".repeat(MAX_FRAME + 1)), "bad_data", /more than 65536 characters/],
    ["an endless event", (_, r) => stream(r, `data: ${"x".repeat(MAX_FRAME + 9)}`), "bad_data", /more than 65536/],
    ["an event without JSON", (_, r) => stream(r, "data: soon\n\n"), "bad_data", /expected JSON/],
    [
      "an error event",
      (_, r) => stream(r, framedTwice('event: error\ndata: {"error":"x"}\n\n')),
      "bad_data",
      /an error of the server/,
    ],
    [
      "an engine that is away",
      (_, r) => r.end(JSON.stringify({ ...GOOD["analytics"], status: "unavailable" })),
      "bad_data",
      /engine is unavailable/,
    ],
    [
      "a state nobody knows",
      (_, r) => r.end(JSON.stringify({ ...GOOD["analytics"], status: "fine" })),
      "bad_data",
      /engine is in error/,
    ],
  ];
  const stream = (response: ServerResponse, text: string) =>
    void response.writeHead(200, { "content-type": "text/event-stream" }).write(text);

  for (const [name, answer, kind, message] of cases)
    it(name, async (t) => {
      const { run, does } = await streaming(t);
      does.answer = (path, response) => void answer(path, response);
      await failsWith(run("analytics"), kind, message);
    });

  it("a server that repeats what it had, for longer than it serves from memory", async (t) => {
    const { run, say, clock, status } = await streaming(t);
    await run("analytics");
    clock.now += 60_000;
    say("analytics", frame("analytics", GOOD["analytics"]));
    assert.equal((await run("analytics")).value("graph_memory_active_nodes"), 1_250);
    const { samples } = await status();
    assert.equal(samples.find(({ metric }) => metric === "graph_memory_data_age_seconds")?.value, 60);
    clock.now += 31_000;
    say("analytics", frame("analytics", GOOD["analytics"]));
    await failsWith(run("analytics"), "bad_data", /repeating old data/);
    say("analytics", frame("analytics", { ...GOOD["analytics"], timestamp: stamp(clock.now) }));
    assert.equal((await run("analytics")).value("graph_memory_active_nodes"), 1_250);
  });

  it("a server that is gone", async (t) => {
    const { run, stop } = await streaming(t);
    stop();
    await assert.rejects(run("analytics"), { code: "ECONNREFUSED" });
  });
});

describe("what stands in for a model", () => {
  const shown = async (status: Promise<Awaited<ReturnType<typeof graphMemory.jobs.status.collect>>>) => {
    const { samples, documents = [] } = await status;
    const of = (metric: string) =>
      samples.filter((sample) => sample.metric === metric && sample.labels?.["model"] === "memory");
    return {
      state: of("graph_memory_data_state").find(({ value }) => value === 1)?.labels?.["state"],
      age: of("graph_memory_data_age_seconds")[0]?.value,
      document: documents.find(({ name }) => name === "memory")?.body as Fields | undefined,
    };
  };

  it("is itself, then the last good data with its age, then an object that says it is unavailable", async (t) => {
    const { run, status, clock, does, open } = await streaming(t);
    assert.deepEqual(await shown(status()), { state: undefined, age: undefined, document: undefined });
    await run("memory");
    clock.now += 2_000;
    assert.deepEqual(await shown(status()), { state: "live", age: 2, document: { model: "memory", state: "live" } });
    does.answer = (_path, response) => void response.writeHead(500).end();
    open.get("memory")?.destroy();
    await eventually(async () => assert.equal(open.size, 0));
    clock.now += 3_000;
    await assert.rejects(run("memory"));
    await assert.rejects(run("memory"));
    const { timestamp: _t, status: _s, avg_memory_size: _a, ...numbers } = GOOD["memory"] as Fields;
    assert.deepEqual(await shown(status()), {
      ...{ state: "last_good", age: 5 },
      document: {
        ...{ model: "memory", state: "last_good", as_of: "2026-01-02T03:04:05.000Z" },
        ...{ reason: "HTTP 500 from /dashboard/stream/memory", data: { ...numbers, avg_memory_size: 1_536 } },
      },
    });
    clock.now = NOW + 300_000;
    assert.equal((await shown(status())).state, "last_good");
    assert.equal((await shown(status({ keep_last_good_seconds: 60 }))).state, "unavailable");
    clock.now += 1;
    const gone = await shown(status());
    assert.equal(gone.state, "unavailable");
    assert.deepEqual(gone.document, {
      ...{ model: "memory", state: "unavailable", since: "2026-01-02T03:09:05.000Z" },
      ...{ reason: "HTTP 500 from /dashboard/stream/memory", data: null },
    });
    does.answer = (path, response) => void response.end(JSON.stringify(GOOD[path]));
    clock.now += 1_000;
    await run("memory").catch(() => undefined);
    assert.equal((await shown(status())).state, "unavailable", "it is the old data still");
    does.answer = (path, response) => void response.end(JSON.stringify({ ...GOOD[path], timestamp: stamp(clock.now) }));
    await run("memory");
    assert.deepEqual((await shown(status())).document, { model: "memory", state: "live" });
  });

  it("is unavailable from the start where nothing ever came", async (t) => {
    const { run, status, does } = await streaming(t);
    does.answer = (_path, response) => void response.writeHead(404).end();
    await assert.rejects(run("memory"));
    const { state, age, document } = await shown(status());
    assert.deepEqual(
      [state, age, document?.["data"], document?.["since"]],
      ["unavailable", undefined, null, "2026-01-02T03:04:05.000Z"],
    );
  });
});

describe("a model", () => {
  it("takes sizes as numbers and as text, and nothing else", () => {
    const read = (avg_memory_size: unknown) => readModel("memory", { avg_memory_size }).values["avg_memory_size"];
    const sizes = [512, "512", "512B", "2.5KB", " 1.5 gb ", "1T", "3m"].map(read);
    assert.deepEqual(sizes, [512, 512, 512, 2_560, 1.5 * 1_024 ** 3, 1_024 ** 4, 3 * 1_024 ** 2]);
    for (const wrong of ["1.5XB", "-1", "GB", "", "1e9", `${"9".repeat(400)}`, true, {}, [1]])
      assert.equal(read(wrong), undefined);
  });

  it("takes a hit rate over 1 for per cent, up to a hundred", () => {
    const read = (cache_hit_rate: unknown) => readModel("analytics", { cache_hit_rate }).values["cache_hit_rate"];
    assert.deepEqual([0, 0.5, 1, 1.5, 87, 100, 101, -0.1].map(read), [0, 0.5, 1, 0.015, 0.87, 1, undefined, undefined]);
  });

  it("bears a total that differs by ten from its kinds", () => {
    const read = (total_memories: number) =>
      readModel("memory", { ...GOOD["memory"], total_memories }).values["total_memories"];
    assert.deepEqual([4_640, 4_650, 4_660, 4_639, 4_661].map(read), [4_640, 4_650, 4_660, undefined, undefined]);
  });

  it("has the edges that its nodes can have, and parts that are not more than it", () => {
    const read = (over: Fields) => Object.keys(readModel("graph", { ...GOOD["graphs"], ...over }).values);
    assert.equal(
      read({ node_count: 100, edge_count: 4_950, connected_components: 100, largest_component_size: 100 }).length,
      9,
    );
    assert.ok(!read({ node_count: 100, edge_count: 4_951 }).includes("edge_count"));
    assert.ok(!read({ node_count: 0, edge_count: 1 }).includes("edge_count"));
    assert.ok(!read({ node_count: 3 }).includes("connected_components"));
    assert.ok(!read({ node_count: 0, connected_components: 1 }).includes("connected_components"));
  });

  it("has a time only with a zone, and never one that is none", () => {
    const at = (timestamp: unknown) => readModel("graph", { timestamp }).at?.toISOString();
    assert.equal(at("2026-01-02T03:04:05.5+01:00"), "2026-01-02T02:04:05.500Z");
    assert.equal(at("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05.000Z");
    for (const none of ["2026-01-02T03:04:05", "now", "", 7, null, undefined]) assert.equal(at(none), undefined);
  });

  it("never throws, and never lets anything but finite numbers within their ranges through", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("analytics", "graph", "memory"),
        fc.object({ maxDepth: 2 }),
        fc.array(fc.anything(), { minLength: 9, maxLength: 9 }),
        (model, odd, values) => {
          const names = Object.keys(GOOD[model === "graph" ? "graphs" : model] ?? {});
          const record = Object.fromEntries(names.map((name, i) => [name, values[i]]));
          for (const given of [odd, record, { data: record }]) {
            const found = recordOf(model, given);
            const reading = found && readModel(model, found);
            for (const value of Object.values(reading?.values ?? {})) assert.ok(Number.isFinite(value));
          }
        },
      ),
    );
    const deep = JSON.parse(`${'{"data":'.repeat(20_000)}1${"}".repeat(20_000)}`);
    assert.equal(recordOf("graph", deep), undefined);
  });
});

describe("events", () => {
  it("are the same however the stream is cut and its lines end", () => {
    const end = fc.constantFrom("\n", "\r\n", "\r");
    const event = fc.record({
      event: fc.constantFrom("analytics", "error"),
      data: fc.stringMatching(/^[ -9;-~]{1,20}$/),
    });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 5 }),
        end,
        fc.array(fc.nat(200), { maxLength: 8 }),
        (events, newline, cuts) => {
          const text = events
            .map(({ event, data }) => [`: comment`, `event: ${event}`, "id: 1", `data: ${data}`, "", ""].join(newline))
            .join("");
          let rest = "";
          const found = [];
          const edges = [0, ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b), text.length];
          for (const [i, from] of edges.entries()) {
            const taken = takeFrames(rest + text.slice(from, edges[i + 1] ?? text.length));
            rest = taken.rest;
            found.push(...taken.frames);
          }
          // The last carriage return may be half of a line's end.
          found.push(...takeFrames(`${rest}\n`).frames);
          assert.deepEqual(
            found,
            events.map(({ event, data }) => ({ event, data })),
          );
        },
      ),
    );
  });
});

it("has no retries, which would last longer than its intervals, unless they are configured", () => {
  const config = {
    scheduler: { retry_count: 3, retry_delay: 10_000, retry_backoff: 2, initial_backoff: 1, max_backoff: 2 },
  };
  const retries = (settings: object) =>
    pluginPolicies(graphMemory, settings as never, {}, config as never).retry.retries;
  assert.deepEqual([retries({}), retries({ retry_count: 2 })], [0, 2]);
});
