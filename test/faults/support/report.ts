import { readFileSync, writeFileSync } from "node:fs";
import type { Figures, Line } from "./fault.ts";

/** The figures of a fault, in the order of every table: heading, key. */
export const COLUMNS: readonly [string, keyof Figures][] = [
  ["offered", "offered"],
  ["stored", "stored"],
  ["spooled", "spooled"],
  ["rejected", "rejected"],
  ["dropped", "dropped"],
  ["missing", "missing"],
  ["double", "duplicates"],
  ["recovery s", "recoverySeconds"],
  ["RSS MB", "peakRssMb"],
  ["on time %", "onTimePercent"],
];

const [BEGIN, END] = ["<!-- the last run -->", "<!-- end of the last run -->"];

/** Writes a run into the page of reliability, between its two marks. `date`: as it stands there. */
export function writeReport(page: string, lines: readonly Line[], date: string): void {
  const text = readFileSync(page, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} lacks ${BEGIN} … ${END}`);
  const inside = `${BEGIN}\n\n${markdown(lines, date)}\n\n`;
  writeFileSync(page, text.slice(0, begin) + inside + text.slice(end));
}

function markdown(lines: readonly Line[], date: string): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const ran = lines.filter((line) => line.outcome !== "skipped");
  const skipped = lines.filter((line) => line.outcome === "skipped");
  const failed = ran.filter((line) => line.outcome === "failed").length;
  const header = ["fault", "what", "", ...COLUMNS.map(([name]) => name)];
  const rows = ran.map(({ id, title, figures, outcome }) => [
    ...[id, [title, figures.note ?? ""].filter(Boolean).join(": "), outcome],
    ...COLUMNS.map(([, key]) => String(figures[key] ?? "")),
  ]);
  return [
    `\`npm run faults\`, ${date}: ${ran.length - failed} passed, ${failed} failed, ${skipped.length} skipped.`,
    "",
    ...[header, header.map(() => "---"), ...rows].map(row),
    ...(skipped.length > 0 ? ["", "Not run there:", "", ...skipped.map((line) => `- ${line.id}: ${line.reason}`)] : []),
  ].join("\n");
}
