import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { negotiate } from "../../src/expose/negotiate.ts";
import { startTelemetry } from "../../src/expose/otel.ts";
import { createRenderer } from "../../src/expose/render.ts";
import { createSelf } from "../../src/expose/self.ts";
import { createSnapshot } from "../../src/expose/snapshot.ts";
import { counter, gauge, point } from "./support.ts";

const installed = spawnSync("promtool", ["--version"]).error === undefined;
const required = process.env["GLEANER_TEST_REQUIRE_SERVICES"] === "1";
const skip = installed || required ? false : "promtool is not installed (Debian package prometheus)";

/** Runs `promtool check metrics`; rejects with what it found. */
async function checkMetrics(body: Buffer | string): Promise<void> {
  const child = promisify(execFile)("promtool", ["check", "metrics"]);
  child.child.stdin?.end(body);
  const { stdout, stderr } = await child;
  assert.equal(stdout + stderr, "");
}

/** An exposition with everything in it: all of our instruments, a fleet, and label values that need escaping. */
async function exposition(accept: string): Promise<Buffer> {
  const self = createSelf({
    version: "1.2.3",
    known: { tables: ["drones"], storeErrors: ["08"], rejected: ["bad_value"], dropped: ["spool_full"] },
  });
  try {
    for (const seconds of [0.001, 1, 100]) self.jobDuration("dragonsync", "drones", seconds);
    self.stored("drones", 20);
    self.configReloaded(true, new Date());
    const snapshot = createSnapshot();
    const renderer = createRenderer(snapshot, self);
    const temperature = gauge("gleaner_kit_temperature_celsius", { unit: "celsius" });
    snapshot.replace("kit-1", "status", [
      ...["online", "offline"].map((state) => point(gauge("gleaner_kit_state"), { kit: "1", state }, 1)),
      point(temperature, { kit: '"quoted"\\\n{}', sensor: "日本 😀" }, Number.NaN),
      point(temperature, { kit: "2", sensor: "" }, -0),
      point(counter("gleaner_job_runs_total"), { target: "x" }, 2 ** 60),
    ]);
    await renderer.render(negotiate({}));
    return (await renderer.render(negotiate({ accept }))).body;
  } finally {
    self.close();
  }
}

before(() => {
  if (required) assert.ok(installed, "promtool is not installed, and services are required");
});

test("promtool check metrics finds nothing in a whole exposition", { skip }, async () => {
  await checkMetrics(await exposition("text/plain"));
});

test("promtool check metrics finds nothing in /metrics/otel", { skip }, async () => {
  const telemetry = await startTelemetry({ version: "1.2.3", env: {} });
  telemetry.recordRun("dragonsync", "drones", "ok", 0.25);
  await checkMetrics(await telemetry.scrapeText());
  await telemetry.shutdown();
});

test("promtool check metrics does find faults (so that its silence means something)", { skip }, async () => {
  await assert.rejects(
    checkMetrics("# HELP polls Polls.\n# TYPE polls counter\npolls 1\n"),
    /should have "_total" suffix/,
  );
});

test("Prometheus imports the OpenMetrics exposition", { skip }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "gleaner-promtool-"));
  try {
    const file = join(directory, "metrics");
    const body = (await exposition("application/openmetrics-text")).toString();
    // The importer wants timestamps, which an exposition should not have.
    await writeFile(file, body.replace(/^[^#\n].*$/gm, "$& 1700000000"));
    const { stdout } = await promisify(execFile)("promtool", [
      "tsdb",
      "create-blocks-from",
      "openmetrics",
      file,
      join(directory, "data"),
    ]);
    const samples = /^\s*\S+\s+\S+\s+\S+\s+\S+\s+(\d+)/m.exec(stdout.split("\n").at(1) ?? "")?.[1];
    assert.equal(Number(samples), body.match(/^[^#\n]/gm)?.length, stdout);
  } finally {
    await rm(directory, { recursive: true });
  }
});
