import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import type { Gleaner } from "../support/process.ts";
import { scrape } from "../support/scrape.ts";
import { speakTo, startRedis } from "../support/servers/redis.ts";
import { withoutServer } from "../support/servers/service.ts";
import { startCluster } from "./support/cluster.ts";
import { rssMb } from "./support/facts.ts";
import { fault } from "./support/fault.ts";
import { logged, startScene, watch } from "./support/scene.ts";

const skip = whyNoPostgres() ?? withoutServer("redis-server");

const isUp = (gleaner: Gleaner, up: 0 | 1) =>
  eventually(async () => assert.equal((await scrape(gleaner)).get("gleaner_cache_up"), up));

/** Asks for latest values of a kit all the time, as long as something goes on. */
async function asking(gleaner: Gleaner, during: Promise<unknown>): Promise<number> {
  let slowest = 0;
  let isOver = false;
  const over = during.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const begun = performance.now();
    const answer = await gleaner.get("/api/plugins/nobody/status");
    await answer.arrayBuffer();
    // Of nobody the cache and then the database are asked.
    assert.equal(answer.status, 404);
    slowest = Math.max(slowest, performance.now() - begun);
    await sleep(20);
  }
  await over;
  return slowest;
}

fault(
  "C11",
  "cache not there at the start, killed, stopped (SIGSTOP), slow, full, and gone for good",
  { quick: true, skip },
  async () => {
    await using cluster = await startCluster();
    await using redis = await startRedis("--maxmemory-policy", "noeviction");
    await redis.kill();
    await using scene = await startScene({
      url: cluster.url(await cluster.createDatabase()),
      yaml: `cache:\n  url: redis://127.0.0.1:${redis.port}\n`,
    });
    const { gleaner } = scene;
    const watching = watch(gleaner);
    assert.equal((await scrape(gleaner)).get("gleaner_cache_up"), 0);
    await redis.start();
    await isUp(gleaner, 1);
    await redis.kill();
    await isUp(gleaner, 0);
    await redis.start();
    await isUp(gleaner, 1);
    const before = rssMb(gleaner.pid);
    redis.signal("SIGSTOP");
    const slowest = await asking(gleaner, sleep(8_000));
    redis.signal("SIGCONT");
    assert.ok(slowest < 1_000, `an answer took ${slowest} ms`);
    const grown = rssMb(gleaner.pid) - before;
    await isUp(gleaner, 1);
    using eyes = speakTo(redis.port);
    // Slow: answers come after 700 ms. Full: what is written is refused.
    await eyes.ask("CLIENT", "PAUSE", "700", "ALL");
    await asking(gleaner, sleep(1_500));
    await eyes.ask("CONFIG", "SET", "maxmemory", "1");
    await asking(gleaner, sleep(2_000));
    assert.match(await eyes.ask("SET", "a", "b"), /^-OOM/);
    const { p99 } = await watching.stop();
    assert.ok(p99 < 1_000, `p99 ${p99}`);
    await redis.kill();
    assert.ok(logged(gleaner, /the cache does not answer/) <= 6, "a line for each outage, and none for each call");
    const note = `answers at most ${Math.round(slowest)} ms and ${Math.round(grown)} MB more while it hung for 8 s`;
    assert.ok(grown < 30, note);
    return { ...(await scene.finish()), note };
  },
);
