import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { resolveTargets } from "../../src/config/targets.ts";
import { plugins } from "./plugins.ts";

/** A value that no message may repeat. The files of this folder hold it, or get it by ${CANARY}. */
const CANARY = "canary-9f86d081884c";

const here = import.meta.dirname;

/** Every problem of a file: those of loading it, and when it loads, those of resolving its targets. */
async function problemsOf(file: string): Promise<readonly string[]> {
  const isKits = file.startsWith("invalid-kits-");
  const env = { CANARY, ...(isKits ? { KITS_CONFIG: file } : { GLEANER_CONFIG: file }) };
  try {
    const config = loadConfig({ env, cwd: here });
    return (await resolveTargets(config, config.kitList, plugins)).problems;
  } catch (error) {
    assert.ok(error instanceof ConfigError, `expected a ConfigError, got ${error}`);
    return error.problems;
  }
}

/** The comment lines a file begins with are the problems it must give. */
function expectedOf(file: string): string[] {
  const lines = readFileSync(join(here, file), "utf8").split("\n");
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith("# ")),
    )
    .map((line) => line.slice(2));
}

for (const file of readdirSync(here).filter((name) => /^invalid-.*\.yaml$/.test(name))) {
  test(file, async () => {
    const problems = await problemsOf(file);
    assert.deepEqual(problems, expectedOf(file));
    assert.ok(problems.length > 0 && !problems.join("\n").includes("canary"), "a message repeats a secret");
  });
}
