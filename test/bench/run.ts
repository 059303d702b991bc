/**
 * Runs the benches, each in a process of its own, and prints a table of each: ours, the competitor's, the ratio, the bar.
 * `npm run bench`, `npm run bench -- exposition store --quick --json FILE`, `npm run bench -- collector --kits 2000 --seconds 60`.
 * `--report` writes docs/benchmarks.md: the benches that ran replace what it has of them.
 */
import { fork } from "node:child_process";
import { globSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BenchOptions, Line } from "./support/bench.ts";
import { thisMachine } from "./support/machine.ts";
import type { Result } from "./support/results.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    report: { type: "boolean", default: false },
    kits: { type: "string" },
    seconds: { type: "string" },
    child: { type: "string" },
  },
});

const options: BenchOptions = {
  quick: values.quick,
  ...(values.kits ? { kits: Number(values.kits) } : {}),
  ...(values.seconds ? { seconds: Number(values.seconds) } : {}),
};

const number = (value: number) =>
  Number.isFinite(value) ? value.toLocaleString("en", { maximumSignificantDigits: 4 }) : "";

function table(lines: readonly Line[]): string {
  const header = ["BENCH", "WHAT", "OURS", "THEIRS", "UNIT", "AGAINST", "RATIO", "BAR", ""];
  const rows = lines.map(({ bench, what, unit, ours, against, theirs, ratio, bar, pass, note }) => [
    ...[bench, what, number(ours), number(theirs), unit, against, number(ratio)],
    bar ? `${bar.op} ${number(bar.value)}` : "",
    note ? `not measured: ${note}` : pass === null ? "" : pass ? "pass" : "FAIL",
  ]);
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => (row[i] ?? "").length)));
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A process of its own a bench: memory and compiled code of one must not weigh on the next. */
function inProcess(file: string): Promise<readonly Line[] | undefined> {
  const child = fork(import.meta.filename, ["--child", resolve(file), ...optionArguments()], {
    execArgv: ["--expose-gc"],
    serialization: "advanced",
  });
  return new Promise((done) => {
    child.once("message", (message) => done(message as Line[]));
    child.once("exit", () => done(undefined));
  });
}

/** Runs a bench. @returns undefined when it ended without a result: the others go on */
async function measured(file: string): Promise<Result | undefined> {
  const bench = basename(file, ".bench.ts");
  const lines = await inProcess(file);
  if (!lines) return undefined;
  const command = ["npm run bench --", bench, ...optionArguments()].join(" ");
  return { bench, command, date: new Date().toISOString().slice(0, 10), machine: thisMachine(), lines };
}

/** The options as they came, without what is only this process's business. */
function optionArguments(): string[] {
  const { json: _, child: __, report: ___, ...rest } = values;
  return Object.entries(rest).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : typeof value === "string" ? [`--${name}`, value] : [],
  );
}

if (values.child) {
  const { run } = (await import(values.child)) as { run: (options: BenchOptions) => Promise<Line[]> };
  const lines = await run(options);
  process.send?.(lines, () => process.exit(0));
} else {
  if (values.report && values.quick) throw new Error("--quick figures are no verdict: they do not go into the report");
  const files = globSync(`${import.meta.dirname}/*.bench.ts`).sort();
  const wanted = files.filter((file) => positionals.length === 0 || positionals.includes(basename(file, ".bench.ts")));
  const results: Result[] = [];
  const broken: string[] = [];
  for (const file of wanted) {
    const begun = performance.now();
    const result = await measured(file);
    // At once: whoever stops the rest keeps what there is.
    if (result) console.log(`\n${table(result.lines)}\n`);
    console.log(`${basename(file)}: ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
    if (result) results.push(result);
    else broken.push(basename(file));
  }
  const lines = results.flatMap((result) => result.lines);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  // Loaded here: drawing is no part of what is measured.
  if (values.report) (await import("./report.ts")).writeReport(results);
  for (const file of broken) console.log(`${file} ended without a result`);
  const failed = lines.filter((line) => line.pass === false).length;
  console.log(`${lines.filter((line) => line.pass).length} passed, ${failed} failed`);
  process.exitCode = broken.length > 0 || (failed > 0 && !values.quick) ? 1 : 0;
}
