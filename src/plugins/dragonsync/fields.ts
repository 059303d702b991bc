import { count, type Tally } from "./tally.ts";

/** One object of an answer, as parsed. Fields are read by name only; nothing is ever copied from it wholesale. */
export type Entry = Readonly<Record<string, unknown>>;

/** What reading one entry leaves behind: raw values no column could take, and what is to be counted. */
export interface Residue {
  readonly tally: Tally;
  /** On a null prototype, for `__proto__` is a key like any other here. Null until something is kept. */
  extra: Record<string, unknown> | null;
}

/** Longest text in a column, in UTF-16 units: PostgreSQL refuses index entries over 2.7 kB. The whole text stays in `extra`. */
export const MAX_TEXT = 512;
const MAX_INT32 = 2_147_483_647;
/** What feeds write in place of a number they don't have. */
const NO_NUMBER: ReadonlySet<string> = new Set(["", "n/a", "na", "nan", "none", "null", "unknown"]);

/** Keeps a raw value for `extra`. */
export function keep(residue: Residue, key: string, value: unknown): void {
  residue.extra ??= Object.create(null) as Record<string, unknown>;
  residue.extra[key] = value;
}

/** Null for a column, while the raw value is kept and counted. */
export function refuse(residue: Residue, reason: "wrong_type" | "out_of_range", key: string, value: unknown): null {
  keep(residue, key, value);
  count(residue.tally, reason, key);
  return null;
}

/** A number from itself or its text; NaN for everything else. */
export function numeric(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}

/** A finite number, from a number or its text (`"-71"`); null when absent, "N/A" or unreadable. */
export function number(value: unknown, key: string, residue: Residue): number | null {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (value === null || value === undefined) return null;
  return converted(value, key, residue);
}

function converted(value: unknown, key: string, residue: Residue): number | null {
  if (typeof value === "number") {
    // 1e999 is valid JSON and parses as Infinity; it means as much as the bare word.
    count(residue.tally, "not_a_number", key);
    return null;
  }
  if (typeof value === "string") {
    const words = value.trim();
    if (words.length < 8 && NO_NUMBER.has(words.toLowerCase())) return null;
    const parsed = Number(words);
    if (Number.isFinite(parsed)) return parsed;
  }
  return refuse(residue, "wrong_type", key, value);
}

/** A whole number that fits a 32-bit column, rounded. */
export function integer(value: unknown, key: string, residue: Residue): number | null {
  const read = number(value, key, residue);
  if (read === null) return null;
  if (Math.abs(read) > MAX_INT32) return refuse(residue, "out_of_range", key, value);
  return Math.round(read);
}

/** A number within [min, max]; outside it null, with the raw value kept. */
export function within(value: unknown, min: number, max: number, key: string, residue: Residue): number | null {
  const read = number(value, key, residue);
  return read === null || (read >= min && read <= max) ? read : refuse(residue, "out_of_range", key, value);
}

/** A text; numbers and booleans become text, "" is null (kits send it for "not told"). */
export function text(value: unknown, key: string, residue: Residue): string | null {
  if (value === "" || value === null || value === undefined) return null;
  if (typeof value !== "string") {
    return typeof value === "object" ? refuse(residue, "wrong_type", key, value) : String(value);
  }
  if (value.length <= MAX_TEXT) return storable(value);
  keep(residue, key, value);
  count(residue.tally, "too_long", key);
  return storable(value.slice(0, MAX_TEXT));
}

/** Text every database takes: NUL becomes its picture (U+2400), a lone surrogate U+FFFD. PostgreSQL refuses both. */
export function storable(value: string): string {
  return (value.includes("\0") ? value.replaceAll("\0", "\u2400") : value).toWellFormed();
}

/** A boolean, from itself, 0/1 or the words. */
export function flag(value: unknown, key: string, residue: Residue): boolean | null {
  if (typeof value === "boolean") return value;
  if (value === null || value === undefined || value === "") return null;
  if (value === 1 || value === "1" || value === "true") return true;
  if (value === 0 || value === "0" || value === "false") return false;
  return refuse(residue, "wrong_type", key, value);
}

/** Degrees, or nulls. */
export interface Position {
  readonly lat: number | null;
  readonly lon: number | null;
}
export const NOWHERE: Position = Object.freeze({ lat: null, lon: null });

/** A position: 0.0/0.0 is how kits say "none"; a pair out of range is no position either, but its values are kept. */
export function position(rawLat: unknown, rawLon: unknown, latKey: string, lonKey: string, residue: Residue): Position {
  const lat = number(rawLat, latKey, residue);
  const lon = number(rawLon, lonKey, residue);
  if (lat === 0 && lon === 0) return NOWHERE;
  if ((lat === null || Math.abs(lat) <= 90) && (lon === null || Math.abs(lon) <= 180)) return { lat, lon };
  keep(residue, latKey, rawLat);
  keep(residue, lonKey, rawLon);
  count(residue.tally, "out_of_range", `${latKey}, ${lonKey}`);
  return NOWHERE;
}
