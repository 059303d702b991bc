import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { createSelf } from "../../src/expose/self.ts";
import { builtInAlerts, faultsOf } from "../../src/generate/alerts/catalogue.ts";
import { grafanaRules } from "../../src/generate/alerts/grafana.ts";
import { alertOutputs } from "../../src/generate/alerts/outputs.ts";
import { conditionOf, prometheusRules } from "../../src/generate/alerts/prometheus.ts";
import { templateIn } from "../../src/generate/alerts/text.ts";
import { thresholdGroups } from "../../src/generate/alerts/thresholds.ts";
import { runbooksDoc } from "../../src/generate/runbooks.ts";
import type { Alert, Runbook } from "../../src/model/alert.ts";
import { plugins } from "../../src/plugins/registry.gen.ts";
import { runProgram, withoutProgram } from "../support/program.ts";

const root = resolve(import.meta.dirname, "../..");
const groups = builtInAlerts(plugins);
const alerts = groups.flatMap((group) => group.alerts);
const prometheus = groups.flatMap((group) => prometheusRules([group], "runbooks").groups.flatMap(({ rules }) => rules));
const grafana = grafanaRules(groups, "runbooks").groups.flatMap(({ rules }) => rules);

const SAMPLE: Alert & { runbook: Runbook } = {
  id: "sample",
  title: "Sample",
  query: "max by (kit) (gleaner_kit_up)",
  labels: ["kit"],
  op: "gt",
  threshold: 1,
  for: "1m",
  severity: "info",
  summary: "Kit {kit} is at {value}.",
  runbook: { meaning: "A.", impact: "B.", check: ["C."], fix: ["D."] },
};
const faults = (...samples: Partial<Alert>[]) =>
  faultsOf([{ name: "x", interval: "1m", alerts: samples.map((sample) => ({ ...SAMPLE, ...sample })) }]);

describe("the alerts that come with gleaner", () => {
  it("are all there", () => {
    const expected = [
      "kit_offline kit_stale kit_error kit_flapping kit_hot kit_disk_almost_full kit_identity_changed kit_drones_not_stored",
      "target_degraded target_failing target_paused agent_key_expires filesystem_filling host_memory_low host_hot",
      "gleaner_down store_down spool_growing spool_old rows_dropped rows_refused values_rejected event_loop_lag",
      "runs_late series_limit config_reload_failed plugins_failed component_critical",
    ].flatMap((line) => line.split(" "));
    assert.deepEqual(
      expected.filter((id) => !alerts.some((alert) => alert.id === id)),
      [],
    );
  });

  it("ask for metrics that exist", async () => {
    const self = createSelf({ version: "0.0.0" });
    const known = new Set(self.names());
    self.close();
    for (const plugin of plugins) for (const metric of Object.keys(plugin.metrics)) known.add(`gleaner_${metric}`);
    // Those of the state of kits and targets are declared where they are made.
    const points = ["src/app/points.ts", "src/app/background-points.ts"].map((file) =>
      readFileSync(join(root, file), "utf8"),
    );
    for (const [name] of points.join().matchAll(/gleaner_\w+/g)) known.add(name);
    const unknown = alerts.flatMap(({ query }) => query.match(/gleaner_\w+/g) ?? []).filter((name) => !known.has(name));
    assert.deepEqual(unknown, []);
  });

  it("have a runbook that says something about everything, under the anchor that rules link to", () => {
    const page = runbooksDoc(groups);
    for (const { id, runbook } of alerts) {
      assert.ok(typeof runbook === "object", id);
      assert.equal(page.split(`<a id="${id}"></a>`).length, 2, id);
      for (const text of [runbook.meaning, runbook.impact, ...runbook.check, ...runbook.fix])
        assert.match(text, /^\S.{8,}\S$/s, id);
      assert.ok(runbook.check.length > 0 && runbook.fix.length > 0, id);
    }
    for (const [, anchor] of page.matchAll(/\]\(#([\w-]+)\)/g))
      assert.ok(page.includes(`<a id="${anchor}"></a>`), `#${anchor} leads nowhere`);
  });

  it("name no metric in a runbook that does not exist", () => {
    const source = ["src/expose/self.ts", "src/app/points.ts", "src/app/background-points.ts", "src/app/probe.ts"]
      .map((file) => readFileSync(join(root, file), "utf8"))
      .join();
    const metrics = plugins.flatMap((plugin) => Object.keys(plugin.metrics).map((metric) => `gleaner_${metric}`));
    for (const [name] of runbooksDoc(groups).matchAll(/\bgleaner_(?!down|webhook)\w+/g))
      assert.ok(metrics.includes(name) || source.includes(name.replace(/_(bucket|sum|count)$/, "")), name);
  });
});

describe("a declaration that cannot become a rule", () => {
  it("is refused by name", () => {
    assert.deepEqual(faults({}), []);
    assert.deepEqual(faults({}, {}), ["sample: another alert has this id", "sample: another alert has this title"]);
    assert.deepEqual(faults({ id: "Not Snake" }), ["Not Snake: expected an id in snake_case"]);
    assert.deepEqual(faults({ threshold: Number.NaN }), ["sample: expected a finite threshold"]);
    assert.match(faults({ for: "soon" }).join(), /^sample: RangeError: expected a duration/);
    assert.deepEqual(faults({ keepFiringFor: "5" }), ["sample: 5: expected a unit"]);
    assert.deepEqual(faults({ summary: "{mount} {value:per_mille} {kit:percent}" }), [
      "sample: {mount}: no such label",
      "sample: {value:per_mille}: no such format",
      "sample: {kit:percent}: no such label",
    ]);
  });

  it("stops the generation", () => {
    const [plugin] = plugins.filter(({ id }) => id === "disk_monitor");
    assert.ok(plugin);
    assert.throws(() => builtInAlerts([...plugins, plugin]), /filesystem_filling: another alert has this id/);
  });
});

describe("thresholds of plugins", () => {
  it("become one alert for each thing, whoever sees it, by the value that is worse", () => {
    const [plugin] = plugins.filter(({ id }) => id === "system_info");
    assert.ok(plugin);
    const spec = {
      ...SAMPLE,
      name: "cpu_busy",
      op: "lt",
      threshold: 0.1,
      where: { mode: "idle" },
      summary: "{target}",
    } as const;
    const metrics = { cpu_usage_ratio: { help: "x", labels: ["mode"], alert: [spec] } };
    const [group] = thresholdGroups([{ ...plugin, metrics }]);
    const [alert] = group?.alerts ?? [];
    assert.equal(alert?.query, 'min by (target) (gleaner_cpu_usage_ratio{mode="idle"})');
    assert.deepEqual([alert?.id, alert?.title], ["cpu_busy", "Cpu busy"]);
  });
});

describe("the two dialects", () => {
  it("say the same", () => {
    assert.equal(prometheus.length, alerts.length);
    alerts.forEach((alert, index) => {
      const [ours, theirs] = [prometheus[index], grafana[index]];
      assert.equal(ours?.expr, conditionOf(alert));
      const model = theirs?.data[0]?.model;
      assert.equal(model && "expr" in model ? model.expr : undefined, alert.query);
      for (const rule of [ours, theirs]) {
        assert.deepEqual(rule?.labels, { severity: alert.severity, alert_id: alert.id });
        assert.equal(rule?.for, alert.for);
        assert.ok(rule && "runbook_url" in rule.annotations);
        assert.equal(rule.annotations.runbook_url, `runbooks#${alert.id}`);
      }
    });
  });

  it("bind the comparison to the whole query", () => {
    const condition = (query: string) => conditionOf({ query, op: "lte", threshold: -1 });
    assert.equal(condition('max by (kit) (a{b="c"})'), 'max by (kit) (a{b="c"}) <= -1');
    assert.equal(condition("sum(a) / sum(b)"), "(sum(a) / sum(b)) <= -1");
    assert.equal(condition("a or b"), "(a or b) <= -1");
    assert.equal(condition("(a) or (b)"), "((a) or (b)) <= -1");
    assert.equal(condition("rate(a[5m])"), "rate(a[5m]) <= -1");
  });

  it("write labels and values each in its own way", () => {
    const text = "{kit}: {value}, {value:percent}, {value:duration}, {value:bytes}";
    assert.equal(
      templateIn("prometheus", text),
      "{{ $labels.kit }}: {{ $value | humanize }}, {{ $value | humanizePercentage }}, {{ $value | humanizeDuration }}, {{ $value | humanize1024 }}B",
    );
    assert.equal(
      templateIn("grafana", text),
      "{{ $labels.kit }}: {{ humanize $values.A.Value }}, {{ humanizePercentage $values.A.Value }}, {{ humanizeDuration $values.A.Value }}, {{ humanize1024 $values.A.Value }}B",
    );
  });

  it("compare in Grafana by what every version of it knows", () => {
    const model = (op: Alert["op"]) =>
      grafanaRules([{ name: "x", interval: "1m", alerts: [{ ...SAMPLE, op }] }], "").groups[0]?.rules[0]?.data[1]
        ?.model;
    const evaluator = { type: "query", evaluator: { type: "lt", params: [1] } };
    assert.deepEqual(model("lt"), { refId: "B", type: "threshold", expression: "A", conditions: [evaluator] });
    assert.deepEqual(model("gte"), { refId: "B", type: "math", expression: "$A >= 1" });
  });

  it("fire on no data only for what says that nothing is seen", () => {
    const firing = grafana.filter(({ noDataState }) => noDataState !== "OK").map(({ uid }) => uid);
    assert.deepEqual(firing, ["gleaner-gleaner-down"]);
    for (const { uid, execErrState } of grafana)
      assert.equal(execErrState, uid === "gleaner-gleaner-down" ? "Alerting" : "KeepLast");
  });
});

describe("Grafana's files", () => {
  const files = alertOutputs(plugins).filter(({ path }) => path.startsWith("provisioning/grafana/"));

  it("hold no dollar sign that Grafana would take for a variable", () => {
    for (const { path, text } of files) {
      const left = text
        .replaceAll(/\{\{ \$labels\.\w+ \}\}|\{\{ \w+ \$values\.A\.Value \}\}/g, "")
        // Models are never interpolated.
        .replaceAll(/expression: \$A /g, "")
        .replaceAll("$__file{/run/secrets/gleaner_webhook_token}", "");
      assert.doesNotMatch(left, /\$/, path);
    }
  });

  it("name each thing once", () => {
    for (const key of ["uid", "title"] as const) {
      const names = grafana.map((rule) => rule[key]);
      assert.equal(new Set(names).size, names.length, key);
    }
    for (const { uid } of grafana) assert.match(uid, /^[a-z0-9-]{1,40}$/);
  });

  it("send every alert to a contact point that is there", () => {
    const of = (name: string) => parse(files.find(({ path }) => path.endsWith(`${name}.yml`))?.text ?? "");
    assert.equal(of("policies").policies[0].receiver, of("contact-points").contactPoints[0].name);
  });
});

describe("promtool tests of the rules", () => {
  interface Check {
    readonly eval_time: string;
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }
  const files = globSync("provisioning/prometheus/tests/*.test.yml", { cwd: root });
  const checks = files
    .flatMap((file) => parse(readFileSync(join(root, file), "utf8")).tests as { alert_rule_test: Check[] }[])
    .map((test) => test.alert_rule_test);

  it("show for every rule that it is quiet, fires, and ends", () => {
    for (const { alert: name } of prometheus) {
      const phases = checks
        .filter((test) => test[0]?.alertname === name)
        .map((test) => test.map(({ exp_alerts }) => (exp_alerts.length > 0 ? "F" : ".")).join(""));
      assert.ok(
        phases.some((phase) => /^\.+F+\.+$/.test(phase)),
        `${name}: ${phases.join(" ")}`,
      );
    }
  });

  const promtool = (...args: string[]) =>
    runProgram("promtool", args, { cwd: root, env: { PATH: process.env["PATH"] ?? "" } });
  const skip = withoutProgram("promtool");

  it("pass", { skip }, async () => {
    const { code, output } = await promtool("test", "rules", ...files);
    assert.equal(code, 0, output);
    assert.equal(output.split("SUCCESS").length - 1, files.length, output);
  });

  it("are about rules that promtool finds nothing wrong with", { skip }, async () => {
    const rules = globSync("provisioning/prometheus/*.rules.yml", { cwd: root });
    assert.equal(rules.length, groups.length);
    const { code, output } = await promtool("check", "rules", "--lint=all", "--lint-fatal", ...rules);
    assert.equal(code, 0, output);
  });
});
