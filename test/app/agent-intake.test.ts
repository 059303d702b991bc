import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createAgentIntake } from "../../src/app/agent-intake.ts";
import { type AgentRegistryDeps, createAgentRegistry } from "../../src/app/agents.ts";
import { createPipeline } from "../../src/app/pipeline.ts";
import { createBuffers } from "../../src/buffer/buffers.ts";
import { noTelemetry } from "../../src/expose/otel.ts";
import { createSelf } from "../../src/expose/self.ts";
import { createSnapshot } from "../../src/expose/snapshot.ts";
import type { KeyedAgent } from "../../src/model/agent.ts";
import type { Batch, ConfiguredTarget } from "../../src/model/target.ts";
import type { AgentChange } from "../../src/store/store.ts";
import { keepingLog, kitOf, monitorAt } from "./support.ts";

const DECLARED = {
  interval: "10s",
  metrics: {
    power_watts: { help: "Power.", unit: "watts" },
    parts: { help: "Parts.", labels: ["part"], maxSeries: 1_000 },
  },
};

/** The table `agents`, in memory; `broken` makes it a database that is away. */
function table() {
  const rows = new Map<string, KeyedAgent>();
  const state = { broken: false };
  const there = <T>(value: T): Promise<T> =>
    state.broken ? Promise.reject(new Error("ECONNREFUSED")) : Promise.resolve(value);
  const store: ReturnType<AgentRegistryDeps["store"]> = {
    listAgents: () => there([...rows.values()]),
    async addAgent(agent) {
      await there(0);
      if (rows.get(agent.id)?.revokedAt === null) return false;
      rows.set(agent.id, {
        ...agent,
        ...{ createdAt: new Date(), revokedAt: null, registeredAt: null, declared: null, config: {} },
      });
      return true;
    },
    async changeAgent(id, change: AgentChange) {
      await there(0);
      const row = rows.get(id);
      if (!row) return false;
      rows.set(id, { ...row, ...("key" in change ? { ...change.key, revokedAt: null } : change) });
      return true;
    },
  };
  return { store, state, rows };
}

/** Agents on a real monitor, snapshot and pipeline, with a writer that keeps what it is offered, or does not. */
async function fixture(t: { after(fn: () => void): void }) {
  const clock = { now: 1_000, wall: Date.parse("2026-03-01T12:00:00Z") };
  const pass = (ms: number) => {
    clock.now += ms;
    clock.wall += ms;
  };
  const snapshot = createSnapshot();
  const self = createSelf({ version: "1" });
  t.after(() => self.close());
  const log = keepingLog();
  const buffers = createBuffers({ maxBytes: 1_000_000, now: Date.now });
  const monitor = monitorAt(clock, (change) => pipeline.transition(change));
  const kept: Batch[] = [];
  const writer = { durable: true, full: false, accepted: [] as Batch[] };
  const pipeline = createPipeline({
    ...{ monitor, snapshot, self, buffers, log, host: "here", trace: noTelemetry.run, note: () => {} },
    writer: {
      accept: (batch) => void writer.accepted.push(batch),
      offer: async (batch) => {
        if (writer.durable) kept.push(batch);
        return writer.durable;
      },
      event: () => {},
      status: () => {},
      kit: () => {},
    },
    fleet: () => ({ promote: () => {} }),
  });
  const others: ConfiguredTarget[] = [];
  const targets = new Map<string, ConfiguredTarget>();
  const { store, state, rows } = table();
  const now = () => new Date(clock.wall);
  const registry = createAgentRegistry({
    ...{ store: () => store, plugins: new Set(["redis_monitor"]), environment: undefined, now, log },
    async changed() {
      const wanted = registry.besides(others);
      for (const id of [...targets.keys()]) if (!wanted.some((target) => target.id === id)) targets.delete(id);
      for (const target of wanted) {
        if (JSON.stringify(targets.get(target.id)?.config) === JSON.stringify(target.config)) continue;
        targets.set(target.id, target);
        monitor.add(target);
      }
    },
  });
  const intake = createAgentIntake({
    ...{ registry, pipeline, monitor, self, isFull: () => writer.full, now, monotonic: () => clock.now },
    ...{ target: (id) => targets.get(id), targets: () => [...targets.values()] },
  });
  const added = await registry.add({ id: "roof", plugin: "solar" });
  assert.ok(added.status === "done");
  const key = String((added.body as { key: string }).key);
  const register = () => intake.register("roof", DECLARED);
  const report = (value: unknown, at = clock.wall, more: object[] = []) =>
    intake.report("roof", { at, samples: [{ metric: "power_watts", value }, ...more] });
  const shown = () => snapshot.families().flatMap(({ name }) => (name.startsWith("gleaner_agent_") ? [name] : []));
  return {
    clock,
    pass,
    snapshot,
    monitor,
    kept,
    writer,
    registry,
    intake,
    register,
    report,
    shown,
    key,
    state,
    rows,
    log,
    others,
  };
}

describe("what an agent reports", () => {
  test("is not taken while it cannot be kept, and that is no silence of the agent", async (t) => {
    const { register, report, writer, kept, monitor, pass, intake, shown } = await fixture(t);
    await register();
    writer.durable = false;
    for (let i = 0; i < 10; i++) {
      assert.equal((await report(1)).status, "unavailable");
      pass(10_000);
      await intake.tick();
    }
    assert.deepEqual([kept.length, monitor.view("roof")?.state, shown().length], [0, "unknown", 0]);
    [writer.durable, writer.full] = [true, true];
    assert.equal((await report(1)).status, "unavailable");
    writer.full = false;
    assert.deepEqual(await report(1), { status: "done", body: { accepted: 1, rejected: {} } });
    assert.deepEqual([kept.length, monitor.view("roof")?.state], [1, "healthy"]);
  });

  test("that is missed three times and on is a failure each time, until it is paused; the next report ends that", async (t) => {
    const { register, report, writer, monitor, pass, intake } = await fixture(t);
    await register();
    await report(1);
    const states: (string | undefined)[] = [];
    for (let i = 0; i < 9; i++) {
      pass(10_000);
      await intake.tick();
      await intake.tick();
      states.push(monitor.view("roof")?.state);
    }
    assert.deepEqual(states, [
      ...["healthy", "healthy", "healthy"],
      ...["degraded", "degraded", "degraded", "degraded", "degraded", "degraded"],
    ]);
    const [first] = writer.accepted;
    assert.ok(first?.run.outcome.status === "failed");
    assert.equal(first.run.outcome.error.message, "no report for 30 s; one is expected every 10s");
    for (let i = 0; i < 200; i++) {
      pass(10_000);
      await intake.tick();
    }
    assert.equal(monitor.view("roof")?.state, "failing");
    assert.ok(writer.accepted.length < 30, `${writer.accepted.length} failures are written in half an hour`);
    await report(2);
    assert.equal(monitor.view("roof")?.state, "healthy");
  });

  test("is shown when it is of now and the newest, and kept in any case", async (t) => {
    const { register, report, snapshot, kept, clock } = await fixture(t);
    await register();
    const value = async () => {
      const family = snapshot.families().find(({ name }) => name === "gleaner_agent_power_watts");
      return family && String(await family.lines()).trim();
    };
    await report(1, clock.wall - 31_000);
    assert.equal(await value(), undefined, "older than three intervals");
    await report(2, clock.wall - 5_000);
    await report(3, clock.wall - 6_000);
    assert.match((await value()) ?? "", / 2$/);
    assert.equal(kept.length, 3);
  });

  test("has a bounded number of series, and what is over it is counted", async (t) => {
    const { register, intake, clock, monitor } = await fixture(t);
    await register();
    const churn = (round: number) =>
      intake.report("roof", {
        at: clock.wall + round,
        samples: Array.from({ length: 900 }, (_, i) => ({
          metric: "parts",
          value: 1,
          labels: { part: `${round}-${i}` },
        })),
      });
    for (const [round, accepted] of [900, 900, 200].entries())
      assert.deepEqual((await churn(round)).status === "done" && (await churn(round)), {
        status: "done",
        body: { accepted, rejected: accepted < 900 ? { too_many_series: 900 - accepted } : {} },
      });
    assert.equal((await churn(3)).status, "unusable");
    assert.ok((monitor.view("roof")?.rejected["too_many_series"] ?? 0) >= 1_600);
  });

  test("costs nobody anything, whatever it is", async (t) => {
    const { register, intake, snapshot, clock } = await fixture(t);
    await register();
    const json = fc.jsonValue({ maxDepth: 3 });
    const metric = fc.oneof(fc.constantFrom("power_watts", "parts", "__proto__", "toString"), json);
    const sample = fc.record({
      metric,
      value: json,
      labels: fc.oneof(json, fc.dictionary(fc.string(), json)),
      at: json,
    });
    const at = fc.oneof(fc.constant(clock.wall), json);
    const body = fc.record({
      at,
      samples: fc.array(sample),
      documents: fc.array(fc.record({ name: json, body: json })),
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, json), async (given) => {
        for (const take of [intake.report, intake.health, intake.register]) {
          const { status } = await take("roof", given);
          assert.ok(["done", "unusable"].includes(status), status);
        }
        for (const family of snapshot.families()) await family.lines();
      }),
    );
  });
});

describe("who may report", () => {
  test("is told by the key, by time, and by the owner; nobody knows before the database told", async (t) => {
    const { registry, key, clock, pass } = await fixture(t);
    assert.equal(registry.judge("roof", key), "good");
    assert.equal(registry.judge("shed", key), "wrong");
    assert.equal(registry.judge("roof", "hello"), "other");
    assert.equal(registry.judge("constructor", key), "wrong");
    pass(90 * 86_400_000);
    assert.equal(registry.judge("roof", key), "expired");
    assert.equal((await registry.renew("roof", { expires: "1d" })).status, "done");
    assert.equal(registry.judge("roof", key), "wrong");
    assert.equal((await registry.revoke("roof")).status, "done");
    const ahead = createAgentRegistry({
      ...{ store: () => undefined, plugins: new Set<string>(), environment: undefined, log: keepingLog() },
      ...{ changed: async () => {}, now: () => new Date(clock.wall) },
    });
    await ahead.poll();
    assert.equal(ahead.judge("roof", key), "unavailable");
    for (const answer of [ahead.add({ id: "x" }), ahead.revoke("x"), ahead.renew("x", {}), ahead.configure("x", {})])
      assert.equal((await answer).status, "unavailable");
  });

  test("goes on while the database is away; what is to be kept there has to wait", async (t) => {
    const { registry, register, report, key, state, log } = await fixture(t);
    await register();
    state.broken = true;
    await registry.poll();
    assert.equal(registry.judge("roof", key), "good");
    assert.equal((await report(1)).status, "done");
    assert.equal((await register()).status, "unavailable");
    assert.equal((await registry.revoke("roof")).status, "unavailable");
    assert.doesNotMatch(JSON.stringify(log.lines), new RegExp(key));
  });

  test("is whom no other target goes by", async (t) => {
    const { registry, others, log } = await fixture(t);
    others.push(kitOf("roof", "http://10.0.0.1:8088"));
    for (let i = 0; i < 3; i++) assert.equal(registry.besides(others).length, 1);
    assert.equal(log.lines.filter(({ level }) => level === "error").length, 1, "told once");
    others.pop();
    assert.deepEqual(
      registry.besides(others).map(({ id }) => id),
      ["roof"],
    );
  });

  test("is not brought back by a row that somebody broke", async (t) => {
    const { registry, rows, register } = await fixture(t);
    await register();
    const row = rows.get("roof") as KeyedAgent;
    rows.set("roof", { ...row, declared: { version: "1", interval: 5_000, metrics: { agent_x: 7 } } as never });
    await registry.poll();
    assert.equal(registry.find("roof")?.declared, null);
    assert.equal(registry.list()[0]?.state, "waiting");
  });
});
