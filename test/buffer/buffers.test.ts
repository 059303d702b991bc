import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Buffers, createBuffers } from "../../src/buffer/buffers.ts";
import { isNarrow, MAX_COLUMNS, seriesText } from "../../src/buffer/layout.ts";
import type { WindowSummary } from "../../src/buffer/windows.ts";
import type { Run } from "../../src/model/run.ts";
import type { Sample } from "../../src/model/sample.ts";
import type { Batch, ConfiguredTarget } from "../../src/model/target.ts";
import { empty, failed, ok, pluginOf, targetOf } from "../support/targets.ts";

const NOW = Date.parse("2026-03-01T12:00:00.000Z");
const MB = 1_000_000;
const plugin = pluginOf(async () => ({ samples: [] }));
const target = (id: string, every: number, jobs = ["main"]): ConfiguredTarget =>
  targetOf(plugin, { id, jobs: Object.fromEntries(jobs.map((job) => [job, { trigger: { every }, timeout: 1_000 }])) });

const outcomes = { ok: ok(), empty: empty(), failed: failed("timeout") } as const;

function batch(
  of: ConfiguredTarget,
  at: number,
  over: Partial<Batch> & { ended?: keyof typeof outcomes; ms?: number; job?: string } = {},
): Batch {
  const { ended = "ok", ms = 10, job = "main", samples = [] } = over;
  const run: Run = {
    ...{ targetId: of.id, pluginId: plugin.id, job, outcome: outcomes[ended], attempts: 1, durationMs: ms },
    ...{ startedAt: new Date(at - ms), finishedAt: new Date(at) },
  };
  return { target: of, run, samples, metrics: {}, rows: [], documents: [], rejected: [] };
}

const value = (metric: string, value: number, labels?: Record<string, string>): Sample =>
  labels ? { metric, value, labels } : { metric, value };

function bufferOf(buffers: Buffers, id: string, job = "main") {
  const view = buffers.view(id).find((each) => each.job === job);
  assert.ok(view, `${id} has no buffer of ${job}`);
  return view;
}

describe("a buffer", () => {
  it("holds an hour of runs, at least ten and at most 3,600", () => {
    const buffers = createBuffers({ maxBytes: MB, now: () => NOW });
    const capacities = [100, 1_000, 2_000, 5_000, 30_000, 3_600_000].map((every) => {
      const one = target(`every-${every}`, every);
      buffers.accept(batch(one, NOW));
      return bufferOf(buffers, one.id).capacity;
    });
    assert.deepEqual(capacities, [3_600, 3_600, 1_800, 720, 120, 10]);
  });

  it("is the last runs, in order, with what each brought: against a plain list", () => {
    // What four bytes cannot hold, what they can, and labels that come and go.
    const number = fc.oneof(
      fc.integer({ min: -1_000, max: 1_000 }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0.1, 1_772_366_400.5, 2 ** 24 + 1, Number.MAX_SAFE_INTEGER, 1e-40, -0),
    );
    const samples = fc.uniqueArray(
      fc.record({ name: fc.constantFrom("a", "b", "c"), part: fc.constantFrom(undefined, "x", 'y"z'), number }),
      { selector: ({ name, part }) => `${name} ${part}`, maxLength: 6 },
    );
    const run = fc.record({ samples, ended: fc.constantFrom("ok", "empty", "failed"), ms: fc.nat(100_000) });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 60 }), (runs) => {
        const buffers = createBuffers({ maxBytes: MB, now: () => NOW });
        const one = target("one", 3_600_000);
        const expected = runs.map(({ samples, ended, ms }, i) => {
          const brought = samples.map(({ name, part, number }) => value(name, number, part ? { part } : undefined));
          const at = NOW + i * 1_000;
          buffers.accept(batch(one, at, { samples: brought, ended: ended as "ok", ms }));
          const data = Object.fromEntries(brought.map((sample) => [seriesText(sample), sample.value]));
          return { time: new Date(at), collection_time: ms / 1_000, outcome: ended, data };
        });
        const points = buffers.points("one", "main", 100);
        assert.deepEqual(
          points.map(({ data: _, ...rest }) => rest),
          expected.slice(-10).map(({ data: _, ...rest }) => rest),
        );
        for (const [i, { data }] of points.entries()) {
          const wanted = expected.slice(-10)[i]?.data ?? {};
          assert.deepEqual(Object.keys(data).toSorted(), Object.keys(wanted).toSorted());
          for (const [series, got] of Object.entries(data)) near(got, wanted[series] as number);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("tells series apart by their labels, whatever their order", () => {
    const buffers = createBuffers({ maxBytes: MB, now: () => NOW });
    const one = target("one", 60_000);
    buffers.accept(batch(one, NOW - 2, { samples: [value("m", 1, { a: "1", b: "2" }), value("m", 2, { a: "1" })] }));
    buffers.accept(batch(one, NOW - 1, { samples: [value("m", 3, { b: "2", a: "1" })] }));
    buffers.accept(batch(one, NOW, { samples: [value("m", 4, { a: "1" }), value("m", 5)] }));
    assert.deepEqual(
      buffers.points("one", "main", 3).map(({ data }) => data),
      [{ 'm{a="1",b="2"}': 1, 'm{a="1"}': 2 }, { 'm{a="1",b="2"}': 3 }, { 'm{a="1"}': 4, m: 5 }],
    );
  });

  it("shows the newest so many, or those since a time", () => {
    const buffers = createBuffers({ maxBytes: MB, now: () => NOW });
    const one = target("one", 1_000);
    for (let i = 0; i < 100; i++) buffers.accept(batch(one, NOW + i * 1_000, { samples: [value("i", i)] }));
    const shown = (count: number, since?: number) =>
      buffers.points("one", "main", count, since).map(({ data }) => data["i"]);
    assert.deepEqual(shown(3), [97, 98, 99]);
    assert.deepEqual(shown(10, NOW + 98_000), [98, 99]);
    assert.deepEqual(shown(1, NOW + 98_000), [99]);
    assert.deepEqual(shown(10, NOW + 100_000), []);
    assert.deepEqual(buffers.points("one", "none", 3), []);
    assert.deepEqual(buffers.points("none", "main", 3), []);
  });

  it("forgets series that nothing brings any more, and has at most so many", () => {
    const buffers = createBuffers({ maxBytes: 64 * MB, now: () => NOW });
    const one = target("one", 3_600_000);
    for (let i = 0; i < 3_000; i++)
      buffers.accept(batch(one, NOW + i, { samples: [value("container", i, { id: `c${i}` })] }));
    assert.ok(
      bufferOf(buffers, "one").series <= 20,
      `${bufferOf(buffers, "one").series} series of ten runs with one each`,
    );
    const many = Array.from({ length: MAX_COLUMNS + 7 }, (_, i) => value("m", i, { i: `${i}` }));
    for (let i = 0; i < 25; i++) buffers.accept(batch(one, NOW + 4_000 + i, { samples: many }));
    const { series, leftOut } = bufferOf(buffers, "one");
    assert.deepEqual([series, leftOut], [MAX_COLUMNS, 7]);
  });

  it("counts what it has forgotten", () => {
    const buffers = createBuffers({ maxBytes: MB, now: () => NOW });
    const one = target("one", 3_600_000);
    for (let i = 0; i < 40; i++) buffers.accept(batch(one, NOW + i, { ended: i % 4 === 0 ? "failed" : "ok" }));
    const { runs, failed: failures, size } = bufferOf(buffers, "one");
    assert.deepEqual([runs, failures, size], [40, 10, 10]);
  });
});

/** Whole numbers exactly, fractions to seven digits. */
function near(got: number, wanted: number): void {
  if (!isNarrow(wanted) || Number.isInteger(wanted)) assert.equal(got + 0, wanted + 0);
  else assert.ok(Math.abs(got - wanted) <= Math.abs(wanted) * 1e-6, `${got} for ${wanted}`);
}

describe("windows", () => {
  const fed = (now: number, ...runs: [secondsAgo: number, over?: Parameters<typeof batch>[2]][]) => {
    const buffers = createBuffers({ maxBytes: MB, now: () => now });
    const one = target("one", 1_000);
    for (const [ago, over] of runs) buffers.accept(batch(one, now - ago * 1_000, over));
    return bufferOf(buffers, "one").windows;
  };

  it("are null without a run", () => {
    const windows = fed(NOW, [1_000]);
    assert.deepEqual([windows["1m"], windows["5m"], windows["15m"]], [null, null, null]);
    assert.equal(windows["60m"]?.count, 1);
  });

  it("count failed runs, so that the share of good ones is a real one", () => {
    const windows = fed(
      NOW,
      [400, { ended: "failed" }],
      [200],
      [100, { ended: "failed" }],
      [40, { ended: "empty" }],
      [0],
    );
    const rates = Object.values(windows).map((window) => [window?.count, window?.success_rate]);
    assert.deepEqual(rates, [
      [2, 1],
      [4, 0.75],
      [5, 0.6],
      [5, 0.6],
    ]);
  });

  it("have the mean and the extremes of the collection time and of every metric", () => {
    const window = fed(
      NOW,
      [30, { ms: 100, samples: [value("a", 1), value("b", 0.1, { x: "1" })] }],
      [20, { ms: 300, ended: "failed" }],
      [10, { ms: 200, samples: [value("a", 5)] }],
    )["5m"];
    assert.deepEqual(window, {
      ...{ start_time: new Date(NOW - 300_000), end_time: new Date(NOW), complete: true, count: 3 },
      ...{ avg_collection_time: 0.2, min_collection_time: 0.1, max_collection_time: 0.3, success_rate: 2 / 3 },
      data_summary: {
        a: { count: 2, mean: 3, min: 1, max: 5 },
        'b{x="1"}': { count: 1, mean: 0.1, min: 0.1, max: 0.1 },
      },
    });
  });

  it("equal what a plain list of the runs gives", () => {
    const run = fc.record({
      gap: fc.integer({ min: 0, max: 120_000 }),
      number: fc.option(fc.integer({ min: -1e6, max: 1e6 }), { nil: undefined }),
      isFailed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 100 }), (runs) => {
        let at = NOW;
        const timed = runs.map((each) => {
          at += each.gap;
          return { ...each, at };
        });
        const buffers = createBuffers({ maxBytes: MB, now: () => at });
        const one = target("one", 1_000);
        for (const { at, number, isFailed } of timed) {
          const samples = number === undefined || isFailed ? [] : [value("n", number)];
          buffers.accept(batch(one, at, { samples, ended: isFailed ? "failed" : "ok" }));
        }
        for (const [minutes, window] of Object.entries(bufferOf(buffers, "one").windows)) {
          const within = timed.filter((each) => each.at >= at - Number.parseInt(minutes, 10) * 60_000);
          const numbers = within.flatMap(({ number, isFailed }) => (isFailed || number === undefined ? [] : [number]));
          const { count, success_rate, data_summary } = window as WindowSummary;
          assert.equal(count, within.length);
          assert.ok(Math.abs(success_rate - within.filter(({ isFailed }) => !isFailed).length / count) < 1e-12);
          assert.equal(data_summary["n"]?.count ?? 0, numbers.length);
          if (numbers.length === 0) continue;
          assert.equal(data_summary["n"]?.min, Math.min(...numbers));
          assert.equal(data_summary["n"]?.max, Math.max(...numbers));
          const mean = numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
          assert.ok(Math.abs((data_summary["n"]?.mean ?? 0) - mean) <= 1e-6 * Math.max(1, Math.abs(mean)));
        }
      }),
    );
  });

  it("say when runs of theirs were overwritten", () => {
    const buffers = createBuffers({ maxBytes: MB, now: () => NOW });
    const one = target("one", 3_600_000);
    for (let i = 100; i >= 0; i--) buffers.accept(batch(one, NOW - i * 10_000));
    const { windows } = bufferOf(buffers, "one");
    assert.deepEqual(
      Object.values(windows).map((window) => [window?.count, window?.complete]),
      [
        [7, true],
        [10, false],
        [10, false],
        [10, false],
      ],
    );
  });

  it("go on over a clock that is set back", () => {
    const buffers = createBuffers({ maxBytes: MB, now: () => NOW });
    const one = target("one", 1_000);
    buffers.accept(batch(one, NOW + 5_000));
    buffers.accept(batch(one, NOW - 3_000));
    assert.equal(bufferOf(buffers, "one").windows["1m"]?.count, 2);
  });
});

describe("the memory of all buffers", () => {
  const nine = (i: number) => Array.from({ length: 9 }, (_, n) => value(`metric_${n}`, i + n));

  it("stays below its bound, and every job keeps the same share of an hour", () => {
    const maxBytes = 2 * MB;
    const buffers = createBuffers({ maxBytes, now: () => NOW });
    const all = Array.from({ length: 200 }, (_, i) => target(`kit-${i}`, i % 2 === 0 ? 5_000 : 10_000));
    for (let i = 0; i < 800; i++) {
      for (const one of all) buffers.accept(batch(one, NOW + i * 5_000, { samples: nine(i) }));
      assert.ok(buffers.memory().bytes <= maxBytes, `${buffers.memory().bytes} bytes after ${i} runs`);
    }
    const [a, b] = [bufferOf(buffers, "kit-0"), bufferOf(buffers, "kit-1")];
    assert.deepEqual([a.wanted, b.wanted, a.size, b.size], [720, 360, a.capacity, b.capacity]);
    assert.ok(a.capacity > 100 && a.capacity < 720, `${a.capacity} runs`);
    assert.ok(Math.abs(a.capacity - 2 * b.capacity) <= 2);
    assert.ok(buffers.memory().bytes > 0.8 * maxBytes, "it is made use of");
    assert.deepEqual(buffers.points("kit-0", "main", 2).at(-1)?.data["metric_8"], 807);
  });

  it("shrinks when targets come, and grows when they go", () => {
    const buffers = createBuffers({ maxBytes: MB, now: () => NOW });
    const [first, ...others] = Array.from({ length: 100 }, (_, i) => target(`kit-${i}`, 5_000));
    assert.ok(first);
    const run = (one: ConfiguredTarget, i: number) => buffers.accept(batch(one, NOW + i * 5_000, { samples: nine(i) }));
    for (let i = 0; i < 1_000; i++) run(first, i);
    assert.equal(bufferOf(buffers, "kit-0").size, 720);
    for (let i = 0; i < 300; i++) for (const one of others) run(one, i);
    assert.equal(bufferOf(buffers, "kit-0").size, 720, "its rows wait for its next run");
    buffers.trim();
    const short = bufferOf(buffers, "kit-0");
    assert.ok(short.size === short.capacity && short.size < 300, `${short.size} runs`);
    assert.equal(buffers.points("kit-0", "main", 1)[0]?.data["metric_0"], 999, "the newest ones stay");
    assert.ok(buffers.memory().bytes <= MB);
    for (const { id } of others) buffers.forget(id);
    buffers.trim();
    assert.deepEqual(buffers.view("kit-1"), []);
    for (let i = 1_000; i < 2_000; i++) run(first, i);
    assert.equal(bufferOf(buffers, "kit-0").size, 720);
    assert.ok(buffers.memory().bytes < 0.1 * MB, "and what the others took is given back");
  });

  it("suffices for one run of each job at the least", () => {
    const buffers = createBuffers({ maxBytes: 1, now: () => NOW });
    const one = target("one", 1_000);
    for (let i = 0; i < 5; i++) buffers.accept(batch(one, NOW + i, { samples: nine(i) }));
    assert.equal(bufferOf(buffers, "one").size, 1);
    assert.equal(buffers.points("one", "main", 5)[0]?.data["metric_0"], 4);
  });
});
