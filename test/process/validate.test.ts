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
    const { samples, rejected } = validateSamples(plugin, [
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
      plugin,
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

  it("of a failed run are empty but tell of the run", () => {
    const batch = toBatch(target, run(failed("timeout")));
    assert.deepEqual([batch.samples, batch.rows, batch.rejected], [[], [], []]);
    assert.equal(batch.run.outcome.status, "failed");
  });
});
