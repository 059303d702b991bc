import { canonicalJson, canonicalJsonText, cleanText, fingerprint } from "./json.ts";
import type { ColumnType } from "./tables.ts";

/** A cell every engine can bind: text, number (times as epoch ms), boolean, bigint beyond 2^53, or null. */
export type StoredCell = string | number | boolean | bigint | null;

/**
 * Longest text in a key. PostgreSQL refuses index entries over 2,704 bytes, and a drone's id has no bound: a longer one
 * keeps its beginning and gets its fingerprint, so that different ids stay different.
 */
export const MAX_KEY_TEXT = 256;

const INT4 = 2 ** 31;
const INT8 = 2 ** 63;
// What both engines, and ISO 8601 with a year of four digits, can write.
const FIRST_TIME = Date.parse("0001-01-01T00:00:00Z");
const LAST_TIME = Date.parse("9999-12-31T23:59:59.999Z");

/** Fits a value that is neither null nor undefined to a column. */
export type Fit = (value: unknown) => StoredCell;

/**
 * How values are fitted to columns of a type, the same way for every engine, so that no single value can fail a batch:
 * what a column cannot hold is null. Non-finite numbers are null, -0 is 0, integers are rounded.
 */
export function fitOf(type: ColumnType): Fit {
  return FIT[type];
}

/** Text of a key column: never longer than MAX_KEY_TEXT, see there. */
export function toKeyText(cell: StoredCell): StoredCell {
  if (typeof cell !== "string" || cell.length <= MAX_KEY_TEXT) return cell;
  return cleanText(`${cell.slice(0, MAX_KEY_TEXT - 44)}~${fingerprint(cell)}`);
}

const FIT: Readonly<Record<ColumnType, Fit>> = {
  text: toText,
  double: toDouble,
  integer: (value) => within(toDouble(value), INT4),
  bigint: toBigint,
  boolean: toBoolean,
  time: toTime,
  json: (value) => (typeof value === "string" ? canonicalJsonText(value) : canonicalJson(value)) ?? null,
};

function toText(value: unknown): string | null {
  if (typeof value === "string") return cleanText(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  return typeof value === "object" ? (canonicalJson(value) ?? null) : String(value);
}

function toDouble(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  // Adding zero turns -0 into 0: SQLite would store 0, PostgreSQL -0.
  return typeof number === "number" && Number.isFinite(number) ? number + 0 : null;
}

function toBigint(value: unknown): StoredCell {
  if (typeof value === "bigint") return value >= -(2n ** 63n) && value < 2n ** 63n ? value : null;
  const whole = within(toDouble(value), INT8);
  return whole === null || Number.isSafeInteger(whole) ? whole : BigInt(whole);
}

function within(value: number | null, limit: number): number | null {
  if (value === null) return null;
  const whole = Math.round(value) + 0;
  return whole >= -limit && whole < limit ? whole : null;
}

function toBoolean(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  if (value === 1 || value === "true") return true;
  return value === 0 || value === "false" ? false : null;
}

function toTime(value: unknown): number | null {
  const ms = value instanceof Date ? value.getTime() : typeof value === "string" ? Date.parse(value) : toDouble(value);
  return ms !== null && ms >= FIRST_TIME && ms <= LAST_TIME ? Math.round(ms) + 0 : null;
}
