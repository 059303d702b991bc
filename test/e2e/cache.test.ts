import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { MetricsView, StatusView, SummaryView } from "../../src/http/app/reads.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Gleaner, startGleaner } from "../support/process.ts";
import { scrape } from "../support/scrape.ts";
import { startRedis } from "../support/servers/redis.ts";
import { withoutServer } from "../support/servers/service.ts";

const OFF = "  disk_monitor: { enabled: false }\n  network_monitor: { enabled: false }\n";
const SECRET = "canary-cache-secret";

async function ask<T>(gleaner: Gleaner, path: string): Promise<{ status: number; json: T }> {
  const answer = await gleaner.get(path);
  return { status: answer.status, json: (await answer.json()) as T };
}
const metricsOf = (gleaner: Gleaner, path: string) => ask<MetricsView>(gleaner, `/api/plugins/${path}`);
const statusOf = (gleaner: Gleaner, id: string) => ask<StatusView>(gleaner, `/api/plugins/${id}/status`);

test("without a cache: latest values and states out of memory, and out of the database", async () => {
  using folder = temporaryFolder();
  folder.write(
    "gleaner.yaml",
    `store: { batch_timeout: 100ms }\ntargets:\n${OFF}  system_info: { interval: 500ms }\n  host: { plugin: system_info, interval: 500ms }\n`,
  );
  const gleaner = await startGleaner({ cwd: folder.path });
  try {
    const { json } = await eventually(async () => {
      const found = await metricsOf(gleaner, "system-info/metrics");
      assert.ok(found.json.metrics.length > 20, JSON.stringify(found));
      return found;
    });
    assert.deepEqual([json.target, json.plugin, json.source], ["system_info", "system_info", "memory"]);
    const { json: one } = await metricsOf(gleaner, "host/metrics?metric_name=boot_time_seconds&limit=5");
    assert.deepEqual(
      one.metrics.map(({ series }) => series),
      ["boot_time_seconds"],
    );
    const then = await eventually(async () => {
      const found = await metricsOf(
        gleaner,
        `host/metrics?metric_name=boot_time_seconds&at=${new Date().toISOString()}`,
      );
      assert.equal(found.status, 200);
      assert.equal(found.json.source, "database");
      return found;
    });
    assert.equal(then.json.metrics[0]?.value, one.metrics[0]?.value);
    assert.deepEqual((await metricsOf(gleaner, "host/metrics?at=2001-01-01T00:00:00Z")).json.metrics, []);
    assert.equal((await statusOf(gleaner, "host")).json.state, "healthy");
    for (const [path, status] of Object.entries({
      "nobody/metrics": 404,
      "nobody/status": 404,
      "host/metrics?limit=0": 400,
      "host/metrics?limit=1001": 400,
      "host/metrics?at=soon": 400,
      "host/metrics?metric_name=a%27b": 400,
    }))
      assert.equal((await metricsOf(gleaner, path)).status, status, path);
    const summary = await eventually(async () => {
      const found = await ask<SummaryView>(gleaner, "/api/summary");
      assert.deepEqual(found.json.targets, { healthy: 2 });
      return found.json;
    });
    assert.deepEqual([summary.source, summary.plugins], ["database", { system_info: 2 }]);
    assert.equal((await scrape(gleaner)).get("gleaner_cache_up"), undefined, "there is none");
  } finally {
    await gleaner.stop();
  }
});

describe("with a cache", { skip: whyNoPostgres() ?? withoutServer("redis-server") }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  test("a collector knows what another one on its database collects: from the cache, and without it from the database", async () => {
    await using redis = await startRedis("--requirepass", SECRET);
    using one = temporaryFolder();
    using other = temporaryFolder();
    one.write("cache-url", `redis://:${SECRET}@127.0.0.1:${redis.port}\n`);
    const yaml = (folder: string, targets: string) =>
      `store: { batch_timeout: 100ms }\ncache: { url_file: ${folder}/cache-url }\ntargets:\n${OFF}${targets}`;
    one.write("gleaner.yaml", yaml(one.path, "  system_info: { interval: 500ms }\n"));
    other.write("gleaner.yaml", yaml(one.path, "  system_info: { enabled: false }\n"));
    const env = { DATABASE_URL: await cluster.createDatabase() };
    await using collecting = await startGleaner({ cwd: one.path, env });
    await using asked = await startGleaner({ cwd: other.path, env });
    const from = (source: string) =>
      eventually(async () => {
        const { json: latest } = await metricsOf(asked, "system_info/metrics");
        const { json: status } = await statusOf(asked, "system_info");
        assert.deepEqual([latest.source, status.source], [source, source]);
        assert.ok(latest.metrics.length > 20);
        assert.deepEqual([latest.plugin, status.state], ["system_info", "healthy"]);
      });
    await from("cache");
    await eventually(async () => assert.equal((await ask<SummaryView>(asked, "/api/summary")).json.source, "cache"));
    const series = await scrape(asked);
    assert.equal(series.get("gleaner_cache_up"), 1);
    assert.ok((series.get('gleaner_cache_requests_total{result="hit"}') ?? 0) >= 2);
    await redis.kill();
    await from("database");
    assert.equal((await scrape(asked)).get("gleaner_cache_up"), 0);
    assert.equal((await collecting.get("/-/ready")).status, 200, "nothing depends on it");
    await redis.start();
    await from("cache");
    const [log, more] = [JSON.stringify(collecting.log()), JSON.stringify(asked.log())];
    assert.match(log, /the cache does not answer/);
    assert.ok(!`${log}${more}${collecting.screen()}`.includes(SECRET));
    assert.deepEqual(await collecting.stop(), { code: 0, signal: null });
    assert.deepEqual(await asked.stop(), { code: 0, signal: null });
  });
});
