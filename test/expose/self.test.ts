import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { register } from "prom-client";
import { encode } from "../../src/expose/encode.ts";
import { createSelf, type SelfOptions } from "../../src/expose/self.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { identity } from "../support/sample-line.ts";
import { parseText } from "../support/text-format.ts";
import { read } from "./support.ts";

function setUp(options: Partial<SelfOptions> = {}) {
  const self = createSelf({ version: "1.2.3", ...options });
  after(() => self.close());
  const value = async (name: string, labels: Record<string, string> = {}): Promise<number | undefined> => {
    const body = await encode(await self.families(), "text");
    return read(body, "text").get(identity({ name, labels: Object.entries(labels) }));
  };
  return { self, value };
}

describe("the collector's own metrics", () => {
  test("stay out of prom-client's global registry", () => {
    setUp();
    assert.deepEqual(register.getMetricsAsArray(), []);
  });

  test("say what is running", async () => {
    const { value } = setUp({ revision: "abc" });
    const { platform, arch, version } = process;
    const labels = { version: "1.2.3", revision: "abc", node_version: version, platform, arch };
    assert.equal(await value("gleaner_build_info", labels), 1);
  });

  test("counters with known label values start at 0, and count", async () => {
    const { self, value } = setUp({
      known: { tables: ["drones"], storeErrors: ["08"], rejected: ["bad_value"], dropped: ["spool_full"] },
    });
    const counters: readonly [
      name: string,
      label: string,
      known: string,
      record: (value: string, n?: number) => void,
    ][] = [
      ["gleaner_store_rows_total", "table", "drones", (table, n = 1) => self.stored(table, n)],
      ["gleaner_store_duplicate_rows_total", "table", "drones", (table, n = 1) => self.duplicates(table, n)],
      ["gleaner_store_errors_total", "reason", "08", (reason) => self.storeError(reason)],
      ["gleaner_rows_rejected_total", "reason", "bad_value", self.rejected],
      ["gleaner_rows_dropped_total", "reason", "spool_full", self.dropped],
      ["gleaner_series_dropped_total", "reason", "conflict", self.seriesDropped],
    ];
    for (const [name, label, known, record] of counters) {
      assert.equal(await value(name, { [label]: known }), 0, name);
      record(known);
      assert.equal(await value(name, { [label]: known }), 1, name);
      assert.equal(await value(name, { [label]: "other" }), undefined, name);
    }
    self.rejected("bad_value", 41);
    assert.equal(await value("gleaner_rows_rejected_total", { reason: "bad_value" }), 42);
  });

  test("an amount that is none is ignored and throws nothing", async () => {
    const { self, value } = setUp({ known: { tables: ["drones"] } });
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      self.stored("drones", bad);
      self.jobDuration("p", "j", bad);
      self.runBegan(bad);
      self.runsMissed(bad);
    }
    assert.equal(await value("gleaner_store_rows_total", { table: "drones" }), 0);
    assert.equal(await value("gleaner_job_duration_seconds_count", { plugin: "p", job: "j" }), undefined);
    assert.equal(await value("gleaner_schedule_lag_seconds_count", {}), 0);
    self.runBegan(0.02);
    assert.equal(await value("gleaner_schedule_lag_seconds_sum", {}), 0.02);
  });

  test("how punctual the last minute's runs were is told, and nothing of a minute without any", async () => {
    const clock = { now: 0 };
    const { self, value } = setUp({ monotonic: () => clock.now });
    assert.ok(Number.isNaN(await value("gleaner_schedule_on_time_ratio")));
    self.runBegan(0.002);
    self.runBegan(0.7);
    self.runsMissed(2);
    assert.equal(await value("gleaner_schedule_on_time_ratio"), 0.25);
    assert.equal(await value("gleaner_schedule_lag_max_seconds"), 0.7);
    clock.now = 61_000;
    assert.ok(Number.isNaN(await value("gleaner_schedule_on_time_ratio")));
    assert.equal(await value("gleaner_schedule_lag_max_seconds"), 0);
  });

  test("histograms are whole in both formats, with the same canonical bounds", async () => {
    const { self } = setUp();
    for (const seconds of [0.003, 0.7, 1, 999]) self.jobDuration("p", "j", seconds);
    self.jobDuration("p", "k", 0.5);
    const families = await self.families();
    const openMetrics = parseOpenMetrics(await encode(families, "openmetrics"));
    const text = parseText(await encode(families, "text"));
    const inText = text.find(({ name }) => name === "gleaner_job_duration_seconds");
    const inOpenMetrics = openMetrics.find(({ name }) => name === "gleaner_job_duration_seconds");
    assert.deepEqual(inText?.samples, inOpenMetrics?.samples);
    assert.equal(inOpenMetrics?.unit, "seconds");
    const bucket = (le: string): number | undefined =>
      inText?.samples.find(
        ({ name, labels }) =>
          name.endsWith("_bucket") &&
          identity({ name, labels }) ===
            identity({
              name,
              labels: [
                ["le", le],
                ["plugin", "p"],
                ["job", "j"],
              ],
            }),
      )?.value;
    assert.deepEqual(["0.005", "0.5", "1.0", "60.0", "+Inf"].map(bucket), [1, 1, 3, 3, 4]);
  });

  test("both formats carry the same series, also after one another", async () => {
    const { self } = setUp({ known: { tables: ["drones"] } });
    self.scraped("text", 0.01, 7);
    const families = await self.families();
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(
        read(await encode(families, "openmetrics"), "openmetrics"),
        read(await encode(families, "text"), "text"),
      );
    }
  });

  test("read the store when scraped; a reader that throws is a store that is down", async () => {
    const { self, value } = setUp();
    assert.equal(await value("gleaner_store_up"), 0);
    self.readStore({
      up: () => true,
      pendingRows: () => 12,
      spool: () => ({ records: 3, bytes: 456, oldestAt: 1_500 }),
    });
    assert.equal(await value("gleaner_store_up"), 1);
    assert.equal(await value("gleaner_store_pending_rows"), 12);
    assert.equal(await value("gleaner_spool_batches"), 3);
    assert.equal(await value("gleaner_spool_bytes"), 456);
    assert.equal(await value("gleaner_spool_oldest_timestamp_seconds"), 1.5);
    const broken = (): never => {
      throw new Error("closed");
    };
    self.readStore({ up: broken, pendingRows: broken, spool: broken });
    assert.equal(await value("gleaner_store_up"), 0);
    assert.equal(await value("gleaner_store_pending_rows"), Number.NaN);
  });

  test("a failed reload keeps the time of the last good one", async () => {
    const { self, value } = setUp();
    self.configReloaded(true, new Date(1_700_000_000_500));
    self.configReloaded(false, new Date(1_800_000_000_000));
    assert.equal(await value("gleaner_config_last_reload_successful"), 0);
    assert.equal(await value("gleaner_config_last_reload_success_timestamp_seconds"), 1_700_000_000.5);
  });

  test("event-loop lag is lateness only, and of the last interval only", async () => {
    const { value } = setUp();
    const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    await wait(30);
    const end = performance.now() + 120;
    while (performance.now() < end);
    await wait(15);
    const blocked = (await value("gleaner_event_loop_lag_seconds")) ?? 0;
    assert.ok(blocked > 0.08, `lag ${blocked} after a block of 120 ms`);
    await wait(60);
    const idle = (await value("gleaner_event_loop_lag_seconds")) ?? 1;
    assert.ok(idle < blocked, `lag ${idle} while idle`);
  });

  test("prom-client's process and runtime metrics are there, those that cannot be are not", async () => {
    const { value } = setUp();
    assert.ok(((await value("process_resident_memory_bytes")) ?? 0) > 1e6);
    assert.ok((await value("process_cpu_seconds_total")) !== undefined);
    for (const name of [
      "nodejs_active_handles_total",
      "nodejs_active_requests_total",
      "nodejs_active_resources_total",
    ]) {
      assert.equal(await value(name), undefined);
    }
  });
});
