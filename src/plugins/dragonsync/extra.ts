import { type Entry, keep, type Residue, storable } from "./fields.ts";
import { count } from "./tally.ts";

/** Longest `extra` (bytes); a kit's unknown fields are a few hundred. */
const MAX_EXTRA = 16_384;
/** Most fields of one entry that are looked at one by one; a real one has 45. */
export const MAX_FIELDS = 500;
const KEYS_IN_NOTE = 20;

/**
 * Everything of an entry that no column holds, as JSON text: unknown fields, and the raw values kept while reading.
 * Null when there is nothing. Over 16 KB, or 500 fields, it is a note of its size and first keys, and counted.
 * @param known names of the fields that columns hold
 */
export function extraOf(entry: Entry, known: ReadonlySet<string>, residue: Residue): string | null {
  // Of nearly every entry there is none: no list of all its fields is made.
  const unknown: string[] = [];
  for (const key in entry) if (!known.has(key)) unknown.push(key);
  if (unknown.length > MAX_FIELDS) return note(residue, { fields: unknown.length }, unknown);
  for (const key of unknown) keep(residue, key, entry[key]);
  if (residue.extra === null) return null;
  // Measured before it is copied: a hostile kit may have put megabytes there.
  const bytes = Buffer.byteLength(JSON.stringify(residue.extra));
  if (bytes > MAX_EXTRA) return note(residue, { bytes }, Object.keys(residue.extra));
  return JSON.stringify(cleaned(residue.extra));
}

function note(residue: Residue, size: Readonly<Record<string, number>>, keys: readonly string[]): string {
  count(residue.tally, "extra_too_large", Object.entries(size).flat().reverse().join(" "));
  const first = keys.slice(0, KEYS_IN_NOTE).map((key) => storable(key.slice(0, 64)));
  return JSON.stringify({ cut: { ...size, keys: first } });
}

/**
 * A copy of parsed JSON that a jsonb column takes: texts and keys are storable, objects have no prototype.
 * Recursion is safe because parseBody bounds the depth.
 */
export function cleaned(value: unknown): unknown {
  if (typeof value === "string") return storable(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) copy[storable(key)] = cleaned(inner);
  return copy;
}
