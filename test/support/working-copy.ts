import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type TemporaryFolder, temporaryFolder } from "./folder.ts";
import { runProgram } from "./program.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** What writing a plugin needs; tests of everything else stay behind. */
const PARTS = [
  ...["package.json", "tsconfig.json", "biome.json", ".gitignore", "bin", "src"],
  ...["test/support", "test/contract/plugin.test.ts", "test/plugins/cases.test.ts"],
];

/** A working copy of gleaner to write into, without its plugins' own tests. */
export function workingCopy(): TemporaryFolder {
  const folder = temporaryFolder();
  for (const part of PARTS) {
    mkdirSync(dirname(folder.at(part)), { recursive: true });
    cpSync(join(ROOT, part), folder.at(part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), folder.at("node_modules"));
  return folder;
}

/** Runs a shell script in a folder, with this Node first; its code, and all it said. */
export function runShell(script: string, cwd: string): Promise<{ code: number | null; output: string }> {
  const path = `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  const { HOME = "/tmp" } = process.env;
  // Not this process' environment: a test runner within a test runner would report to the outer one.
  return runProgram("bash", ["-euo", "pipefail", "-c", script], { cwd, env: { PATH: path, HOME } });
}
