// On a real Redis: found and not found, TTLs, killed, stopped, full, slow, and not there at the start.
import assert from "node:assert/strict";
import { createServer, connect as dial, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Cache, type Lookup, openCache } from "../../src/cache/cache.ts";
import { createFeeder } from "../../src/cache/feeder.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/servers/port.ts";
import { speakTo, startRedis } from "../support/servers/redis.ts";
import { type Service, withoutServer } from "../support/servers/service.ts";

const TTL = { latest: 300_000, status: 30_000, dashboard: 60_000, query: 60_000 };
/** Of a call: its limit, and what a busy machine may be late by. */
const TIMEOUT_MS = 100;
const SLACK_MS = 150;

async function open(url: string, more: { prefix?: string; ttl?: Partial<typeof TTL> } = {}) {
  const lookups: Lookup[] = [];
  const changes: string[] = [];
  const cache = await openCache({
    ...{ url, prefix: more.prefix ?? "gleaner:", timeout: TIMEOUT_MS, ttl: { ...TTL, ...more.ttl } },
    onChange: (isUp, reason) => void changes.push(isUp ? "up" : `down ${reason}`),
    onLookup: (result) => void lookups.push(result),
  });
  return { cache, lookups, changes, [Symbol.dispose]: () => cache.disconnect() };
}

const up = (cache: Cache) => eventually(() => assert.ok(cache.isUp()));
const urlOf = ({ port }: { readonly port: number }) => `redis://127.0.0.1:${port}`;
const target = (id: string, value = 1) => ({
  id,
  latest: { plugin: "p", metrics: [{ series: "x", value, time: null }] },
  status: { target: id, state: "healthy" },
});

/** Every call, one after the other, and how long the slowest took. */
async function slowest(cache: Cache): Promise<number> {
  let most = 0;
  for (const call of [
    () => cache.latestMetrics("a"),
    () => cache.pluginStatus("a"),
    () => cache.dashboardData(),
    () => cache.query("a", "m", new Date(0)),
    () => cache.setTargets([target("a")]),
    () => cache.setDashboardData({}),
    () => cache.setQuery("a", "m", new Date(0), {}),
    () => cache.delete("a"),
  ]) {
    const begun = performance.now();
    await call();
    most = Math.max(most, performance.now() - begun);
  }
  return most;
}

describe("a cache", { skip: withoutServer("redis-server") }, () => {
  let redis: Service;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis[Symbol.asyncDispose]());

  it("gives back what was put into it, under the keys and for the times that were said", async () => {
    using opened = await open(urlOf(redis), { prefix: "lab:" });
    const { cache, lookups } = opened;
    await up(cache);
    assert.equal(await cache.latestMetrics("host"), undefined);
    assert.ok(await cache.setTargets([target("host"), { ...target("kit-1"), latest: undefined }]));
    await cache.setDashboardData({ targets: { healthy: 2 } });
    await cache.setQuery("host", "load", new Date(5_000), { a: [1] });
    assert.deepEqual(await cache.latestMetrics("host"), target("host").latest);
    assert.deepEqual(await cache.pluginStatus("host"), target("host").status);
    assert.deepEqual(await cache.dashboardData(), { targets: { healthy: 2 } });
    assert.deepEqual(await cache.query("host", "load", new Date(5_000)), { a: [1] });
    assert.deepEqual(lookups, ["miss", "hit", "hit", "hit", "hit"]);
    using eyes = speakTo(redis.port);
    const expected = {
      "lab:plugin:host:latest": 300,
      "lab:plugin:host:status": 30,
      "lab:plugin:kit-1:status": 30,
      "lab:dashboard:summary": 60,
      "lab:metrics:host:load:5000": 60,
    };
    for (const [key, seconds] of Object.entries(expected)) {
      const ttl = Number((await eyes.ask("PTTL", key)).slice(1));
      assert.ok(ttl > seconds * 1_000 - 5_000 && ttl <= seconds * 1_000, `${key}: ${ttl}`);
    }
    assert.equal(await eyes.ask("EXISTS", "lab:plugin:kit-1:latest"), ":0");
    await cache.delete("host");
    assert.equal(await cache.latestMetrics("host"), undefined);
  });

  it("forgets what is old, and takes for nothing what others left there", async () => {
    using opened = await open(urlOf(redis), { prefix: "old:", ttl: { latest: 40 } });
    const { cache, lookups } = opened;
    await up(cache);
    await cache.setTargets([target("host")]);
    await sleep(60);
    assert.equal(await cache.latestMetrics("host"), undefined);
    using eyes = speakTo(redis.port);
    await eyes.ask("SET", "old:dashboard:summary", "{broken");
    assert.equal(await cache.dashboardData(), undefined);
    await eyes.ask("DEL", "old:dashboard:summary");
    await eyes.ask("HSET", "old:dashboard:summary", "a", "b");
    assert.equal(await cache.dashboardData(), undefined);
    assert.deepEqual(lookups, ["miss", "miss", "unavailable"]);
  });

  it("keeps two fleets on one server apart by the prefix", async () => {
    using one = await open(urlOf(redis), { prefix: "one:" });
    using other = await open(urlOf(redis), { prefix: "other:" });
    await up(one.cache);
    await up(other.cache);
    await one.cache.setTargets([target("host", 1)]);
    await other.cache.setTargets([target("host", 2)]);
    assert.deepEqual(await one.cache.latestMetrics("host"), target("host", 1).latest);
    assert.deepEqual(await other.cache.latestMetrics("host"), target("host", 2).latest);
  });
});

describe("a cache that fails", { skip: withoutServer("redis-server") }, () => {
  it("is done without until it comes, when it is not there at the start", async () => {
    const port = await freePort();
    using opened = await open(urlOf({ port }));
    const { cache, changes } = opened;
    assert.ok((await slowest(cache)) < SLACK_MS);
    assert.equal(await cache.setTargets([target("a")]), false);
    assert.deepEqual(changes, [], "what never was is not told as lost");
    assert.equal(cache.isUp(), false);
  });

  it("is joined again after a kill, which is told once", async () => {
    await using redis = await startRedis();
    using opened = await open(urlOf(redis));
    const { cache, changes } = opened;
    await up(cache);
    await cache.setTargets([target("a")]);
    await redis.kill();
    await eventually(() => assert.equal(cache.isUp(), false));
    for (let i = 0; i < 3; i++) assert.ok((await slowest(cache)) < TIMEOUT_MS + SLACK_MS);
    await redis.start();
    await up(cache);
    await eventually(async () => assert.ok(await cache.setTargets([target("a")])));
    assert.deepEqual(await cache.latestMetrics("a"), target("a").latest);
    assert.equal(changes.length, 3);
    assert.match(changes[1] ?? "", /^down/);
  });

  it("holds nobody up while it is stopped, and nothing piles up in front of it", async () => {
    await using redis = await startRedis();
    using opened = await open(urlOf(redis));
    const { cache, lookups } = opened;
    await up(cache);
    await cache.setTargets([target("a")]);
    redis.signal("SIGSTOP");
    assert.ok((await slowest(cache)) < TIMEOUT_MS + SLACK_MS);
    assert.ok((await slowest(cache)) < TIMEOUT_MS + SLACK_MS);
    const before = heap();
    for (let i = 0; i < 20_000; i++) void cache.setTargets([target(`t${i}`)]);
    const begun = performance.now();
    const answers = await Promise.all(Array.from({ length: 5_000 }, (_, i) => cache.latestMetrics(`t${i}`)));
    assert.ok(performance.now() - begun < 1_000);
    assert.ok(answers.every((answer) => answer === undefined));
    assert.ok(heap() - before < 4e6, "no queue of what cannot be sent");
    assert.equal(lookups.at(-1), "unavailable");
    redis.signal("SIGCONT");
    await eventually(async () => assert.ok(await cache.setTargets([target("a", 7)])));
    await eventually(async () => assert.deepEqual(await cache.latestMetrics("a"), target("a", 7).latest));
  });

  it("answers still when it is full, and takes nothing more", async () => {
    await using redis = await startRedis("--maxmemory-policy", "noeviction");
    using opened = await open(urlOf(redis));
    const { cache } = opened;
    await up(cache);
    await cache.setTargets([target("a")]);
    using eyes = speakTo(redis.port);
    await eyes.ask("CONFIG", "SET", "maxmemory", "1");
    assert.match(await eyes.ask("SET", "a", "b"), /^-OOM/);
    for (let i = 0; i < 5; i++) assert.equal(await cache.setTargets([target("b")]), false);
    assert.deepEqual(await cache.latestMetrics("a"), target("a").latest, "reading goes on");
    await eyes.ask("CONFIG", "SET", "maxmemory", "0");
    await eventually(async () => assert.ok(await cache.setTargets([target("b")])));
  });

  it("is given up in time when it is slow", async () => {
    await using redis = await startRedis();
    await using slow = await delayed(redis.port);
    using opened = await open(urlOf(slow));
    const { cache } = opened;
    await up(cache);
    slow.delay(400);
    for (let i = 0; i < 2; i++) assert.ok((await slowest(cache)) < TIMEOUT_MS + SLACK_MS);
    slow.delay(0);
    await eventually(async () => assert.ok(await cache.setTargets([target("a")])));
  });

  it("tells no password, whatever goes wrong", async () => {
    await using redis = await startRedis("--requirepass", "canary-cache-password");
    using wrong = await open(`redis://:canary-wrong@127.0.0.1:${redis.port}`);
    using right = await open(`redis://:canary-cache-password@127.0.0.1:${redis.port}`);
    await up(right.cache);
    assert.ok(await right.cache.setTargets([target("a")]));
    assert.equal(await wrong.cache.setTargets([target("a")]), false);
    await redis.kill();
    await eventually(() => assert.equal(right.cache.isUp(), false));
    assert.doesNotMatch(JSON.stringify([wrong.changes, right.changes]), /canary/);
  });
});

describe("what brings targets to the cache", () => {
  it("writes the last of each, a part at a time, and keeps nothing of what could not be written", async () => {
    const written: string[][] = [];
    const state = { up: true, ok: true };
    const feeder = createFeeder({
      cache: {
        isUp: () => state.up,
        async setTargets(targets) {
          written.push(targets.map(({ id }) => id));
          return state.ok;
        },
      },
      describe: (id) => (id === "gone" ? undefined : target(id)),
    });
    for (let i = 0; i < 450; i++) for (let time = 0; time < 3; time++) feeder.note(`t${i}`);
    feeder.note("gone");
    await feeder.flush();
    assert.deepEqual(
      written.map(({ length }) => length),
      [100, 100, 100, 100, 50],
    );
    await feeder.flush();
    assert.equal(written.length, 5, "nothing twice");
    state.ok = false;
    for (let i = 0; i < 450; i++) feeder.note(`t${i}`);
    await feeder.flush();
    await feeder.flush();
    assert.equal(written.length, 6, "one try, and the rest with the next runs");
    state.up = false;
    for (let i = 0; i < 450; i++) feeder.note(`t${i}`);
    state.up = true;
    await feeder.flush();
    assert.equal(written.length, 6, "nothing is noted while it is gone");
    feeder.close();
  });
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is really held (bytes). */
function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** A way to a server on which every answer can be made late. */
async function delayed(to: number) {
  let wait = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const other = dial(to, "127.0.0.1");
    for (const one of [socket, other]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        socket.destroy();
        other.destroy();
      });
    }
    socket.pipe(other);
    other.on("data", (data) => void setTimeout(() => socket.writable && socket.write(data), wait));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    delay(ms: number) {
      wait = ms;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
