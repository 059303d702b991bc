import assert from "node:assert/strict";
import { test } from "node:test";
import { reportKits } from "../../src/app/report.ts";
import type { Run } from "../../src/model/run.ts";
import { failed, ok, pluginOf, targetOf } from "../support/targets.ts";
import { keepingLog, kitOf, monitorAt, runOf } from "./support.ts";

/** The report after each kit had these outcomes. */
function report(kits: Readonly<Record<string, readonly Run["outcome"][]>>) {
  const monitor = monitorAt({ now: 0 });
  for (const [id, outcomes] of Object.entries(kits)) {
    const kit = kitOf(id, "http://10.0.0.1:8088");
    monitor.add(kit);
    for (const outcome of outcomes) monitor.observe(runOf(kit, "drones", outcome));
  }
  monitor.add(targetOf(pluginOf(async () => ({ samples: [] }))));
  const log = keepingLog();
  reportKits(monitor.views(), log);
  return log.lines;
}

const times = <T>(n: number, value: T): T[] => Array(n).fill(value);

test("a line for each kit, in the words that operators' log searches know", () => {
  const lines = report({
    "kit-001": [...times(11, failed("timeout")), ...times(709, ok())],
    "kit-002": [],
    "kit-003": [failed("http_status")],
  });
  assert.deepEqual(
    lines.map(({ message }) => message),
    [
      "Kit kit-001: online | Success rate: 98.5% | Requests: 720 (OK: 709, Failed: 11)",
      "Last error: drones: it was timeout",
      "Kit kit-002: unknown | Success rate: n/a | Requests: 0 (OK: 0, Failed: 0)",
      "Kit kit-003: error | Success rate: 0.0% | Requests: 1 (OK: 0, Failed: 1)",
      "Last error: drones: it was http_status",
    ],
  );
  assert.deepEqual(lines[1]?.fields, { kit: "kit-001" });
  assert.ok(lines.every(({ level }) => level === "info"));
});

test("a large fleet is a sum, and a line for each kit in trouble up to a bound", () => {
  const fleet = (ill: number) =>
    Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`kit-${i}`, [i < ill ? failed("http_status") : ok()]] as const),
    );
  const few = report(fleet(2)).map(({ message }) => message);
  assert.deepEqual(
    few.filter((line) => line.startsWith("Kit")).map((line) => line.split(" |")[0]),
    ["Kit kit-0: error", "Kit kit-1: error"],
  );
  assert.equal(few.at(-1), "98 of 100 kits are online");
  assert.equal(report(fleet(80)).filter(({ message }) => message.startsWith("Kit")).length, 25);
});

test("without kits there is nothing to say", () => {
  assert.deepEqual(report({}), []);
});
