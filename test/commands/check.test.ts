import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { startKits } from "../../src/demo/kit-sim.ts";
import { kitsYaml } from "../../src/demo/kits-yaml.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner } from "../support/process.ts";

test("check: all is well, a line each, and nothing was made", async (t) => {
  using folder = temporaryFolder();
  const sim = await startKits({ count: 1 });
  t.after(() => sim.close());
  folder.write("kits.yaml", kitsYaml(sim.kits));
  const { code, stdout, stderr } = await runGleaner(["check"], { cwd: folder.path });
  assert.deepEqual([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines[0], "ok      configuration: kits.yaml; 4 targets");
  assert.equal(lines[1], `ok      store: sqlite ${folder.at("data/gleaner.db")}, to be created at the first start`);
  for (const what of ["plugin system_info system", "kit kit-001 drones", "kit kit-001 signals", "kit kit-001 status"])
    assert.ok(
      lines.some((line) => new RegExp(`^ok      ${what}: ok \\(\\d+ ms\\)$`).test(line)),
      `${what}\n${stdout}`,
    );
  assert.equal(existsSync(folder.at("data")), false);
});

test("check: what does not work is named with its reason, the rest is checked all the same, exit 1", async (t) => {
  using folder = temporaryFolder();
  const faults = {
    "kit-002": "refused",
    "kit-003": "http_500",
    "kit-004": "garbage",
    "kit-005": "no_signals",
  } as const;
  const sim = await startKits({ count: 5, faults });
  t.after(() => sim.close());
  folder.write("kits.yaml", kitsYaml(sim.kits));
  const env = { DATABASE_URL: "postgresql://gleaner:hush@127.0.0.1:1/gleaner" };
  const { code, stdout, stderr } = await runGleaner(["check"], { cwd: folder.path, env });
  assert.equal(code, 1);
  const failed = stdout.split("\n").filter((line) => line.startsWith("FAILED"));
  const reasons = failed.map((line) => line.replace(/ \(\d+ ms\)$/, "").slice("FAILED  ".length));
  const [store, ...kits] = reasons;
  assert.match(store ?? "", /^store: .*127\.0\.0\.1:1/);
  assert.ok(!stdout.includes("hush") && !stderr.includes("hush"));
  const of = (kit: string) => kits.filter((reason) => reason.startsWith(`kit ${kit} `)).join("\n");
  assert.equal(of("kit-001"), "");
  assert.match(of("kit-002"), /^kit kit-002 drones: failed: unreachable: .*ECONNREFUSED/m);
  assert.match(of("kit-003"), /^kit kit-003 drones: failed: http_status: GET \/drones: HTTP 500/m);
  assert.match(of("kit-004"), /^kit kit-004 drones: failed: bad_data: /m);
  assert.equal(of("kit-005"), "", "a feature that a kit lacks is no failure");
  assert.match(stdout, /^ok +kit kit-005 signals: nothing: this kit has no \/signals/m);
  assert.match(stdout, /^ok +kit kit-001 drones: ok/m);
  const all = stdout.trimEnd().split("\n").length;
  assert.equal(stderr, `${failed.length} of ${all} checks failed.\n`);
});

test("check: a configuration that is not usable is shown with every place, and nothing else is tried", async () => {
  using folder = temporaryFolder();
  folder.write("my.yaml", "log:\n  level: loud\nserver:\n  listen: here\n");
  const { code, stdout, stderr } = await runGleaner(["check", "my.yaml"], { cwd: folder.path });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(
    stderr,
    /^The configuration is not usable:\nmy\.yaml:2:10 log\.level: .*\nmy\.yaml:4:11 server\.listen: /,
  );
  const missing = await runGleaner(["check", "none.yaml"], { cwd: folder.path });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /none\.yaml does not exist/);
});
