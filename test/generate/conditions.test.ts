// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts that are refused look like these.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { readAlertFile, readAlertRows } from "../../src/config/alerts.ts";
import { customAlerts } from "../../src/generate/alerts/conditions.ts";
import { customOutputs } from "../../src/generate/alerts/custom-outputs.ts";
import type { AlertRecord } from "../../src/model/alert.ts";
import { plugins } from "../../src/plugins/registry.gen.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram, withoutProgram } from "../support/program.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const make = (yaml: string) => customAlerts([readAlertFile(yaml, "alerts.yaml")], plugins, ["kit_offline"]);
const one = (fields: string, id = "mine") => `alerts:\n  - { id: ${id}, name: Mine, ${fields} }\n`;
const query = (fields: string) => {
  const { group, problems } = make(one(fields));
  assert.deepEqual(problems, []);
  return group.alerts[0]?.query;
};
const row = (condition: unknown, over: Partial<AlertRecord> = {}): AlertRecord => ({
  ...{ id: "r1", name: "Row", plugin: "system_info", metric: "load5", condition, severity: "warning", enabled: true },
  ...over,
});
const rows = (...given: AlertRecord[]) => customAlerts([readAlertRows(given)], plugins, []);

describe("a condition on one metric", () => {
  it("asks for the value, by everything that tells series apart", () => {
    const q = query("metric: temperature_celsius, condition: { op: gt, value: 60 }");
    assert.equal(q, "max by (target, sensor) (gleaner_temperature_celsius)");
    assert.equal(query("condition: { metric: kit_gps_fix, op: lt, value: 1 }"), "min by (kit) (gleaner_kit_gps_fix)");
    assert.equal(
      query("metric: gleaner_load5, plugin: system-info, condition: { op: ne, value: 0 }"),
      "max by (target) (gleaner_load5)",
    );
  });

  it("selects by labels, and takes counters by their rate", () => {
    const labelled =
      "metric: network_receive_drop_total, condition: { op: gt, value: 5, labels: { device: 'e\"\\th0' } }";
    assert.equal(
      query(labelled),
      'max by (target) (rate(gleaner_network_receive_drop_total{device="e\\"\\\\th0"}[5m]))',
    );
    assert.equal(
      query("metric: load1, condition: { op: gt, value: 5, labels: { target: here } }"),
      'max by (target) (gleaner_load1{target="here"})',
    );
  });

  it("has the defaults of an alert, and says what fired", () => {
    const [alert] = make(one("metric: load5, condition: { op: gte, value: 8 }")).group.alerts;
    assert.deepEqual(alert, {
      ...{ id: "mine", title: "Mine", for: "5m", keepFiringFor: "15m", severity: "warning", op: "gte", threshold: 8 },
      ...{ labels: ["target"], query: "max by (target) (gleaner_load5)", summary: "Mine: {target} is at {value}." },
    });
    const [own] = make(
      one(
        "metric: load5, for: 30, cooldown: 0s, severity: info, condition: { op: gt, value: 8 }, summary: '{target} {value:percent}', runbook: 'https://wiki.example.org/x'",
      ),
    ).group.alerts;
    assert.deepEqual(
      [own?.for, own?.keepFiringFor, own?.summary, own?.runbook],
      ["30s", "0s", "{target} {value:percent}", "https://wiki.example.org/x"],
    );
  });
});

describe("conditions together", () => {
  const BUSY = "{ metric: load5, op: gt, value: 8 }";
  const SWAP = "{ metric: swap_used_bytes, op: gt, value: 1e9 }";
  const group = (fields: string) => make(one(fields)).group.alerts[0];

  it("are joined by target where they are of one plugin, and by nothing where they are not", () => {
    assert.deepEqual(group(`condition: { and: [${BUSY}, ${SWAP}] }`)?.labels, ["target"]);
    const apart = group(`condition: { or: [${BUSY}, { metric: kit_gps_fix, op: eq, value: 0 }] }`);
    assert.deepEqual([apart?.labels, apart?.summary], [[], "Mine."]);
  });

  it("fire when they hold, for whom they hold", { skip: withoutProgram("promtool") }, async () => {
    using folder = temporaryFolder();
    const custom = make(`alerts:
  - { id: both, name: Both, for: 0s, cooldown: 0s, condition: { and: [${BUSY}, ${SWAP}] } }
  - { id: any, name: Any, for: 0s, cooldown: 0s, condition: { or: [${BUSY}, ${SWAP}] } }
  - { id: nested, name: Nested, for: 0s, cooldown: 0s, condition: { and: [{ metric: cpus, op: eq, value: 2 }, { or: [${BUSY}, ${SWAP}] }] } }
  - { id: anywhere, name: Anywhere, for: 0s, cooldown: 0s, condition: { and: [${BUSY}, { metric: kit_gps_fix, op: eq, value: 0 }] } }
`);
    assert.deepEqual(custom.problems, []);
    const [rules] = customOutputs(custom, "", undefined);
    folder.write("custom.rules.yml", rules?.text ?? "");
    // a: busy, b: swaps, c: both, d: neither, e: busy, and nothing is known of its swap.
    const series = [
      ["a", 9, 0, 2],
      ["b", 1, 2e9, 2],
      ["c", 9, 2e9, 4],
      ["d", 8, 1e9, 2],
      ["e", 9, undefined, 2],
    ].flatMap(([target, load, swap, cpus]) =>
      Object.entries({ load5: load, swap_used_bytes: swap, cpus })
        .filter(([, value]) => value !== undefined)
        .map(([metric, value]) => ({
          series: `gleaner_${metric}{target="${target}",instance="i"}`,
          values: `${value}x5`,
        })),
    );
    const fires = (id: string, name: string, targets: readonly string[]) => ({
      expr: `ALERTS{alertname="Gleaner${name}"}`,
      eval_time: "3m",
      exp_samples: targets.map((target) => ({
        labels: `ALERTS{alertname="Gleaner${name}",alertstate="firing",alert_id="${id}",severity="warning"${target && `,target="${target}"`}}`,
        value: 1,
      })),
    });
    const checks = [
      fires("both", "Both", ["c"]),
      fires("any", "Any", ["a", "b", "c", "e"]),
      fires("nested", "Nested", ["a", "b", "e"]),
      fires("anywhere", "Anywhere", [""]),
    ];
    const gps = { series: 'gleaner_kit_gps_fix{kit="k",instance="i"}', values: "0x5" };
    const tests = [{ interval: "1m", input_series: [...series, gps], promql_expr_test: checks }];
    const file = folder.write("x.test.yml", JSON.stringify({ rule_files: ["custom.rules.yml"], tests }));
    const { code, output } = await runProgram("promtool", ["test", "rules", file], {
      cwd: folder.path,
      env: { PATH: process.env["PATH"] ?? "" },
    });
    assert.equal(code, 0, output);
  });
});

describe("a file of alerts", () => {
  it("may be the example", () => {
    const { problems, group, disabled } = make(readFileSync(join(ROOT, "alerts.example.yaml"), "utf8"));
    assert.deepEqual(problems, []);
    assert.deepEqual([group.alerts.length, disabled], [3, ["drops"]]);
  });

  it("may be empty", () => {
    for (const text of ["", "alerts:", "alerts: []", "# nothing"]) assert.deepEqual(make(text).problems, [], text);
  });

  for (const [why, yaml, expected] of [
    ["no YAML", "alerts: [", /^alerts\.yaml:1:\d+: /],
    ["another key", "alert: []", /^alerts\.yaml:1:1 alert: unknown key, did you mean "alerts"\?$/],
    [
      "an unknown metric",
      one("metric: load_5, condition: { op: gt, value: 1 }"),
      /^alerts\.yaml:2:\d+ alerts\[0\]\.condition: there is no metric load_5, did you mean "load5"\?$/,
    ],
    [
      "an unknown plugin",
      one("plugin: systeminfo2, metric: load5, condition: { op: gt, value: 1 }"),
      /there is no plugin systeminfo2, did you mean "system_info"\?$/,
    ],
    [
      "no metric",
      one("condition: { op: gt, value: 1 }"),
      /condition: missing, expected a metric, here or beside the condition$/,
    ],
    [
      "an unknown label",
      one("metric: load5, condition: { op: gt, value: 1, labels: { cpu: '0' } }"),
      /alerts\[0\]\.condition\.labels: load5 has no label cpu; known here: target$/,
    ],
    [
      "an unknown comparison",
      one("metric: load5, condition: { op: '>', value: 1 }"),
      /condition\.op: expected one of gt, gte, lt, lte, eq, ne$/,
    ],
    ["no number", one("metric: load5, condition: { op: gt }"), /condition\.value: missing, expected a number$/],
    [
      "two kinds of condition",
      one("metric: load5, condition: { op: gt, value: 1, and: [{ op: gt, value: 1 }, { op: gt, value: 1 }] }"),
      /condition: expected op and value, or a list under one of and, or$/,
    ],
    [
      "a list of one",
      one("metric: load5, condition: { or: [{ op: gt, value: 1 }] }"),
      /condition\.or: expected at least 2 entries$/,
    ],
    [
      "a metric beside a list",
      one("condition: { metric: load5, or: [{ op: gt, value: 1 }, { op: gt, value: 1 }] }"),
      /condition\.metric: expected this in the single conditions of the list$/,
    ],
    [
      "an id that is taken",
      one("metric: load5, condition: { op: gt, value: 1 }", "kit_offline"),
      /^alerts\.yaml:2:\d+ alerts\[0\]\.id: expected an id that no other alert has$/,
    ],
    [
      "a duration nobody knows",
      one("metric: load5, for: soon, condition: { op: gt, value: 1 }"),
      /\.for: expected a duration such as 30s, 5m or 2h$/,
    ],
    [
      "a severity nobody knows",
      one("metric: load5, severity: bad, condition: { op: gt, value: 1 }"),
      /\.severity: expected one of info, warning, error, critical$/,
    ],
    [
      "a label nobody gives",
      one("metric: load5, condition: { op: gt, value: 1 }, summary: '{kit}'"),
      /\.summary: \{kit\}: no such label$/,
    ],
    [
      "a template of Prometheus",
      one("metric: load5, condition: { op: gt, value: 1 }, summary: '{{ query }}'"),
      /\.summary: expected text without \{\{, \$\{ and \$__…\{$/,
    ],
    [
      "a variable of Grafana",
      one("metric: load5, condition: { op: gt, value: 1 }, description: 'x ${HOME}'"),
      /\.description: expected text without/,
    ],
    [
      "a secret of Grafana",
      one("metric: load5, condition: { op: gt, value: 1 }, description: '$__file{/etc/passwd}'"),
      /\.description: expected text without/,
    ],
    [
      "no address",
      one("metric: load5, condition: { op: gt, value: 1 }, runbook: 'javascript:1'"),
      /\.runbook: expected an http or https URL$/,
    ],
  ] as const)
    it(`is refused with its place for ${why}`, () => {
      const { problems } = make(yaml);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
});

describe("rows of the table alerts", () => {
  it("become rules, with what has no column in the condition", () => {
    const condition = {
      op: "gt",
      value: 8,
      for: "1m",
      cooldown: "2m",
      summary: "{target} is busy",
      runbook: "https://x.example.org",
    };
    const { group, problems } = rows(
      row(condition),
      row(
        {
          or: [
            { op: "gt", value: 1 },
            { op: "lt", value: 0 },
          ],
        },
        { id: "r2", name: "Other", enabled: false },
      ),
    );
    assert.deepEqual(problems, []);
    const [alert] = group.alerts;
    assert.deepEqual(
      [group.alerts.length, alert?.for, alert?.keepFiringFor, alert?.summary, alert?.runbook],
      [1, "1m", "2m", "{target} is busy", "https://x.example.org"],
    );
  });

  it("are refused by their id", () => {
    let deep: object = { op: "gt", value: 1 };
    for (let i = 0; i < 5_000; i++) deep = { and: [deep, deep] };
    for (const [given, expected] of [
      [row("load > 5"), 'alerts "r1" condition: expected a map, got text'],
      [row(null), 'alerts "r1" condition: expected op and value, or a list under one of and, or'],
      [
        row({ op: "gt", value: 1 }, { severity: "loud" }),
        'alerts "r1" severity: expected one of info, warning, error, critical',
      ],
      [
        row({ op: "gt", value: 1 }, { metric: "nope_at_all", plugin: null }),
        /^alerts "r1" condition: there is no metric nope_at_all/,
      ],
      [row({ op: "gt", value: 1 }, { id: "a b" }), /^alerts "a b" id: expected an id of letters/],
      [row(deep), 'alerts "r1" condition: expected at most 20 levels'],
    ] as const) {
      const { problems } = rows(given);
      assert.equal(problems.length, 1, problems.join("\n"));
      if (typeof expected === "string") assert.equal(problems[0], expected);
      else assert.match(problems[0] ?? "", expected);
    }
  });
});

describe("Grafana's file of users' rules", () => {
  const FILE = `${one("metric: load5, condition: { op: gt, value: 1 }", "a")}`;
  const grafana = (yaml: string, previous?: string) => {
    const text = customOutputs(make(yaml), "", previous)[1]?.text ?? "";
    return {
      text,
      ...(parse(text) as { groups: { rules: { uid: string; title: string }[] }[]; deleteRules?: { uid: string }[] }),
    };
  };

  it("takes away what is switched off or has gone, until it comes back", () => {
    const first = grafana(FILE);
    assert.deepEqual([first.groups[0]?.rules[0]?.uid, first.deleteRules], ["gleaner-a", undefined]);
    const gone = grafana("", first.text);
    assert.deepEqual([gone.groups, gone.deleteRules], [[], [{ orgId: 1, uid: "gleaner-a" }]]);
    assert.deepEqual(grafana("", gone.text).deleteRules, gone.deleteRules, "still so when it is written again");
    assert.equal(grafana(FILE, gone.text).deleteRules, undefined);
    const off = FILE.replace("name: Mine,", "name: Mine, enabled: false,");
    assert.deepEqual(grafana(off).deleteRules, [{ orgId: 1, uid: "gleaner-a" }]);
    assert.deepEqual(grafana(FILE, "not: [a file of ours").deleteRules, undefined);
  });

  it("keeps a dollar sign in a title from Grafana, and an id of any length within its bounds", () => {
    const yaml = one("metric: load5, condition: { op: gt, value: 1 }", "6f1c2f0e-8a55-4f0e-9e0a-0c6b7c1f1a11").replace(
      "Mine",
      "Costs $HOME",
    );
    const [rule] = grafana(yaml).groups[0]?.rules ?? [];
    assert.equal(rule?.title, "Costs $$HOME");
    assert.match(rule?.uid ?? "", /^gleaner-[0-9a-f]{32}$/);
  });
});
