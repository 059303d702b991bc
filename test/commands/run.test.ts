import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { startKits } from "../../src/demo/kit-sim.ts";
import { kitsYaml } from "../../src/demo/kits-yaml.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner } from "../support/process.ts";

test("run: collects once, prints samples and rows, stores nothing", async (t) => {
  using folder = temporaryFolder();
  const faults = { "kit-002": "http_500" } as const;
  const sim = await startKits({ count: 2, fresh: true, drones: 3, aircraft: 1, signals: 2, faults });
  t.after(() => sim.close());
  folder.write("kits.yaml", kitsYaml(sim.kits));
  const run = (...args: string[]) => runGleaner(["run", ...args], { cwd: folder.path });

  await t.test("one job of a kit", async () => {
    const { code, stdout, stderr } = await run("kit-001", "--job", "drones");
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^# kit-001 drones: ok \(\d+ ms\)$/);
    assert.ok(lines.includes('gleaner_kit_drones{kit="kit-001",track_type="drone"} 3'));
    const rows = lines.filter((line) => line.startsWith("drones ")).map((line) => JSON.parse(line.slice(7)));
    assert.equal(rows.length, 4);
    assert.ok(rows.every((row) => row.kit_id === "kit-001" && !Number.isNaN(Date.parse(row.time))));
    assert.deepEqual(sim.stats().kits["kit-001"]?.requests, 1, "and asked for nothing else");
  });

  await t.test("every job of a kit", async () => {
    const { code, stdout } = await run("kit-001");
    assert.equal(code, 0);
    for (const job of ["drones", "signals", "status", "about"])
      assert.match(stdout, new RegExp(`^# kit-001 ${job}: ok`, "m"));
    assert.match(stdout, /^signals \{/m);
    assert.match(stdout, /^system_health \{/m);
  });

  await t.test("a plugin of this host, in either spelling of its id", async () => {
    const { code, stdout } = await run("system-info");
    assert.equal(code, 0);
    assert.match(stdout, /^# system_info system: ok/);
    assert.match(stdout, /^gleaner_boot_time_seconds\{target="system_info"\} \d+$/m);
  });

  await t.test("one that fails: its reason, and exit 1", async () => {
    const { code, stdout, stderr } = await run("kit-002", "-j", "drones");
    assert.equal(code, 1);
    assert.match(stdout, /^# kit-002 drones: failed: http_status: GET \/drones: HTTP 500/);
    assert.equal(stderr, "Target kit-002 failed: drones.\n");
  });

  await t.test("one that is not there: what is", async () => {
    assert.equal(
      (await run("kit-009")).stderr,
      "There is no target kit-009. Configured are: disk_monitor, network_monitor, system_info, kit-001, kit-002.\n",
    );
    const job = await run("kit-001", "--job", "dinner");
    assert.deepEqual([job.code, job.stdout], [1, ""]);
    assert.equal(job.stderr, "Target kit-001 has no job dinner. Its jobs are: drones, signals, status, about.\n");
  });
  assert.equal(existsSync(folder.at("data")), false);
});
