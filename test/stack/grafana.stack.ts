// What the stack's tests take for Grafana's behaviour, by examples out of Grafana's own documentation and tests.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Panel } from "../../src/artefacts/dashboards/schema.ts";
import type { Frame } from "./grafana/frames.ts";
import { expandSql } from "./grafana/postgres.ts";
import { expand, legendOf } from "./grafana/prometheus.ts";
import { durationText, intervalOf, rateIntervalOf } from "./grafana/range.ts";
import { transform } from "./grafana/transform.ts";
import { inPromql, inSql, interpolate } from "./grafana/variables.ts";
import { compressed } from "./support/compress.ts";

const FROM = Date.parse("2026-01-02T03:00:00Z");
const HOUR = 3_600_000;
const view = { from: FROM, to: FROM + 6 * HOUR, scrape: 15_000 };
const none = new Map<string, string>();

describe("SQL as Grafana's PostgreSQL plugin sends it", () => {
  const sql = (text: string, timescaledb = false) => expandSql(text, none, view, 60_000, timescaledb);
  const CASES: readonly (readonly [string, string])[] = [
    ["$__timeFilter(time)", "time BETWEEN '2026-01-02T03:00:00.000Z' AND '2026-01-02T09:00:00.000Z'"],
    ["$__timeFrom()", "'2026-01-02T03:00:00.000Z'"],
    ["$__timeGroup(time, '5m')", "floor(extract(epoch from time)/300)*300"],
    ["$__timeGroup(time,$__interval), x", `floor(extract(epoch from time)/60)*60 AS "time", x`],
    ["$__timeGroupAlias(time,'1h')", `floor(extract(epoch from time)/3600)*3600 AS "time"`],
    ["$__unixEpochFilter(at)", `at >= ${FROM / 1_000} AND at <= ${(FROM + 6 * HOUR) / 1_000}`],
    ["$__interval_ms * 2", "60000 * 2"],
    ["$__unixEpochFrom()", String(FROM / 1_000)],
  ];
  for (const [text, expected] of CASES) it(text, () => assert.equal(sql(text), expected));

  it("groups with time_bucket on TimescaleDB", () => {
    assert.equal(sql("$__timeGroup(time,'5m')", true), "time_bucket('300.000s',time)");
  });

  it("refuses a macro that Grafana refuses", () => {
    assert.throws(() => sql("$__timeGroups(time,'5m')"), /unknown macro "__timeGroups"/);
  });
});

describe("variables", () => {
  const chosen = new Map<string, string | string[]>([
    ["one", "it's"],
    ["many", ["a.b", "c"]],
    ["all", ".+"],
  ]);
  it("go into SQL as texts in quotes", () => {
    const text = `x in (\${many:sqlstring}) and y = \${one:sqlstring} and z = '$one'`;
    assert.equal(interpolate(text, chosen, inSql), "x in ('a.b','c') and y = 'it''s' and z = 'it''s'");
  });
  it("go into PromQL as regular expressions where they are several", () => {
    assert.equal(interpolate('{a=~"$many",b=~"[[all]]"}', chosen, inPromql), '{a=~"(a\\\\.b|c)",b=~".+"}');
  });
  it("leave what is none of them", () => {
    assert.equal(interpolate(`$1 $other \${__field.labels.kit}`, chosen, inPromql), `$1 $other \${__field.labels.kit}`);
  });
});

describe("intervals", () => {
  it("are the range by the points, rounded, and not finer than the data", () => {
    assert.deepEqual(
      [1_920, 400, 100, 10].map((points) => durationText(intervalOf(view, points))),
      ["15s", "1m", "5m", "30m"],
    );
  });
  it("of rates hold four scrapes", () => {
    assert.deepEqual(
      [15_000, 60_000].map((interval) => rateIntervalOf(view, interval)),
      [60_000, 75_000],
    );
    assert.equal(expand("rate(x[$__rate_interval])[$__range]", none, view, 15_000), "rate(x[1m])[21600s]");
  });
});

it("a legend is filled from the labels, and is all of them when there is none", () => {
  const metric = { __name__: "up", job: "a", kit: "b" };
  assert.equal(legendOf("{{kit}} of {{ job }}", metric), "b of a");
  assert.equal(legendOf("", metric), 'up{job="a", kit="b"}');
});

it("tables are joined by a field, organised, and say which names found nothing", () => {
  const table = (refId: string, kits: readonly string[], values: readonly number[]): Frame => ({
    refId,
    fields: [
      { name: "kit", type: "string", labels: {}, values: kits },
      { name: `Value #${refId}`, type: "number", labels: {}, values },
    ],
  });
  const transformations = [
    { id: "joinByField", options: { byField: "kit", mode: "outer" } },
    {
      id: "organize",
      options: { renameByName: { "Value #A": "State", gone: "Gone" }, indexByName: { "Value #B": 0 } },
    },
  ];
  const panel = { transformations } as unknown as Panel;
  const { frames, missing } = transform(panel, [table("A", ["x", "y"], [1, 2]), table("B", ["y", "z"], [3, 4])]);
  assert.deepEqual(
    frames[0]?.fields.map(({ name, values }) => [name, values]),
    [
      ["Value #B", [null, 3, 4]],
      ["kit", ["x", "y", "z"]],
      ["State", [1, 2, null]],
    ],
  );
  assert.deepEqual(missing, ["organize: gone"]);
});

it("rules are sixty times faster, conditions the same", () => {
  const rules = [{ expr: "increase(x[1h30m] offset 5m) > 60", for: "10m", keep_firing_for: "2m" }];
  assert.deepEqual(compressed({ groups: [{ name: "a", interval: "1m", rules }] }).groups[0]?.rules[0], {
    ...{ expr: "increase(x[90000ms] offset 5000ms) > 60", for: "10000ms", keep_firing_for: "2000ms" },
  });
});
