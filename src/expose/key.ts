import { escapeLabelValue, isLabelName } from "./format.ts";

/**
 * Labels as written and as compared, `{a="b"}`; empty without labels, undefined when one cannot be exposed.
 * An empty value is no label, as in Prometheus.
 * @param labelNames Names in the order this family first had them, and where new ones are added: one order for all, so
 * that equal labels give equal keys.
 */
export function keyOf(labelNames: string[], labels: Readonly<Record<string, string>>): string | undefined {
  const pieces: string[] = [];
  let last = -1;
  for (const name of Object.keys(labels)) {
    const value = labels[name];
    if (value === "") continue;
    if (typeof value !== "string") return undefined;
    let rank = labelNames.indexOf(name);
    if (rank < 0) {
      if (!isLabelName(name)) return undefined;
      rank = labelNames.push(name) - 1;
    }
    if (rank < last) return keyOf(labelNames, inOrder(labelNames, labels));
    last = rank;
    pieces.push(pieces.length === 0 ? "{" : ",", name, '="', escapeLabelValue(value), '"');
  }
  // Joined, as V8 keeps what is added up in pieces, in several times the memory.
  return pieces.length === 0 ? "" : [...pieces, "}"].join("");
}

function inOrder(labelNames: readonly string[], labels: Readonly<Record<string, string>>): Record<string, string> {
  const rank = (name: string): number => labelNames.indexOf(name) >>> 0; // unknown (-1) goes last
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => rank(a) - rank(b)));
}

/** Whether these labels, in this order, surely have the key: a cheap yes that spares building it. */
export function hasKey(key: string, labels: Readonly<Record<string, string>>): boolean {
  let at = 0;
  let count = 0;
  for (const name of Object.keys(labels)) {
    const value = labels[name];
    if (value === "") continue;
    if (typeof value !== "string") return false;
    const valueAt = at + 1 + name.length + 2;
    if (!key.startsWith(name, at + 1) || !key.startsWith('="', valueAt - 2) || !key.startsWith(value, valueAt))
      return false;
    at = valueAt + value.length + 1;
    if (key[at - 1] !== '"') return false;
    count += 1;
  }
  if (count === 0) return key === "";
  // With escapes, or a quote in a name or value, other labels may read the same.
  return at === key.length - 1 && !key.includes("\\") && quotesIn(key) === 2 * count;
}

function quotesIn(key: string): number {
  let count = 0;
  for (let at = key.indexOf('"'); at >= 0; at = key.indexOf('"', at + 1)) count += 1;
  return count;
}
