import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { BuffersView, ComponentDetail, HealthView } from "../../src/http/app/background.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Gleaner, startGleaner } from "../support/process.ts";
import { scrape } from "../support/scrape.ts";

const yaml = (url: string, more = "") => `
background: { health_interval: 200ms }
scheduler: { retry_count: 0, initial_backoff: 100ms, max_backoff: 200ms }
targets:
  system_info: { interval: 300ms }
  rooms:
    plugin: http_json
    interval: 200ms
    config: { url: "${url}", metrics: [{ metric: room_temperature_celsius, path: "rooms[].t" }] }
${more}`;

async function json<T>(gleaner: Gleaner, path: string): Promise<T> {
  const answer = await gleaner.get(path);
  assert.equal(answer.status, 200, path);
  return (await answer.json()) as T;
}

test("buffers, windows and the health of components, of a gleaner that runs", async (t) => {
  let isWell = true;
  const source = createServer((_request, response) => {
    response.statusCode = isWell ? 200 : 503;
    response.end(JSON.stringify({ rooms: [{ t: 21.5 }] }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => source.once("listening", resolve));
  t.after(() => source.close());
  using folder = temporaryFolder();
  const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}/`;
  folder.write("gleaner.yaml", yaml(url));
  await using gleaner = await startGleaner({ cwd: folder.path });
  const ROOMS = "job/rooms/document";
  const stateOf = (health: HealthView, id = ROOMS) =>
    health.components.find(({ component }) => component === id)?.state;

  await t.test("every run is kept, and summarised by window", async () => {
    const shown = await eventually(async () => {
      const view = await json<BuffersView>(gleaner, "/api/buffers/rooms?limit=3");
      assert.ok((view.jobs[0]?.size ?? 0) >= 3);
      return view.jobs[0];
    });
    assert.deepEqual([shown?.job, shown?.capacity, shown?.failed_runs], ["document", 3_600, 0]);
    const window = shown?.windows["1m"];
    assert.equal(window?.success_rate, 1);
    assert.equal(window.data_summary["room_temperature_celsius"]?.mean, 21.5);
    assert.equal(shown?.recent.length, 3);
    assert.equal((await gleaner.get("/api/buffers/nothing")).status, 404);
    assert.equal((await gleaner.get("/api/buffers/rooms?limit=x")).status, 400);
  });

  await t.test("a job that fails is told of and recorded, and the success rate is a real one", async () => {
    await eventually(async () => assert.equal(stateOf(await json<HealthView>(gleaner, "/api/health")), "healthy"));
    isWell = false;
    const health = await eventually(async () => {
      const now = await json<HealthView>(gleaner, "/api/health");
      assert.equal(stateOf(now), "unhealthy");
      return now;
    });
    assert.equal(health.overall, "unhealthy");
    assert.equal(stateOf(health, "job/system_info/system"), "healthy");
    const alert = health.alerts.findLast(({ component }) => component === ROOMS);
    assert.deepEqual([alert?.to, alert?.severity], ["unhealthy", "error"]);
    assert.match(alert?.details ?? "", /503/);
    const detail = await json<ComponentDetail>(gleaner, `/api/health?component=${encodeURIComponent(ROOMS)}`);
    assert.ok(detail.history.length >= 2);
    const view = await json<BuffersView>(gleaner, "/api/buffers/rooms");
    const rate = view.jobs[0]?.windows["5m"]?.success_rate ?? 0;
    assert.ok(rate > 0 && rate < 1, `${rate}`);
  });

  await t.test("both are in /metrics", async () => {
    await eventually(async () => {
      const series = await scrape(gleaner);
      assert.equal(series.get(`gleaner_component_health{component="${ROOMS}",state="unhealthy"}`), 1);
      assert.equal(series.get(`gleaner_component_health{component="gleaner/store",state="healthy"}`), 1);
      const ratio = series.get(
        'gleaner_job_success_ratio{target="rooms",plugin="http_json",job="document",window="5m"}',
      );
      assert.ok(ratio !== undefined && ratio > 0 && ratio < 1, `${ratio}`);
    });
  });

  await t.test(
    "a reload keeps the buffers of targets that stay as they are, and forgets those that leave",
    async () => {
      const before = (await json<BuffersView>(gleaner, "/api/buffers/system_info")).jobs[0];
      folder.write("gleaner.yaml", yaml(url).replace(/ {2}rooms:[\s\S]*/, ""));
      gleaner.signal("SIGHUP");
      await eventually(async () => assert.equal((await gleaner.get("/api/buffers/rooms")).status, 404));
      const after = (await json<BuffersView>(gleaner, "/api/buffers/system_info")).jobs[0];
      assert.ok((after?.total_runs ?? 0) >= (before?.total_runs ?? 1), "its buffer began anew");
      await eventually(async () => {
        const health = await json<HealthView>(gleaner, "/api/health");
        assert.equal(stateOf(health), undefined);
        assert.equal(health.overall, "healthy");
      });
    },
  );

  await t.test("changes of components are in the database and in the log", async () => {
    assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
    using db = new DatabaseSync(folder.at("data/gleaner.db"), { readOnly: true });
    const events = db.prepare("select * from health_events where kind = 'component' and id = ?").all(ROOMS);
    const change = events.find(({ to_state }) => to_state === "unhealthy");
    assert.deepEqual([change?.["from_state"], change?.["severity"]], ["healthy", "error"]);
    const line = gleaner.log().find(({ component, to }) => component === ROOMS && to === "unhealthy");
    assert.equal(line?.["msg"], `${ROOMS} is unhealthy`);
  });
});
