import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { FAULTS } from "../../src/demo/faults.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner } from "../support/process.ts";

const COMMANDS = ["serve", "check", "run", "jobs", "migrate", "plugins", "kits", "demo"];

test("--help names every command, the default address and database, and where to read on", async () => {
  using folder = temporaryFolder();
  const { code, stdout, stderr } = await runGleaner(["--help"], { cwd: folder.path });
  assert.deepEqual([code, stderr], [0, ""]);
  for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command}( |$)`, "m"));
  for (const text of ["./data/gleaner.db", "http://127.0.0.1:9470", "kits.example.yaml", "gleaner.example.yaml"])
    assert.ok(stdout.includes(text), text);
  assert.equal((await runGleaner(["--version"], { cwd: folder.path })).stdout, `${packageJson.version}\n`);
});

test("every command explains itself, and what it lists as files is there", async () => {
  using folder = temporaryFolder();
  const helps = await Promise.all(
    [...COMMANDS.map((command) => [command]), ["plugins", "list"], ["kits", "list"]].map((words) =>
      runGleaner([...words, "--help"], { cwd: folder.path }),
    ),
  );
  for (const { code, stdout } of helps) {
    assert.equal(code, 0);
    const [usage, , description = ""] = stdout.split("\n");
    assert.match(usage ?? "", /^Usage: gleaner \w+/);
    assert.ok(description.length > 8, stdout);
  }
  const demo = helps.map(({ stdout }) => stdout).find((text) => text.startsWith("Usage: gleaner demo")) ?? "";
  for (const fault of Object.keys(FAULTS)) assert.match(demo, new RegExp(`^  ${fault} `, "m"));
  for (const file of ["kits.example.yaml", "gleaner.example.yaml", "docs/configuration.md"])
    assert.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file);
});

test("what is no command, option or number is one sentence, exit 1, and starts nothing", async () => {
  using folder = temporaryFolder();
  const wrong: [string[], RegExp][] = [
    [["frobnicate"], /^error: there is no command "frobnicate"\n/],
    [["--frobnicate"], /^error: unknown option '--frobnicate'/],
    [["run"], /^error: missing required argument 'target'/],
    [["jobs", "extra"], /^error: too many arguments for 'jobs'/],
    [["demo", "--kits", "many"], /expected a whole number from 1/],
  ];
  await Promise.all(
    wrong.map(async ([args, message]) => {
      const { code, stdout, stderr } = await runGleaner(args, { cwd: folder.path });
      assert.deepEqual([code, stdout], [1, ""], args.join(" "));
      assert.match(stderr, message);
      assert.match(stderr, /\(see gleaner --help\)/);
    }),
  );
  assert.equal(existsSync(folder.at("data")), false);
});

/** A Node of the system that is too old, if there is one. */
const old = ["/usr/bin/node", "/usr/local/bin/node", "/usr/bin/nodejs"].find((path) => {
  const version = existsSync(path) ? spawnSync(path, ["--version"], { encoding: "utf8" }).stdout : "";
  const [major = 99, minor = 0] = version.slice(1).split(".").map(Number);
  return version !== "" && (major < 24 || (major === 24 && minor < 15));
});

test("an older Node is told so in one sentence", {
  skip: old ? false : "no Node older than 24.15 is installed",
}, () => {
  const bin = fileURLToPath(new URL("../../bin/gleaner.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(old ?? "", [bin, "--version"], { encoding: "utf8" });
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /^gleaner needs Node 24\.15 or newer; this is v\d+\.\d+\.\d+\. .*\n$/);
});
