import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { type LintedMetric, promlint } from "../../src/contract/promlint.ts";

const metric = (name: string, rest: Partial<LintedMetric> = {}): LintedMetric => ({
  name,
  help: "Help.",
  type: "gauge",
  labels: [],
  ...rest,
});

const CLEAN = [
  metric("gleaner_load1"),
  metric("gleaner_cpu_seconds_total", { type: "counter", labels: ["cpu"] }),
  metric("gleaner_network_speed_bytes"),
  metric("gleaner_os_info"),
];
const UNCLEAN = [
  metric("gleaner_uptime_hours"),
  metric("gleaner_size_kilobytes"),
  metric("gleaner_entropy_bits"),
  metric("gleaner_reads", { type: "counter" }),
  metric("gleaner_reads_total"),
  metric("gleaner_cpu_count"),
  metric("gleaner_load_gauge"),
  metric("gleaner_cpuUsage"),
  metric("gleaner_wait_ms"),
  metric("gleaner_wait_ms_average"),
  metric("gleaner_size", { labels: ["mountPoint"] }),
];

/** Names that promtool complains of, or undefined where promtool is not installed. */
function promtoolComplaints(metrics: readonly LintedMetric[]): readonly string[] | undefined {
  const input = metrics.map(({ name, help, type, labels }) => {
    const set = labels.map((label) => `${label}="x"`).join(",");
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}{${set}} 1\n`;
  });
  const { stderr, error } = spawnSync("promtool", ["check", "metrics"], { input: input.join(""), encoding: "utf8" });
  if (error) return undefined;
  return [...new Set(stderr.split("\n").flatMap((line) => line.split(" ")[0] || []))].sort();
}

test("flags each rule and nothing clean", () => {
  assert.deepEqual(
    CLEAN.map(promlint),
    CLEAN.map(() => []),
  );
  for (const unclean of UNCLEAN) assert.equal(promlint(unclean).length, 1, unclean.name);
  assert.deepEqual(promlint(metric("a", { help: " " })), ["no help text"]);
  assert.equal(promlint(metric("a", { labels: ["le"] })).length, 1);
  assert.equal(promlint(metric("a:b")).length, 1);
});

test("agrees with promtool, where that is installed", (t) => {
  const complaints = promtoolComplaints([...CLEAN, ...UNCLEAN]);
  if (!complaints) return t.skip("promtool is not installed");
  assert.deepEqual(complaints, UNCLEAN.map(({ name }) => name).sort());
});
