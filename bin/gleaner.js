#!/usr/bin/env node
// Plain JavaScript with nothing imported before the check: an older Node must be able to read this file and say what is wrong.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `gleaner needs Node 24.15 or newer; this is ${process.version}. Run it through npm (npm start, npx gleaner), which brings its own, or install a newer Node.`,
  );
  process.exit(1);
}
// Memory, where the process lasts: V8 lets its heap grow to several times of what is in use before it looks for what is not,
// and malloc keeps what was given back. Both are settled when a process starts, so this one starts anew: in its place, with
// the same pid. What it gains is in docs/benchmarks.md.
const SMALL_HEAP = ["--max-semi-space-size=4", "--heap-growing-percent=80"];
const SMALL_MALLOC = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "131072", MALLOC_TRIM_THRESHOLD_: "8388608" };
const isAsked = /--(max-semi-space-size|heap-growing-percent)/.test(
  [...process.execArgv, process.env.NODE_OPTIONS].join(" "),
);
const [, , first = "serve"] = process.argv;
const isServing = first === "serve" || first.startsWith("--");
if (isServing && process.platform === "linux" && process.execve && !isAsked) {
  const args = [process.execPath, ...SMALL_HEAP, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...SMALL_MALLOC, ...process.env });
}
// TypeScript is stripped once and kept: without the cache every start pays for it again.
const { default: module } = await import("node:module");
module.enableCompileCache?.();
const { main } = await import("../src/cli.ts");
await main(process.argv);
