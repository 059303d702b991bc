#!/usr/bin/env node
// Plain JavaScript with nothing imported before the check: an older Node must be able to read this file and say what is wrong.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `gleaner needs Node 24.15 or newer; this is ${process.version}. Run it through npm (npm start, npx gleaner), which brings its own, or install a newer Node.`,
  );
  process.exit(1);
}
// TypeScript is stripped once and kept: without the cache every start pays for it again.
const { default: module } = await import("node:module");
module.enableCompileCache?.();
const { main } = await import("../src/cli.ts");
await main(process.argv);
