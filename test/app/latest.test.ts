import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createLatest, type LatestDeps } from "../../src/app/latest.ts";
import { createBuffers } from "../../src/buffer/buffers.ts";
import type { Cache } from "../../src/cache/cache.ts";
import { toBatch } from "../../src/process/pipeline.ts";
import { failed, ok, pluginOf, targetOf } from "../support/targets.ts";
import { monitorAt, runOf } from "./support.ts";

const NOW = new Date("2026-03-01T12:00:03.000Z");
const EVERYTHING = { limit: 1_000 };

type Stored = NonNullable<ReturnType<LatestDeps["store"]>>;

/** Latest values over a real monitor and real buffers; cache and database are what the test says. */
function fixture(parts: { cache?: Partial<Cache>; store?: Partial<Stored> } = {}) {
  const monitor = monitorAt({ now: 1_000 });
  const buffers = createBuffers({ maxBytes: 1_000_000, now: () => NOW.getTime() });
  const target = targetOf(pluginOf(async () => ({ samples: [] })));
  monitor.add(target);
  const run = (outcome: Parameters<typeof runOf>[2]) => {
    const made = runOf(target, "main", outcome);
    monitor.observe(made);
    buffers.accept(toBatch(target, made));
  };
  const none = async () => undefined;
  const cache = {
    ...{ latestMetrics: none, pluginStatus: none, dashboardData: none, query: none },
    ...{ setDashboardData: async () => {}, setQuery: async () => {} },
    ...parts.cache,
  } as Cache;
  const store: Stored = {
    latestValues: async () => [],
    storedStatus: none,
    storedSummary: async () => ({ targets: { healthy: 1 }, plugins: { probe: 1 }, series: 2 }),
    ...parts.store,
  };
  const latest = createLatest({ monitor, buffers, store: () => store, cache: () => cache, now: () => NOW });
  return { latest, run };
}

const value = { pluginId: "other", metric: "m", labels: { a: "b" }, time: NOW, value: 7 };

describe("latest values", () => {
  it("of a target of one's own are those of its last good run", async () => {
    const { latest, run } = fixture();
    run(ok({ samples: [{ metric: "probe_value", value: 1, labels: { part: "x" } }] }));
    run(failed("timeout"));
    assert.deepEqual(await latest.metrics("t1", EVERYTHING), {
      ...{ target: "t1", plugin: "probe", source: "memory" },
      metrics: [{ series: 'probe_value{part="x"}', value: 1, time: new Date("2026-03-01T12:00:00.020Z") }],
    });
    assert.deepEqual(latest.describe("t1")?.latest, {
      plugin: "probe",
      metrics: [{ series: 'probe_value{part="x"}', value: 1, time: new Date("2026-03-01T12:00:00.020Z") }],
    });
    assert.equal(latest.describe("nobody"), undefined);
    const status = await latest.status("t1");
    assert.ok(typeof status !== "string");
    assert.deepEqual([status.state, status.source, status.failures], ["healthy", "memory", 1]);
  });

  it("of another collector's are those of the cache, then those of the database, kept for the next who asks", async () => {
    const kept: unknown[] = [];
    const setQuery: Cache["setQuery"] = async (...given) => void kept.push(given);
    const { latest } = fixture({ cache: { setQuery }, store: { latestValues: async () => [value] } });
    const found = { plugin: "other", metrics: [{ series: 'm{a="b"}', value: 7, time: NOW }] };
    assert.deepEqual(await latest.metrics("far", EVERYTHING), { target: "far", source: "database", ...found });
    assert.deepEqual(kept, [["far", "*", new Date("2026-03-01T12:00:10.000Z"), found]]);
    const cached = fixture({ cache: { latestMetrics: async () => found } }).latest;
    assert.deepEqual(await cached.metrics("far", EVERYTHING), { target: "far", source: "cache", ...found });
    const asked = fixture({
      cache: { query: async () => found },
      store: { latestValues: () => Promise.reject(new Error()) },
    });
    const then = await asked.latest.metrics("far", { limit: 1, at: NOW });
    assert.ok(typeof then !== "string");
    assert.deepEqual(then.metrics, found.metrics);
  });

  it("that nobody knows are told apart from those that cannot be asked for now", async () => {
    const { latest } = fixture();
    assert.equal(await latest.metrics("nobody", EVERYTHING), "unknown");
    assert.equal(await latest.status("nobody"), "unknown");
    const down = () => Promise.reject(new Error("ECONNREFUSED"));
    const gone = fixture({ store: { latestValues: down, storedStatus: down, storedSummary: down } }).latest;
    assert.equal(await gone.metrics("nobody", EVERYTHING), "unavailable");
    assert.equal(await gone.status("nobody"), "unavailable");
    assert.equal(await gone.summary(), "unavailable");
  });

  it("ask the database few questions at once: it has to be written too", async () => {
    const gate = Promise.withResolvers<[]>();
    const { latest } = fixture({ store: { latestValues: () => gate.promise } });
    const asked = Array.from({ length: 10 }, (_, i) => latest.metrics(`far-${i}`, EVERYTHING));
    gate.resolve([]);
    const answers = await Promise.all(asked);
    assert.deepEqual(answers.filter((answer) => answer === "unavailable").length, 6);
  });

  it("are not waited for while the database hangs, and do not pile up in front of it", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let questions = 0;
    const hung = () => {
      questions++;
      return new Promise<never>(() => {});
    };
    const { latest } = fixture({ store: { latestValues: hung, storedStatus: hung, storedSummary: hung } });
    const asked = Array.from({ length: 10 }, (_, i) => latest.status(`far-${i}`));
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(2_000);
    assert.deepEqual(new Set(await Promise.all(asked)), new Set(["unavailable"]));
    assert.equal(await latest.summary(), "unavailable");
    assert.equal(questions, 4);
  });

  it("are never taken from a cache that holds something else", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (anything) => {
        const other = async () => anything;
        const cache = { latestMetrics: other, pluginStatus: other, dashboardData: other, query: other };
        const { latest } = fixture({ cache, store: { latestValues: async () => [value] } });
        const found = await latest.metrics("far", EVERYTHING);
        assert.ok(typeof found !== "string" && found.source === "database");
        assert.equal(await latest.status("far"), "unknown");
        const summary = await latest.summary();
        assert.ok(typeof summary !== "string" && summary.source === "database");
      }),
    );
  });
});
