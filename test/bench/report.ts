/**
 * Writes docs/benchmarks.md and its plots from the results that were kept with them: `node test/bench/report.ts`. Running
 * benches with `npm run bench -- --report` keeps their results and ends with the same.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { growth } from "./support/growth.ts";
import { overview } from "./support/overview.ts";
import { benchPart, fillPage, machinePart, summaryPart } from "./support/page.ts";
import { keepResults, type Result } from "./support/results.ts";

const DOCS = resolve(import.meta.dirname, "../../docs");

/** Keeps new results beside the former ones, and makes the page and the plots anew. Prose on the page stays as it is. */
export function writeReport(results: readonly Result[], docs = DOCS): void {
  const page = join(docs, "benchmarks.md");
  const plots = join(docs, "benchmarks");
  mkdirSync(plots, { recursive: true });
  const all = keepResults(join(plots, "results.json"), results);
  const plot = (name: string, svg: string, text: string) => {
    writeFileSync(join(plots, `${name}.svg`), svg);
    return `![${text}](benchmarks/${name}.svg)\n\n`;
  };
  const lines = all.flatMap((result) => result.lines);
  const parts: Record<string, string> = {
    machine: machinePart(all),
    summary: plot("overview", overview(lines), "How many times better than its bar each line is") + summaryPart(all),
    ...Object.fromEntries(all.map((result) => [result.bench, benchPart(result)])),
  };
  const fleet = all.find(({ bench }) => bench === "collector");
  if (fleet)
    parts["collector"] = plot("collector", growth(fleet.lines), "The collector as its fleet grows") + benchPart(fleet);
  writeFileSync(page, fillPage(existsSync(page) ? readFileSync(page, "utf8") : "# Benchmarks\n", parts));
}

if (import.meta.main) writeReport([]);
