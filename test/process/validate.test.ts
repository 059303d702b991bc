import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Sample } from "../../src/model/sample.ts";
import { toBatch } from "../../src/process/pipeline.ts";
import { validateSamples } from "../../src/process/validate.ts";
import { failed, ok, pluginOf, targetOf } from "../support/targets.ts";

const plugin = pluginOf(async () => ({ samples: [] }));
const value = (n: number, labels?: Record<string, string>): Sample => ({
  metric: "probe_value",
  value: n,
  ...(labels ? { labels } : {}),
});

describe("validation of samples", () => {
  it("keeps what was declared and counts the rest by reason, one bad sample never costing another", () => {
    const { samples, rejected } = validateSamples(plugin.metrics, [
      value(1, { part: "a" }),
      value(Number.NaN),
      value(Number.POSITIVE_INFINITY),
      value(2, { serial: "secret" }),
      { metric: "probe_values", value: 3 },
      { metric: "__proto__", value: 3 },
      { metric: "probe_events_total", value: -1 },
      { metric: "probe_events_total", value: 0 },
    ]);
    assert.deepEqual(
      samples.map((sample) => sample.metric),
      ["probe_value", "probe_events_total"],
    );
    assert.deepEqual(
      rejected.map(({ reason, count }) => [reason, count]),
      [
        ["not_a_number", 2],
        ["undeclared_label", 1],
        ["undeclared_metric", 2],
        ["negative_counter", 1],
      ],
    );
  });

  it("caps the series of a metric as declared", () => {
    const { samples, rejected } = validateSamples(
      plugin.metrics,
      Array.from({ length: 10 }, (_, i) => value(i, { part: `p${i}` })),
    );
    assert.equal(samples.length, 3);
    assert.deepEqual(rejected, [{ reason: "too_many_series", detail: "probe_value", count: 7 }]);
  });
});

describe("batches", () => {
  const target = targetOf(plugin);
  const run = (outcome: Parameters<typeof toBatch>[1]["outcome"]) => ({
    targetId: "t1",
    pluginId: "probe",
    job: "main",
    startedAt: new Date(),
    finishedAt: new Date(),
    durationMs: 1,
    attempts: 1,
    outcome,
  });

  it("carry what passed, and the plugin's rejections beside those of validation", () => {
    const batch = toBatch(
      target,
      run(ok({ samples: [value(1), value(Number.NaN)], rejected: [{ reason: "no_id", detail: "entry 3" }] })),
    );
    assert.equal(batch.samples.length, 1);
    assert.deepEqual(
      batch.rejected.map((rejection) => rejection.reason),
      ["no_id", "not_a_number"],
    );
  });

  it("take further metrics from a harvest where the plugin says that it has such, and nowhere else", () => {
    const metrics = {
      solar_watts: { help: "Power.", unit: "watts", labels: ["inverter"], ownName: true },
      probe_value: { help: "Not for a harvest to change.", labels: ["serial"] },
      yield_total: { help: "Yield.", type: "counter" },
    } as const;
    const bad = {
      yield: { help: "x", type: "counter" },
      "no name": { help: "x" },
      helpless: {},
      odd: { help: "x", type: "histogram" },
      theirs: { help: "x", labels: ["target"] },
      unitless: { help: "x", unit: "furlongs" },
      capless: { help: "x", maxSeries: 0 },
      nothing: null,
    };
    const samples = [
      { metric: "solar_watts", value: 1, labels: { inverter: "a" } },
      { metric: "yield_total", value: -1 },
      value(1, { serial: "x" }),
      ...Object.keys(bad).map((metric) => ({ metric, value: 1 })),
    ];
    const harvest = { samples, metrics: { ...metrics, ...bad } as unknown as typeof metrics };
    const open = toBatch(targetOf({ ...plugin, furtherMetrics: "As the source has them." }), run(ok(harvest)));
    assert.deepEqual(open.samples, samples.slice(0, 1));
    assert.deepEqual(open.metrics["solar_watts"], metrics.solar_watts);
    assert.deepEqual(
      open.rejected.map(({ reason, count }) => [reason, count]),
      [
        ["bad_metric", 8],
        ["negative_counter", 1],
        ["undeclared_label", 1],
        ["undeclared_metric", 8],
      ],
    );
    assert.deepEqual(toBatch(target, run(ok(harvest))).samples, []);
  });

  it("of a failed run are empty but tell of the run", () => {
    const batch = toBatch(target, run(failed("timeout")));
    assert.deepEqual([batch.samples, batch.rows, batch.rejected], [[], [], []]);
    assert.equal(batch.run.outcome.status, "failed");
  });
});
