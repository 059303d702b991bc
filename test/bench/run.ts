/**
 * Runs the benches, each in a process of its own, and prints a table: ours, the competitor's, the ratio, the bar.
 * `npm run bench`, `npm run bench -- exposition store --quick --json FILE`, `npm run bench -- collector --kits 2000 --seconds 60`.
 */
import { fork } from "node:child_process";
import { globSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BenchOptions, Line } from "./support/bench.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
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
async function inProcess(file: string): Promise<Line[]> {
  const child = fork(import.meta.filename, ["--child", resolve(file), ...optionArguments()], {
    execArgv: ["--expose-gc"],
  });
  const lines = await new Promise<Line[] | undefined>((done) => {
    child.once("message", (message) => done(message as Line[]));
    child.once("exit", () => done(undefined));
  });
  if (!lines) throw new Error(`${basename(file)} ended without a result`);
  return lines;
}

/** The options as they came, without what is only this process's business. */
function optionArguments(): string[] {
  const { json: _, child: __, ...rest } = values;
  return Object.entries(rest).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : typeof value === "string" ? [`--${name}`, value] : [],
  );
}

if (values.child) {
  const { run } = (await import(values.child)) as { run: (options: BenchOptions) => Promise<Line[]> };
  const lines = await run(options);
  process.send?.(lines, () => process.exit(0));
} else {
  const files = globSync(`${import.meta.dirname}/*.bench.ts`).sort();
  const wanted = files.filter((file) => positionals.length === 0 || positionals.includes(basename(file, ".bench.ts")));
  const lines: Line[] = [];
  for (const file of wanted) lines.push(...(await inProcess(file)));
  console.log(`\n${table(lines)}\n`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(lines, null, 2)}\n`);
  const failed = lines.filter((line) => line.pass === false).length;
  console.log(`${lines.filter((line) => line.pass).length} passed, ${failed} failed`);
  process.exitCode = failed > 0 && !values.quick ? 1 : 0;
}
