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

/** Letters to insert, remove, replace or swap with their neighbour; one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(Math.min(replace, at(row, j) + 1, at(next, j - 1) + 1, swapped ? at(before, j - 2) + 1 : replace));
    }
    [before, row] = [row, next];
  }
  return at(row, b.length);
}

const at = (row: readonly number[], column: number): number => row[column] ?? 0;
