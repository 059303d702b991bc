import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { configure, reconfigure } from "../../src/app/configure.ts";
import { temporaryFolder } from "../support/folder.ts";

const KITS = "kits:\n  - { id: kit-001, api_url: http://127.0.0.1:9 }\n";

test("a list of kits that is empty takes them away; a file without a list, or no file, does not", () => {
  using folder = temporaryFolder();
  const options = { env: {}, cwd: folder.path };
  const file = folder.write("kits.yaml", KITS);
  const { targets } = configure(options);
  assert.ok(targets.some(({ id }) => id === "kit-001"));
  for (const text of ["", "# kits:\n", "kits:\n"]) {
    folder.write("kits.yaml", text);
    assert.throws(() => reconfigure(options, targets), /kits/, JSON.stringify(text));
  }
  rmSync(file);
  assert.throws(() => reconfigure(options, targets), /kits\.yaml: expected a list of kits; .* write kits: \[\]/);
  folder.write("kits.yaml", "kits: []\n");
  const left = reconfigure(options, targets).targets;
  assert.ok(left.every(({ id }) => id !== "kit-001"));
  rmSync(file);
  assert.deepEqual(
    reconfigure(options, left).targets.map(({ id }) => id),
    left.map(({ id }) => id),
    "without kits none is missed",
  );
});
