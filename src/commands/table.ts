/** Columns side by side, each as wide as its widest cell; the last one runs on. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A time as text to read and to sort by, or `never`. */
export function when(date: Date | string | null): string {
  return date === null ? "never" : new Date(date).toISOString().replace("T", " ").slice(0, 19);
}
