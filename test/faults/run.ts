/**
 * Runs the fault matrix and prints one table: `npm run faults`, `npm run faults -- --quick` (under five minutes),
 * `npm run faults -- --only D2,K5`, `--json FILE` for the figures, `--report` to write a run into docs/reliability.md.
 */
import { spawn } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Line } from "./support/fault.ts";
import { COLUMNS, writeReport } from "./support/report.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    json: { type: "string" },
    report: { type: "boolean", default: false },
  },
});

/** D2 before D10 before K1. */
const order = (a: Line, b: Line) => a.id.localeCompare(b.id, "en", { numeric: true });

function table(lines: readonly Line[]): string {
  const header = ["FAULT", "OUTCOME", "SECONDS", ...COLUMNS.map(([name]) => name.toUpperCase()), "WHAT"];
  const rows = lines.map((line) => [
    line.id,
    line.outcome,
    String(line.seconds),
    ...COLUMNS.map(([, key]) => String(line.figures[key] ?? "")),
    [line.title, line.reason ?? line.figures.note ?? ""].filter(Boolean).join(": "),
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

async function runFile(file: string, report: string, only = values.only): Promise<void> {
  const env = {
    ...process.env,
    FAULTS_REPORT: report,
    ...(values.quick ? { FAULTS_QUICK: "1" } : {}),
    ...(only ? { FAULTS_ONLY: only } : {}),
  };
  const child = spawn(process.execPath, ["--test", "--test-reporter=dot", file], {
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  await new Promise((resolve) => child.once("close", resolve));
}

/** The lines that were reported since it was last asked. */
function take(report: string): Line[] {
  const text = existsSync(report) ? readFileSync(report, "utf8") : "";
  rmSync(report, { force: true });
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

const folder = mkdtempSync(join(tmpdir(), "gleaner-faults-"));
const report = join(folder, "report.jsonl");
try {
  // One file after the other: the faults are about time, and two at once would measure each other.
  const files = globSync("test/faults/*.fault.ts").sort();
  for (const file of files) await runFile(file, report);
  const first = take(report);
  // What is about time can fail on a machine that does something else as well: it fails when it fails twice.
  const again = [...new Set(first.filter((line) => line.outcome === "failed").map((line) => line.id))];
  if (again.length > 0) {
    console.log(`once more: ${again.join(", ")}`);
    for (const file of files) await runFile(file, report, again.join(","));
  }
  const second = take(report).map((line) => ({ ...line, title: `${line.title} (second try)` }));
  const lines = [...first.filter((line) => !again.includes(line.id)), ...second].sort(order);
  console.log(`\n${table(lines)}\n`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(lines, null, 2)}\n`);
  if (values.report) writeReport("docs/reliability.md", lines, new Date().toISOString().slice(0, 10));
  const count = (outcome: Line["outcome"]) => lines.filter((line) => line.outcome === outcome).length;
  console.log(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
  process.exitCode = count("failed") > 0 || lines.length === 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
