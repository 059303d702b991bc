import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { configure, reconfigure } from "../../src/app/configure.ts";
import { createExternal } from "../../src/app/external.ts";
import { loadConfig } from "../../src/config/load.ts";
import { temporaryFolder } from "../support/folder.ts";
import { keepingLog } from "./support.ts";

const KITS = "kits:\n  - { id: kit-001, api_url: http://127.0.0.1:9 }\n";

test("a list of kits that is empty takes them away; a file without a list, or no file, does not", async () => {
  using folder = temporaryFolder();
  const options = { env: {}, cwd: folder.path };
  const external = createExternal({ log: keepingLog(), env: {} });
  const file = folder.write("kits.yaml", KITS);
  const { targets } = await configure(loadConfig(options), external);
  assert.ok(targets.some(({ id }) => id === "kit-001"));
  for (const text of ["", "# kits:\n", "kits:\n"]) {
    folder.write("kits.yaml", text);
    await assert.rejects(async () => reconfigure(loadConfig(options), external, targets), /kits/, JSON.stringify(text));
  }
  rmSync(file);
  await assert.rejects(
    () => reconfigure(loadConfig(options), external, targets),
    /kits\.yaml: expected a list of kits; .* write kits: \[\]/,
  );
  folder.write("kits.yaml", "kits: []\n");
  const { targets: left } = await reconfigure(loadConfig(options), external, targets);
  assert.ok(left.every(({ id }) => id !== "kit-001"));
  rmSync(file);
  assert.deepEqual(
    (await reconfigure(loadConfig(options), external, left)).targets.map(({ id }) => id),
    left.map(({ id }) => id),
    "without kits none is missed",
  );
});
