import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dataPoints, statePoints } from "../../src/app/points.ts";
import type { Point } from "../../src/expose/types.ts";
import { KIT_STATES, PLUGIN_STATES } from "../../src/model/health.ts";
import type { Sample } from "../../src/model/sample.ts";
import type { ConfiguredTarget } from "../../src/model/target.ts";
import { toBatch } from "../../src/process/pipeline.ts";
import { failed, ok, pluginOf, targetOf } from "../support/targets.ts";
import { kitOf, monitorAt, runOf, seriesText } from "./support.ts";

const host = targetOf(pluginOf(async () => ({ samples: [] })));
const kit = kitOf("kit-001", "http://10.0.0.1:8088", { name: "Roof", tags: { location: "Pier 4", site: "x" } });

function pointsOf(target: ConfiguredTarget, ...samples: Sample[]): Point[] {
  return dataPoints(toBatch(target, runOf(target, Object.keys(target.jobs)[0] ?? "", ok({ samples }))));
}

function statesOf(target: ConfiguredTarget, ...outcomes: Parameters<typeof runOf>[2][]): Point[] {
  const monitor = monitorAt({ now: 0 });
  monitor.add(target);
  for (const outcome of outcomes) monitor.observe(runOf(target, Object.keys(target.jobs)[0] ?? "", outcome));
  const view = monitor.view(target.id);
  assert.ok(view);
  return statePoints(view, "here");
}

const seriesValue = (points: readonly Point[], series: string) =>
  points.find((point) => seriesText(point) === series)?.value;

describe("data series", () => {
  test("say first whose they are: target, or kit for kits", () => {
    const [plain, labelled] = pointsOf(
      host,
      { metric: "probe_value", value: 1 },
      { metric: "probe_value", value: 2, labels: { part: "a" } },
    );
    assert.equal(plain && seriesText(plain), 'gleaner_probe_value{target="t1"}');
    assert.equal(labelled && seriesText(labelled), 'gleaner_probe_value{target="t1",part="a"}');
    const [drones] = pointsOf(kit, { metric: "kit_drones", value: 3, labels: { track_type: "drone" } });
    assert.equal(drones && seriesText(drones), 'gleaner_kit_drones{kit="kit-001",track_type="drone"}');
  });

  test("carry the type and unit that the plugin declares", () => {
    const [counter] = pointsOf(host, { metric: "probe_events_total", value: 1 });
    assert.deepEqual(counter?.family, { name: "gleaner_probe_events_total", help: "A count.", type: "counter" });
    const [ratio] = pointsOf(kit, { metric: "kit_cpu_usage_ratio", value: 0.5 });
    assert.equal(ratio?.family.unit, "ratio");
  });

  test("keep the name that another program gave them", () => {
    const scraping = targetOf({ ...host.plugin, furtherMetrics: "Whatever is scraped." });
    const metrics = { node_load1: { help: "Load.", ownName: true }, load: { help: "Load." } };
    const samples = [
      { metric: "node_load1", value: 1 },
      { metric: "load", value: 1 },
    ];
    const points = dataPoints(toBatch(scraping, runOf(scraping, "main", ok({ samples, metrics }))));
    assert.deepEqual(points.map(seriesText), ['node_load1{target="t1"}', 'gleaner_load{target="t1"}']);
  });
});

describe("state series", () => {
  test("exactly one state is 1, and all states are there", () => {
    for (const [target, states, name] of [
      [host, PLUGIN_STATES, "gleaner_target_state"],
      [kit, KIT_STATES, "gleaner_kit_state"],
    ] as const) {
      for (const outcomes of [[], [ok()], [ok(), failed("timeout")], Array(6).fill(failed("http_status"))]) {
        const shown = statesOf(target, ...outcomes).filter(({ family }) => family.name === name);
        assert.deepEqual(
          shown.map(({ labels }) => labels["state"]),
          [...states],
        );
        assert.equal(
          shown.reduce((sum, { value }) => sum + value, 0),
          1,
        );
      }
    }
  });

  test("a kit that was never seen has no time of it; one success gives it", () => {
    const seen = 'gleaner_kit_last_seen_timestamp_seconds{kit="kit-001"}';
    assert.equal(seriesValue(statesOf(kit), seen), undefined);
    assert.equal(seriesValue(statesOf(kit, failed("timeout")), seen), undefined);
    assert.equal(seriesValue(statesOf(kit, ok()), seen), Date.parse("2026-03-01T12:00:00.020Z") / 1_000);
    assert.equal(seriesValue(statesOf(kit, ok(), failed("timeout")), 'gleaner_kit_up{kit="kit-001"}'), 0);
    assert.equal(seriesValue(statesOf(kit, ok()), 'gleaner_kit_up{kit="kit-001"}'), 1);
    assert.equal(seriesValue(statesOf(kit, ok()), 'gleaner_kit_info{kit="kit-001",name="Roof",location="Pier 4"}'), 1);
    assert.equal(seriesValue(statesOf(kit, ok()), 'gleaner_kit_identity_changes_total{kit="kit-001"}'), 0);
    assert.equal(seriesValue(statesOf(kit, failed("timeout")), 'gleaner_kit_backoff_seconds{kit="kit-001"}'), 5);
  });

  test("a target is up when the last run of every job succeeded", () => {
    const up = 'gleaner_target_up{target="t1",plugin="probe"}';
    assert.equal(seriesValue(statesOf(host), up), 0);
    assert.equal(seriesValue(statesOf(host, ok()), up), 1);
    assert.equal(seriesValue(statesOf(host, ok(), failed("bug")), up), 0);
    assert.equal(seriesValue(statesOf(host, ok(), failed("bug"), ok()), up), 1);
  });

  test("what is known of a target is one series, and its tags are on no other", () => {
    const tagged = targetOf(host.plugin, { tags: { env: "production", rack: "a1", plugin: "mine" } });
    const texts = statesOf(tagged, ok()).map(seriesText);
    const [info, another] = texts.filter((text) => text.includes("a1"));
    assert.equal(
      info,
      'gleaner_target_info{target="t1",plugin="probe",name="t1",category="custom",host="here",env="production",tag_rack="a1",tag_plugin="mine"}',
    );
    assert.equal(another, undefined);
  });

  test("runs, failures and skipped runs are counted by job", () => {
    const monitor = monitorAt({ now: 0 });
    monitor.add(host);
    for (const outcome of [ok(), failed("timeout"), failed("bug"), failed("timeout")])
      monitor.observe(runOf(host, "main", outcome));
    monitor.skipped("t1", "main", "overlap", 3);
    const view = monitor.view("t1");
    const points = view ? statePoints(view, "here") : [];
    const job = 'target="t1",plugin="probe",job="main"';
    assert.equal(seriesValue(points, `gleaner_job_runs_total{${job}}`), 4);
    assert.equal(seriesValue(points, `gleaner_job_failures_total{${job},kind="timeout"}`), 2);
    assert.equal(seriesValue(points, `gleaner_job_failures_total{${job},kind="bug"}`), 1);
    assert.equal(seriesValue(points, `gleaner_job_skipped_total{${job},reason="overlap"}`), 3);
  });
});
