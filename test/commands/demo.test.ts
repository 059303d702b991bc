import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner, startGleaner } from "../support/process.ts";
import { kitState, scrape } from "../support/scrape.ts";

/** What is in a temporary folder, besides what Node itself keeps there. */
const left = (path: string) => readdirSync(path).filter((name) => name !== "node-compile-cache");

test("demo: starts kits and a gleaner that polls them, and leaves no process, no file and no row behind", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.at("tmp"));
  // A configured database is for real kits: nothing listens there, so touching it would fail.
  const env = { TMPDIR: folder.at("tmp"), DATABASE_URL: "postgresql://gleaner@127.0.0.1:1/gleaner", MAX_RETRIES: "0" };
  const args = ["demo", "--kits", "3", "--drones", "2", "--signals", "1", "--faults", "kit-003=refused"];
  await using gleaner = await startGleaner({ cwd: folder.path, env }, args);
  await eventually(async () => {
    const series = await scrape(gleaner);
    assert.deepEqual(
      ["kit-001", "kit-002", "kit-003"].map((kit) => kitState(series, kit)),
      ["online", "online", "offline"],
    );
    assert.ok(series.has('gleaner_kit_drones{kit="kit-001",track_type="drone"}'));
  });
  assert.match(gleaner.screen(), /3 simulated kits, some with a fault: kit-003 refused\n/);
  const discovered = (await (await gleaner.get("/sd/kits")).json()) as { targets: string[] }[];
  assert.equal(discovered.length, 3);
  assert.deepEqual(await gleaner.stop("SIGINT"), { code: 0, signal: null });
  for (const { targets } of discovered) await assert.rejects(fetch(`http://${targets[0]}/status`), "its kits are gone");
  assert.deepEqual(left(folder.at("tmp")), []);
  assert.deepEqual(readdirSync(folder.path), ["tmp"]);
});

test("demo: a fault that does not exist: exit 1, what there are, and nothing left", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.at("tmp"));
  const place = { cwd: folder.path, env: { TMPDIR: folder.at("tmp") } };
  const { code, stderr } = await runGleaner(["demo", "--kits", "1", "--faults", "kit-001=nap"], place);
  assert.equal(code, 1);
  assert.match(stderr, /unknown fault "nap"; there are: healthy, slow/);
  assert.deepEqual(left(folder.at("tmp")), []);
});
