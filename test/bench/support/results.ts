import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Line } from "./bench.ts";
import type { Machine } from "./machine.ts";

/** What one bench came to, and where and when. */
export interface Result {
  readonly bench: string;
  /** The command that gives these lines again. */
  readonly command: string;
  /** The day, as ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly lines: readonly Line[];
}

/** Reads results that were kept; none when there is no such file. JSON has no NaN, so what is no number comes back as one. */
export function readResults(file: string): Result[] {
  if (!existsSync(file)) return [];
  const numbers = (key: string, value: unknown) =>
    value === null && ["ours", "theirs", "ratio"].includes(key) ? Number.NaN : value;
  return JSON.parse(readFileSync(file, "utf8"), numbers) as Result[];
}

/** Writes results, those of a bench in the place of its former ones. @returns all of them, by name */
export function keepResults(file: string, results: readonly Result[]): Result[] {
  const byBench = new Map([...readResults(file), ...results].map((result) => [result.bench, result]));
  const all = [...byBench.values()].toSorted((a, b) => a.bench.localeCompare(b.bench));
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
  return all;
}
