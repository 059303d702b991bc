#!/usr/bin/env node
// Plain JavaScript with nothing imported before the check: an older Node must be able to read this file and say what is wrong.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `gleaner needs Node 24.15 or newer; this is ${process.version}. Run it through npm (npm start, npx gleaner), which brings its own, or install a newer Node.`,
  );
  process.exit(1);
}
// Memory, where the process lasts: a small young generation and few arenas of malloc cost a fleet of 300 kits 290 MB instead
// of 380 MB. Both are settled when a process starts, so this one starts anew: in its place, with the same pid.
const SMALL = "--max-semi-space-size=4";
const isAsked = /--max-semi-space-size/.test([...process.execArgv, process.env.NODE_OPTIONS].join(" "));
const [, , first = "serve"] = process.argv;
const isServing = first === "serve" || first.startsWith("--");
if (isServing && process.platform === "linux" && process.execve && !isAsked) {
  const env = { MALLOC_ARENA_MAX: "2", ...process.env };
  process.execve(process.execPath, [process.execPath, SMALL, ...process.execArgv, ...process.argv.slice(1)], env);
}
// TypeScript is stripped once and kept: without the cache every start pays for it again.
const { default: module } = await import("node:module");
module.enableCompileCache?.();
const { main } = await import("../src/cli.ts");
await main(process.argv);
