import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { test } from "node:test";

/** What a fault did: rows by what became of them, and how long and how heavy it was. Absent where it means nothing. */
export interface Figures {
  /** Rows that sources handed over completely. */
  readonly offered?: number;
  readonly stored?: number;
  readonly spooled?: number;
  readonly rejected?: number;
  readonly dropped?: number;
  /** offered − stored − spooled − rejected − dropped, counted row by row. */
  readonly missing?: number;
  readonly duplicates?: number;
  /** From the fault's end to an empty backlog. */
  readonly recoverySeconds?: number;
  readonly peakRssMb?: number;
  /** Share of the polls of the kits that were well which came within their period. */
  readonly onTimePercent?: number;
  readonly note?: string;
}

export interface FaultOptions {
  /** Part of `npm run faults -- --quick`. */
  readonly quick: boolean;
  /** Longest it may take (ms); two minutes when absent. */
  readonly timeout?: number;
  /** Why it cannot run here; it is then listed with this reason. */
  readonly skip?: string | false;
}

/** One line of the report that `npm run faults` prints. */
export interface Line {
  readonly id: string;
  readonly title: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
  readonly figures: Figures;
  readonly reason?: string;
}

const DEFAULT_TIMEOUT_MS = 120_000;

function report(line: Line): void {
  const file = process.env["FAULTS_REPORT"];
  if (file) appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** Whether this run wants the fault: `--quick` leaves the long ones out, `--only` names some. */
function isWanted(id: string, quick: boolean): boolean {
  const only = process.env["FAULTS_ONLY"]?.split(",");
  if (only) return only.includes(id);
  return quick || process.env["FAULTS_QUICK"] !== "1";
}

/**
 * Declares one row of the fault matrix as a test. It fails when rows are missing or doubled, whatever else it asserts;
 * its figures go into the report.
 */
export function fault(id: string, title: string, options: FaultOptions, run: () => Promise<Figures>): void {
  if (!isWanted(id, options.quick)) return;
  const { skip = false, timeout = DEFAULT_TIMEOUT_MS } = options;
  if (skip) {
    report({ id, title, outcome: "skipped", seconds: 0, figures: {}, reason: skip });
    test(`${id} ${title}`, { skip });
    return;
  }
  test(`${id} ${title}`, { timeout }, async () => {
    const begun = performance.now();
    const seconds = () => Math.round((performance.now() - begun) / 100) / 10;
    const figures = await run().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
      report({ id, title, outcome: "failed", seconds: seconds(), figures: {}, reason: reason ?? "" });
      throw error;
    });
    report({ id, title, outcome: isClean(figures) ? "passed" : "failed", seconds: seconds(), figures });
    assert.equal(figures.missing ?? 0, 0, "rows are missing");
    assert.equal(figures.duplicates ?? 0, 0, "rows are there twice");
  });
}

const isClean = ({ missing = 0, duplicates = 0 }: Figures) => missing === 0 && duplicates === 0;
