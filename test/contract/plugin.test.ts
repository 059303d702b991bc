// What every file in src/plugins must be, whatever it collects. A new plugin gets these tests for nothing.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { parseDuration } from "../../src/model/duration.ts";
import { CATEGORIES, canonicalPluginId, type HttpClient, type Plugin } from "../../src/model/plugin.ts";
import { type MetricSpec, UNITS } from "../../src/model/sample.ts";
import { configOf, findCases } from "../support/cases.ts";
import { contextOf, loadPlugins, undeclared } from "../support/plugins.ts";
import { type LintedMetric, promlint } from "../support/promlint.ts";

/** Labels that the exposition adds, that Prometheus gives a meaning, or that targets carry and would collide with. */
const RESERVED_LABELS = new Set("target kit job instance le quantile type region zone cluster env service".split(" "));
/** Labels whose values the plugin's code lists; any other takes values from outside, and needs a cap of series. */
const CLOSED_LABELS = new Set("mode state resource kind reason result flag".split(" "));

const SENTENCE = /^[A-Z0-9].*\S$/s;
const SNAKE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

const plugins = await loadPlugins();
const cases = await findCases();

const metricsOf = (plugin: Plugin): readonly [string, MetricSpec][] => Object.entries(plugin.metrics);
const linted = ([key, { help, type = "gauge", labels = [] }]: [string, MetricSpec]): LintedMetric => ({
  name: `gleaner_${key}`,
  help,
  type,
  labels,
});

/** What is wrong with one metric's declaration; empty when all is right. */
function metricFaults([key, spec]: [string, MetricSpec]): readonly string[] {
  const base = key.replace(/_total$/, "");
  const named = UNITS.find((unit) => base === unit || base.endsWith(`_${unit}`));
  const open = (spec.labels ?? []).filter((label) => !CLOSED_LABELS.has(label));
  const faults: [boolean, string][] = [
    [!SNAKE.test(key), "is not snake_case"],
    [!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(`gleaner_${key}`), "is no classic metric name"],
    [key.startsWith("gleaner_"), "carries the prefix, which the exposition adds"],
    [!SENTENCE.test(spec.help), "has a help that does not read as text"],
    [spec.unit !== named, `declares the unit ${spec.unit}, its name says ${named}`],
    [open.length > 0 && spec.maxSeries === undefined, `takes ${open.join()} from outside, and has no maxSeries`],
    [spec.maxSeries !== undefined && !(spec.maxSeries > 0), "has a cap that lets nothing through"],
    [new Set(spec.labels).size !== (spec.labels ?? []).length, "has a label twice"],
    ...(spec.labels ?? []).flatMap((label): [boolean, string][] => [
      [!SNAKE.test(label), `has the label ${label}, which is not snake_case`],
      [RESERVED_LABELS.has(label), `has the reserved label ${label}`],
    ]),
    ...promlint(linted([key, spec])).map((complaint): [boolean, string] => [true, `fails the linter: ${complaint}`]),
  ];
  return faults.filter(([wrong]) => wrong).map(([, fault]) => `${key} ${fault}`);
}

/** Paths of configuration fields without a description, found in the schema that the reference is generated from. */
function undescribed(schema: unknown, path = "config"): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap((part) => undescribed(part, path));
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key !== "properties") return key === "default" || key === "examples" ? [] : undescribed(value, path);
    return Object.entries(value as Record<string, { description?: string }>).flatMap(([name, field]) => [
      ...(field.description?.trim() ? [] : [`${path}.${name}`]),
      ...undescribed(field, `${path}.${name}`),
    ]);
  });
}

const MEGABYTE = "x".repeat(1_000_000);
/** Whole configurations that are none. */
const HOSTILE: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["undefined", undefined],
  ["a list", []],
  ["a list of objects", [{}]],
  ["a number", 42],
  ["NaN", Number.NaN],
  ["text", "config"],
  ["a megabyte of text", MEGABYTE],
  ["true", true],
  ["a function", () => undefined],
  ["an unknown key", { no_such_field: 1 }],
];
/** Objects of odd descent or with keys that JavaScript gives a meaning: refused, or as good as an empty configuration. */
const ODD: readonly (readonly [string, unknown])[] = [
  ["a date", new Date(0)],
  ["__proto__", JSON.parse('{"__proto__": {"polluted": true}}')],
  ["constructor", JSON.parse('{"constructor": {"prototype": {"polluted": true}}}')],
];
const HOSTILE_VALUES = [null, [], [[]], {}, -1, Number.NaN, 1e308, MEGABYTE, [MEGABYTE], "", "\0", "(", true];

/** The schema of the configuration as users write it. */
const inputSchema = (plugin: Plugin) => z.toJSONSchema(plugin.config, { io: "input", unrepresentable: "any" });

/** A configuration the plugin accepts: none at all, that of one of its cases, or its required fields with their example or an address. */
async function acceptedConfig(plugin: Plugin): Promise<unknown> {
  const address = "http://127.0.0.1:9";
  const { required: fields = [], properties = {} } = inputSchema(plugin);
  const exampleOf = (field: string) => (properties[field] as { readonly example?: unknown }).example;
  const required = Object.fromEntries(fields.map((field) => [field, exampleOf(field) ?? address]));
  const ofCases = cases.filter((one) => one.plugin === plugin.id).map((one) => configOf(one, address));
  const candidates: unknown[] = [{}, ...(await Promise.all(ofCases)), required];
  const accepted = candidates.map((candidate) => plugin.config.safeParse(candidate)).find(({ success }) => success);
  assert.ok(accepted, `${plugin.id} accepts no empty configuration, so it needs a folder under its cases`);
  return accepted.data;
}

/** Servers that never answer: only a caller that passes the run's signal on comes back. */
const silentHttp: HttpClient = {
  get: (_url, { signal }) =>
    new Promise((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
};

/** Kinds that the test runner opens by itself, or that are about to close. */
const PASSING = /^(PipeWrap|TTYWrap|FSReqPromise|FSReqCallback|CloseReq|Immediate)$/;

/** Runs something, and says which kinds of handle are more afterwards than before. */
async function leftOpen(run: () => Promise<void>): Promise<readonly string[]> {
  const open = () => process.getActiveResourcesInfo().filter((kind) => !PASSING.test(kind));
  const before = open();
  await run();
  await new Promise(setImmediate);
  const count = (kinds: readonly string[], kind: string) => kinds.filter((one) => one === kind).length;
  const after = open();
  return [...new Set(after)].filter((kind) => count(after, kind) > count(before, kind));
}

test("there are plugins", () => assert.ok(plugins.length > 0));

for (const { name, plugin } of plugins) {
  test(`${name}: says what it is`, () => {
    assert.equal(plugin.id, name, "the id is the file's name");
    assert.match(plugin.id, SNAKE);
    assert.equal(canonicalPluginId(plugin.id.replaceAll("_", "-")), plugin.id);
    assert.match(plugin.title, /^\S.{0,60}$/);
    assert.match(plugin.summary, SENTENCE);
    if (plugin.furtherMetrics !== undefined) assert.match(plugin.furtherMetrics, SENTENCE);
    assert.match(plugin.version, /^\d+\.\d+\.\d+$/);
    assert.ok(CATEGORIES.includes(plugin.category));
    if (plugin.enabledByDefault) assert.ok(plugin.config.safeParse({}).success, "it runs with no configuration");
  });

  test(`${name}: describes every field of its configuration`, () => {
    const schema = inputSchema(plugin);
    assert.equal(schema.type, "object");
    assert.deepEqual(undescribed(schema), []);
  });

  test(`${name}: declares metrics that Prometheus takes`, () => {
    assert.ok(metricsOf(plugin).length > 0);
    assert.deepEqual(metricsOf(plugin).flatMap(metricFaults), []);
    const periods = new Set(metricsOf(plugin).map(([, { help }]) => help.endsWith(".")));
    assert.equal(periods.size, 1, "all helps end with a period, or none does");
  });

  test(`${name}: declares alerts that can be provisioned`, () => {
    const alerts = metricsOf(plugin).flatMap(([, spec]) => spec.alert ?? []);
    assert.equal(new Set(alerts.map((alert) => alert.name)).size, alerts.length, "names are unique");
    for (const alert of alerts) {
      assert.match(alert.name, SNAKE);
      assert.ok(Number.isFinite(alert.threshold) && parseDuration(alert.for) >= 0, alert.name);
      assert.match(alert.summary, /^[A-Z0-9{].*\S$/s, alert.name);
    }
  });

  test(`${name}: has jobs with an interval`, () => {
    assert.ok(Object.keys(plugin.jobs).length > 0);
    for (const [job, { every, timeout = 1, summary }] of Object.entries(plugin.jobs)) {
      assert.match(job, SNAKE);
      assert.match(summary, SENTENCE);
      assert.ok(Number.isFinite(every) && every > 0 && timeout > 0, job);
    }
  });

  for (const [what, hostile] of HOSTILE) {
    test(`${name}: refuses ${what} as its configuration`, () => {
      const { error } = plugin.config.safeParse(hostile);
      assert.ok(error, "it must be refused");
      assert.ok(error.issues.every(({ message }) => message.length > 0 && message.length < 10_000));
    });
  }

  for (const [what, odd] of ODD) {
    test(`${name}: takes no harm from ${what} in its configuration`, () => {
      const parsed = plugin.config.safeParse(odd);
      if (parsed.success) assert.deepEqual(parsed.data, plugin.config.parse({}));
      assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    });
  }

  test(`${name}: refuses without throwing, or accepts, any value in any field`, async () => {
    const accepted = await acceptedConfig(plugin);
    for (const field of Object.keys(inputSchema(plugin).properties ?? {})) {
      for (const value of HOSTILE_VALUES)
        assert.doesNotThrow(() => plugin.config.safeParse({ ...(accepted as object), [field]: value }), field);
      assert.ok(plugin.config.safeParse({ ...(accepted as object), [field]: () => undefined }).error, field);
    }
  });

  test(`${name}: a run that is over before it starts rejects at once and leaves nothing open`, async () => {
    const config = await acceptedConfig(plugin);
    const left = await leftOpen(async () => {
      for (const [job, { collect }] of Object.entries(plugin.jobs)) {
        const context = contextOf({ signal: AbortSignal.abort(new Error("over")), http: silentHttp });
        const run = (async () => collect({ id: "contract", config, tags: {} }, context))();
        const verdict = run.then(
          () => "resolved",
          () => "rejected",
        );
        // Not referenced: the timer of a run that rejects must not count as left open.
        assert.equal(await Promise.race([verdict, delay(100, "late", { ref: false })]), "rejected", job);
      }
    });
    assert.deepEqual(left, []);
  });

  // The others need something to collect from: their case folders hold them to the same.
  if (!plugin.enabledByDefault) continue;
  test(`${name}: emits nothing it has not declared`, async () => {
    const config = plugin.config.parse({});
    const left = await leftOpen(async () => {
      for (const { collect } of Object.values(plugin.jobs)) {
        const collected = await collect({ id: "contract", config, tags: {} }, contextOf());
        assert.ok(collected.samples.length > 0);
        assert.deepEqual(undeclared(plugin, collected), []);
      }
    });
    assert.deepEqual(left, []);
  });
}

test("no two plugins declare the same metric", () => {
  const owners = plugins.flatMap(({ name, plugin }) => metricsOf(plugin).map(([key]) => ({ key, name })));
  const twice = owners.filter(({ key }, i) => owners.findIndex((other) => other.key === key) !== i);
  assert.deepEqual(twice, []);
});

test("promtool finds no fault with all declared metrics, where it is installed", (t) => {
  const families = plugins.flatMap(({ plugin }) => metricsOf(plugin).map(linted));
  const input = families.map(({ name, help, type, labels }) => {
    const set = labels.map((label) => `${label}="x"`).join(",");
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${set ? `{${set}}` : ""} 1\n`;
  });
  const { status, stderr, error } = spawnSync("promtool", ["check", "metrics"], {
    input: input.join(""),
    encoding: "utf8",
  });
  if (error) return t.skip("promtool is not installed");
  assert.equal(stderr, "");
  assert.equal(status, 0);
});
