import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Plugin } from "../../src/model/plugin.ts";
import type { Sample } from "../../src/model/sample.ts";
import { castValue } from "../../src/process/cast.ts";
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

describe("what another process sends as JSON", () => {
  const given = (value: unknown, at?: unknown) => ({ metric: "probe_value", value, at }) as unknown as Sample;

  it("is cast where it plainly stands for a number or a time, and left out where it stands for nothing", () => {
    const sent = [given(true), given("12.5"), given(" -3e2 "), given(7n), given(null), given(undefined)];
    const { samples, rejected } = validateSamples({ probe_value: { help: "A value." } }, sent);
    assert.deepEqual(
      samples.map((sample) => sample.value),
      [1, 12.5, -300, 7],
    );
    assert.deepEqual(rejected, []);
  });

  it("is rejected where it is no number and no time", () => {
    const sent = [given("12 ms"), given(""), given([]), given({}), given(1, "soon"), given(1, new Date(Number.NaN))];
    const { samples, rejected } = validateSamples(plugin.metrics, sent);
    assert.deepEqual(samples, []);
    assert.deepEqual(
      rejected.map(({ reason, count }) => [reason, count]),
      [
        ["not_a_number", 4],
        ["bad_time", 2],
      ],
    );
  });

  it("has times in UTC", () => {
    const [sample] = validateSamples(plugin.metrics, [given(1, "2026-03-01T12:00:00+02:00")]).samples;
    assert.deepEqual(sample, { metric: "probe_value", value: 1, at: new Date("2026-03-01T10:00:00Z") });
  });

  it("never becomes a number by accident", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const cast = castValue(text);
        assert.ok(Number.isNaN(cast) || (text.trim() !== "" && cast === Number(text)));
      }),
    );
  });
});

describe("ranges", () => {
  it("reject what is no measurement, ends included in what is one", () => {
    const range = { probe_value: { help: "A share.", range: { min: 0, max: 1 } } };
    const { samples, rejected } = validateSamples(
      range,
      [-0.01, 0, 0.5, 1, 1.01].map((n) => value(n)),
    );
    assert.deepEqual(
      samples.map((sample) => sample.value),
      [0, 0.5, 1],
    );
    assert.deepEqual(rejected, [{ reason: "out_of_range", detail: "probe_value", count: 2 }]);
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

  const job = (requires: readonly string[]) =>
    ({ main: { ...plugin.jobs["main"], requires } }) as never as Plugin["jobs"];
  const rejectedIn = (own: Partial<Plugin>, samples: readonly Sample[]) =>
    toBatch(targetOf({ ...plugin, ...own }), run(ok({ samples }))).rejected;

  it("count metrics that a good run must bring and this one did not", () => {
    const jobs = job(["probe_value", "probe_events_total"]);
    assert.deepEqual(rejectedIn({ jobs }, [value(1)]), [{ reason: "missing_metric", detail: "probe_events_total" }]);
    assert.deepEqual(
      rejectedIn({ jobs }, [value(Number.NaN), { metric: "probe_events_total", value: 1 }]).map(({ reason }) => reason),
      ["not_a_number", "missing_metric"],
    );
  });

  it("hold what a plugin works out of its samples to the same declarations", () => {
    const sums = (samples: readonly Sample[]): readonly Sample[] => [
      { metric: "probe_events_total", value: samples.reduce((sum, sample) => sum + sample.value, 0) },
      { metric: "probe_invented", value: 1 },
    ];
    const given = [value(1, { part: "a" }), value(2, { part: "b" }), value(Number.NaN, { part: "c" })];
    const batch = toBatch(targetOf({ ...plugin, derive: sums }), run(ok({ samples: given })));
    assert.deepEqual(batch.samples.at(-1), { metric: "probe_events_total", value: 3 });
    assert.equal(batch.samples.length, 3);
    assert.deepEqual(
      batch.rejected.map(({ reason, detail }) => [reason, detail]),
      [
        ["not_a_number", "probe_value"],
        ["undeclared_metric", "probe_invented"],
      ],
    );
  });

  it("keep what was brought when working out more of it fails", () => {
    for (const derive of [() => null, () => Promise.reject(new Error("late")).catch(() => []), thrower] as never[]) {
      const batch = toBatch(targetOf({ ...plugin, derive }), run(ok({ samples: [value(1)] })));
      assert.deepEqual([batch.samples.length, batch.rejected.map(({ reason }) => reason)], [1, ["derive_failed"]]);
    }
  });

  it("count reasons that are no plain name as other", () => {
    const rejected = [
      { reason: "no_id", detail: "x" },
      { reason: "x\ny", detail: "x" },
      { reason: "r".repeat(65), detail: "x" },
    ];
    const batch = toBatch(target, run(ok({ rejected })));
    assert.deepEqual(
      batch.rejected.map(({ reason }) => reason),
      ["no_id", "other", "other"],
    );
  });
});

function thrower(): never {
  throw new Error("no");
}
