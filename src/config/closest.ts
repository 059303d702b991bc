/** How many letters may differ before a suggestion would be a guess. */
const allowed = (word: string): number => Math.max(1, Math.floor(word.length / 3));

/** The known word that `word` most likely meant, or undefined. Case, `-` and `_` do not count as differences. */
function closest(word: string, known: readonly string[]): string | undefined {
  const wanted = plain(word);
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate));
    if (distance <= allowed(candidate) && (best === undefined || distance < best.distance))
      best = { candidate, distance };
  }
  return best?.candidate;
}

/** `, did you mean "interval"?`, or the list of what is known when nothing is near. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = closest(word, known);
  if (near !== undefined) return `, did you mean "${near}"?`;
  return known.length > 0 ? `; known here: ${known.join(", ")}` : "";
}

/** Keys can be up to 1024 characters; nothing that long is a typing error, and the table is quadratic. */
const plain = (word: string): string => word.slice(0, 64).toLowerCase().replaceAll(/[-_]/g, "");

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column++) {
      const replace = (row[column - 1] ?? 0) + (letter === b[column - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
