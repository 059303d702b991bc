import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "../support/folder.ts";
import { type Env, startGleaner } from "../support/process.ts";

/** Loads what `gleaner serve` loads before it has read its configuration, and tells what that was. */
const LOOK = `
  import { registerHooks } from "node:module";
  const packages = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      packages.add(/.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(found.url)?.[1]);
      return found;
    },
  });
  for (const file of ["main.ts", "http/server.ts"]) await import(new URL(file, "${new URL("../../src/", import.meta.url)}"));
  console.log(JSON.stringify({ packages: [...packages], builtins: process.moduleLoadList }));
`;

/** What one plugin, one store or one setting needs is loaded when that is there: at rest, gleaner is to stay under 120 MB. */
const ON_DEMAND = /^(@opentelemetry\/(?!api$).*|undici|pg|pg-copy-streams|ioredis|mysql2|systeminformation)$/;

it("what is not needed at rest is not loaded", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", LOOK]);
  const { packages, builtins } = JSON.parse(stdout) as { packages: string[]; builtins: string[] };
  assert.ok(packages.includes("express") && packages.includes("kysely"), "the look sees what is loaded");
  assert.deepEqual(
    packages.filter((name) => ON_DEMAND.test(name)),
    [],
  );
  // Importing node:http does it; see src/http/server.ts.
  assert.ok(!builtins.some((name) => name.includes("deps/undici")), "the undici that is built into Node");
});

it("the service has its limits on memory in the process that was started, and leaves those alone that somebody set", {
  skip: process.platform !== "linux",
}, async () => {
  const started = async (env: Env) => {
    using folder = temporaryFolder();
    await using gleaner = await startGleaner({ cwd: folder.path, env });
    const read = (file: string) => readFileSync(`/proc/${gleaner.pid}/${file}`, "utf8").split("\0");
    return {
      args: read("cmdline").slice(1),
      arenas: read("environ").filter((name) => /^MALLOC_ARENA_MAX=/.test(name)),
    };
  };
  const usual = await started({ NODE_OPTIONS: undefined, MALLOC_ARENA_MAX: undefined });
  assert.equal(usual.args[0], "--max-semi-space-size=4");
  assert.deepEqual(usual.arenas, ["MALLOC_ARENA_MAX=2"]);
  const own = await started({ NODE_OPTIONS: "--max-semi-space-size=32", MALLOC_ARENA_MAX: "8" });
  assert.match(own.args[0] ?? "", /bin\/gleaner\.js$/);
  assert.deepEqual(own.arenas, ["MALLOC_ARENA_MAX=8"]);
});
