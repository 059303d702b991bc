import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { clashes, readDeclaration, soundDeclaration } from "../../src/agents/declaration.ts";
import { readHealth } from "../../src/agents/health.ts";
import { isKey, isKeyOf, newKey } from "../../src/agents/keys.ts";
import { createSeriesCap, latestSamples } from "../../src/agents/latest.ts";
import { readReport } from "../../src/agents/report.ts";
import { configProblems, readRenewal, readWanted } from "../../src/agents/settings.ts";
import { agentTarget } from "../../src/agents/target.ts";
import type { Agent } from "../../src/model/agent.ts";
import { METRICS_OF_ALL } from "./support.ts";

const NOW = new Date("2026-03-01T12:00:00.000Z");
const METRICS = { power_watts: { help: "Power.", unit: "watts" } };
const problemsOf = (given: unknown): readonly string[] => {
  const read = readDeclaration(given);
  return "problems" in read ? read.problems : [];
};

describe("keys", () => {
  it("are random, have a form of their own, and are known by their hash", () => {
    const { key, sha256 } = newKey();
    assert.ok(isKey(key) && key.length === 47);
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.ok(isKeyOf(key, sha256));
    assert.notEqual(newKey().key, key);
  });

  it("are told from everything else, whatever somebody sends or the database holds", () => {
    const { key, sha256 } = newKey();
    const anything = fc.oneof(fc.string({ maxLength: 100 }), fc.constantFrom("", key.slice(0, -1), `${key} `));
    fc.assert(fc.property(anything, (text) => text === key || !isKeyOf(text, sha256)));
    fc.assert(fc.property(fc.option(fc.string(), { nil: undefined }), (stored) => !isKeyOf(key, stored)));
    assert.ok(!isKeyOf(key, "0".repeat(64)));
  });
});

describe("what an agent declares", () => {
  it("is taken under names that are its own, with caps where labels come from outside", () => {
    const read = readDeclaration({
      ...{ version: "1.2.0", interval: "30s" },
      metrics: {
        power_watts: { help: "Power.", unit: "watts", range: { min: 0 } },
        string_volts: { help: "Voltage.", unit: "volts", labels: ["string"] },
        energy_joules_total: { help: "Energy.", type: "counter", unit: "joules" },
      },
    });
    assert.deepEqual(read, {
      declaration: {
        ...{ version: "1.2.0", interval: 30_000 },
        metrics: {
          agent_power_watts: { help: "Power.", unit: "watts", range: { min: 0 } },
          agent_string_volts: { help: "Voltage.", unit: "volts", labels: ["string"], maxSeries: 100 },
          agent_energy_joules_total: { help: "Energy.", type: "counter", unit: "joules" },
        },
      },
    });
  });

  it("cannot get among the series of gleaner's own", () => {
    assert.deepEqual(
      METRICS_OF_ALL.filter((name) => name.startsWith("gleaner_agent_") || name.startsWith("agent_")),
      [],
    );
  });

  const refusals: readonly (readonly [string, unknown, RegExp])[] = [
    ["nothing", undefined, /^the body: /],
    ["a list", [], /^the body: /],
    ["no metrics", { interval: 5, metrics: {} }, /at least one metric/],
    ["no interval", { metrics: METRICS }, /^interval: /],
    [
      "an interval that no agent keeps",
      { interval: "10ms", metrics: METRICS },
      /^interval: expected a duration from 1s/,
    ],
    ["an interval of words", { interval: "often", metrics: METRICS }, /^interval: expected a duration/],
    [
      "a unit that is none of the base units",
      { interval: 5, metrics: { wait_ms: { help: "A wait." } } },
      /abbreviated units/,
    ],
    ["a counter without _total", { interval: 5, metrics: { events: { help: "Events.", type: "counter" } } }, /_total/],
    [
      "a reserved label",
      { interval: 5, metrics: { load: { help: "Load.", labels: ["target"] } } },
      /reserved label target/,
    ],
    ["alerts of its own", { interval: 5, metrics: { load: { help: "Load.", alert: [] } } }, /Unrecognized key/],
    ["a name of its own", { interval: 5, metrics: { load: { help: "Load.", ownName: true } } }, /Unrecognized key/],
    ["no help", { interval: 5, metrics: { load: { help: "" } } }, /help/],
    [
      "a gauge beside a counter of its name",
      {
        interval: 5,
        metrics: { runs: { help: "Runs." }, runs_total: { help: "Runs.", type: "counter" } },
      },
      /agent_runs and agent_runs_total cannot be there both/,
    ],
    [
      "too many metrics",
      {
        interval: 5,
        metrics: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`load_n${i}`, { help: "Load." }])),
      },
      /at most 200 metrics/,
    ],
  ];
  for (const [what, given, expected] of refusals)
    it(`is refused with a sentence: ${what}`, () => assert.match(problemsOf(given).join("\n"), expected));

  it("is refused or sound, whatever it is", () => {
    const spec = fc.record(
      {
        help: fc.oneof(fc.string(), fc.constant("Load.")),
        type: fc.constantFrom("gauge", "counter", "summary"),
        unit: fc.constantFrom("watts", "seconds", "parsecs"),
        labels: fc.array(fc.constantFrom("mode", "a", "__proto__", "target", "Ö"), { maxLength: 3 }),
        maxSeries: fc.constantFrom(1, 0, -1, 1e9),
        range: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const key = fc.oneof(
      fc.string(),
      fc.constantFrom("__proto__", "constructor", "power_watts", "x_total", "toString"),
    );
    const metrics = fc.oneof(fc.dictionary(key, spec), fc.anything());
    fc.assert(
      fc.property(fc.record({ interval: fc.oneof(fc.anything(), fc.constant("5s")), metrics }), (given) => {
        const read = readDeclaration(JSON.parse(JSON.stringify(given)));
        if ("problems" in read) return read.problems.length > 0 && read.problems.length <= 20;
        return Object.keys(read.declaration.metrics).every((name) => /^agent_[a-z0-9_]+$/.test(name));
      }),
    );
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  it("comes back from the database as it was, and not at all when somebody broke it there", () => {
    const read = readDeclaration({ interval: "5s", metrics: METRICS });
    assert.ok("declaration" in read);
    assert.deepEqual(soundDeclaration(JSON.parse(JSON.stringify(read.declaration))), read.declaration);
    for (const broken of [
      null,
      7,
      {},
      { version: "1", interval: 0, metrics: {} },
      { version: "1", interval: 5_000, metrics: { x: 1 } },
    ])
      assert.equal(soundDeclaration(broken), null);
    fc.assert(fc.property(fc.anything(), (given) => void soundDeclaration(given)));
  });

  it("clashes with what another agent declared, in either direction", () => {
    assert.deepEqual(clashes(["agent_runs"], ["agent_runs_total", "agent_x"]), [
      "agent_runs and agent_runs_total cannot be there both",
    ]);
    assert.deepEqual(clashes(["agent_runs_total"], ["agent_runs_created"]), [
      "agent_runs_created and agent_runs_total cannot be there both",
    ]);
    assert.deepEqual(clashes(["agent_runs_total"], ["agent_runs_total"]), []);
  });
});

describe("a report", () => {
  const at = "2026-03-01T11:59:58Z";
  it("is read: samples with labels and times of their own, documents, how long it took", () => {
    const body = {
      ...{ at, duration_seconds: 0.25 },
      samples: [
        { metric: "power_watts", value: 12.5 },
        { metric: "string_volts", value: "48", labels: { string: "a" }, at: 1_772_366_390 },
        { metric: "power_watts", value: null },
      ],
      documents: [{ name: "inverter", body: { model: "x" } }],
    };
    assert.deepEqual(readReport(body, NOW), {
      at: new Date(at),
      durationMs: 250,
      collected: {
        samples: [
          { metric: "agent_power_watts", value: 12.5 },
          { metric: "agent_string_volts", value: "48", labels: { string: "a" }, at: new Date(1_772_366_390_000) },
          { metric: "agent_power_watts", value: null },
        ],
        documents: [{ name: "inverter", body: { model: "x" } }],
        rejected: [],
      },
    });
  });

  const samples = [{ metric: "power_watts", value: 1 }];
  const refusals: readonly (readonly [string, unknown, RegExp])[] = [
    ["nothing", null, /^expected \{"at"/],
    ["no time", { samples }, /^expected at: /],
    ["a time to come", { at: "2026-03-01T12:06:00Z", samples }, /ahead/],
    ["a clock that stands in 1970", { at: 12, samples }, /behind/],
    ["nothing in it", { at }, /at least one/],
    ["a field nobody knows", { at, samples, rows: [] }, /no other fields/],
    ["samples that are no list", { at, samples: {} }, /lists/],
    ["a duration that is none", { at, samples, duration_seconds: -1 }, /duration_seconds/],
  ];
  for (const [what, given, expected] of refusals)
    it(`is refused with a sentence: ${what}`, () => {
      const read = readReport(given, NOW);
      assert.ok(typeof read === "string");
      assert.match(read, expected);
    });

  it("is kept where a part of it is bad, which is counted by reason", () => {
    const bad = [
      7,
      null,
      { metric: { toString: 1 }, value: 1 },
      { metric: "x", value: {} },
      { metric: "x", value: 1, labels: "abc" },
      { metric: "x", value: 1, labels: { a: 1 } },
      { metric: "x", value: 1, labels: { a: "y".repeat(501) } },
      { metric: "x", value: 1, at: "soon" },
      { metric: "x", value: 1, at: "2027-01-01T00:00:00Z" },
      { metric: "x", value: 1, at: 0 },
    ];
    const documents = [{ name: "../etc", body: {} }, { name: "ok" }];
    const read = readReport({ at, samples: [...bad, ...samples], documents }, NOW);
    assert.ok(typeof read !== "string");
    assert.equal(read.collected.samples.length, 1);
    assert.deepEqual(Object.fromEntries((read.collected.rejected ?? []).map(({ reason, count }) => [reason, count])), {
      ...{ bad_sample: 4, bad_label: 3, bad_time: 1, future_time: 1, past_time: 1, bad_document: 2 },
    });
    const many = readReport({ at, samples: Array.from({ length: 5_007 }, () => samples[0]) }, NOW);
    assert.ok(typeof many !== "string");
    assert.equal(many.collected.samples.length, 5_000);
    assert.deepEqual(many.collected.rejected, [{ reason: "too_many_samples", detail: "as reported", count: 7 }]);
  });

  it("is read or refused, whatever it is", () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    const hostile = fc.constantFrom("__proto__", "constructor", "toString", "\0", "\ud800", "1e999");
    const sample = fc.record(
      { metric: fc.oneof(json, hostile), value: json, labels: fc.oneof(json, fc.dictionary(hostile, json)), at: json },
      { requiredKeys: [] },
    );
    const body = fc.record(
      {
        at: fc.oneof(json, fc.constant(at)),
        samples: fc.array(fc.oneof(sample, json)),
        documents: fc.oneof(fc.array(json), json),
      },
      { requiredKeys: ["at"] },
    );
    fc.assert(
      fc.property(fc.oneof(body, json), (given) => {
        const read = readReport(given, NOW);
        if (typeof read === "string") return read.length > 0;
        return read.collected.samples.every(
          ({ metric, labels = {} }) =>
            metric.startsWith("agent_") && Object.values(labels).every((value) => typeof value === "string"),
        );
      }),
    );
  });
});

describe("what an agent says of its health", () => {
  const at = "2026-03-01T11:59:58Z";
  it("is a run that went well, or one that failed with what it says", () => {
    assert.deepEqual(readHealth({ at, status: "healthy" }, NOW), {
      at: new Date(at),
      outcome: { status: "ok", collected: { samples: [] } },
    });
    const failing = readHealth({ at, status: "failing", message: "no inverter", kind: "timeout" }, NOW);
    assert.ok(typeof failing !== "string" && failing.outcome.status === "failed");
    assert.deepEqual([failing.outcome.error.kind, failing.outcome.error.message], ["timeout", "no inverter"]);
  });

  it("is refused with a sentence when it says nothing", () => {
    for (const bad of [
      null,
      7,
      {},
      { at, status: "fine" },
      { at, status: "healthy", mood: 1 },
      { status: "healthy" },
      { at, status: "failing", kind: "bad luck" },
    ])
      assert.equal(typeof readHealth(bad, NOW), "string", JSON.stringify(bad));
    fc.assert(fc.property(fc.jsonValue(), (given) => typeof readHealth(given, NOW) === "string"));
  });
});

describe("what is shown of a report", () => {
  it("is the last value of each series, in whatever order labels and times come", () => {
    const old = new Date(NOW.getTime() - 5_000);
    const samples = [
      { metric: "a", value: 1, labels: { x: "1", y: "2" }, at: old },
      { metric: "a", value: 2, labels: { y: "2", x: "1" } },
      { metric: "a", value: 3, labels: { y: "2", x: "1" }, at: old },
      { metric: "b", value: 4 },
    ];
    assert.deepEqual(
      latestSamples(samples, NOW).map(({ value }) => value),
      [2, 4],
    );
  });

  it("has a bounded number of series within a day; those that are known stay", () => {
    let clock = 0;
    const cap = createSeriesCap(() => clock, 3);
    const of = (...names: string[]) => names.map((x) => ({ metric: "a", value: 1, labels: { x } }));
    assert.equal(cap.admit(of("1", "2", "3", "4")).length, 3);
    assert.equal(cap.admit(of("1", "5")).length, 1);
    clock += 24 * 3_600_000;
    assert.equal(cap.admit(of("1")).length, 1);
    clock += 1;
    assert.deepEqual(
      cap.admit(of("5", "1", "6", "7")).map(({ labels }) => labels?.["x"]),
      ["5", "1", "6"],
    );
  });
});

describe("what an owner wants", () => {
  const taken = new Set(["system_info"]);
  it("is read, with what is usual where it says nothing", () => {
    assert.deepEqual(readWanted({ id: "roof" }, taken), {
      ...{ id: "roof", plugin: "agent", name: "roof", lifetime: 90 * 86_400_000 },
    });
    assert.deepEqual(readWanted({ id: "roof", plugin: "solar-roof", name: "Roof", expires: "1h" }, taken), {
      ...{ id: "roof", plugin: "solar_roof", name: "Roof", lifetime: 3_600_000 },
    });
    assert.deepEqual(readRenewal({}), { lifetime: 90 * 86_400_000 });
  });

  it("is refused with a sentence: ids, kinds and times that are none", () => {
    for (const bad of [
      {},
      { id: "a b" },
      { id: "../x" },
      { id: "a", plugin: "Ö" },
      { id: "a", expires: "never" },
      { id: "a", expires: 0 },
      { id: "a", scopes: ["admin"] },
      null,
    ])
      assert.ok("problems" in readWanted(bad, taken), JSON.stringify(bad));
    const own = readWanted({ id: "a", plugin: "system-info" }, taken);
    assert.deepEqual(own, {
      problems: ["plugin: system_info is one of gleaner's own; name the agent's kind otherwise"],
    });
    assert.equal(configProblems({ a: 1 }).length, 0);
    for (const bad of [null, [], "x", { a: "x".repeat(102_400) }]) assert.equal(configProblems(bad).length, 1);
  });
});

it("an agent is a target whose jobs nothing here starts", () => {
  const agent: Agent = {
    ...{
      id: "roof",
      plugin: "solar",
      name: "Roof",
      createdAt: NOW,
      expiresAt: NOW,
      revokedAt: null,
      registeredAt: NOW,
    },
    ...{ declared: { version: "1.0.0", interval: 5_000, metrics: {} }, config: {} },
  };
  const target = agentTarget(agent, "lab");
  assert.deepEqual(target.jobs, {
    report: { trigger: { reported: 5_000 }, timeout: 5_000 },
    health: { trigger: { reported: 5_000 }, timeout: 5_000 },
  });
  assert.deepEqual([target.plugin.id, target.tags, target.pause.staleAfter], ["solar", { env: "lab" }, 15_000]);
});
