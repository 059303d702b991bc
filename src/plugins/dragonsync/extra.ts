import { type Entry, keep, type Residue, storable } from "./fields.ts";
import { count } from "./tally.ts";

/** Longest `extra` (bytes); a kit's unknown fields are a few hundred. */
const MAX_EXTRA = 16_384;
const KEYS_IN_NOTE = 20;

/**
 * Everything of an entry that no column holds, as JSON text: unknown fields, and the raw values kept while reading.
 * Null when there is nothing. Over 16 KB it is a note of its size and first keys, and counted.
 * @param known names of the fields that columns hold
 */
export function extraOf(entry: Entry, known: ReadonlySet<string>, residue: Residue): string | null {
  for (const key of Object.keys(entry)) if (!known.has(key)) keep(residue, key, entry[key]);
  if (residue.extra === null) return null;
  const text = JSON.stringify(cleaned(residue.extra));
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_EXTRA) return text;
  count(residue.tally, "extra_too_large", `${bytes} bytes`);
  const keys = Object.keys(residue.extra).slice(0, KEYS_IN_NOTE);
  return JSON.stringify({ cut: { bytes, keys: keys.map((key) => storable(key.slice(0, 64))) } });
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
