import { createHash } from "node:crypto";
import { keep, MAX_TEXT, type Residue, storable } from "./fields.ts";
import { count } from "./tally.ts";

const HASH_LENGTH = 16;

/**
 * An id as a key column holds it; "" when there is none. One over 512 characters is cut, and ends in a hash of the whole
 * so that two long ids stay two.
 */
export function keyText(value: unknown): string {
  const told = typeof value === "number" && Number.isFinite(value) ? String(value) : value;
  if (typeof told !== "string" || told.trim() === "") return "";
  if (told.length <= MAX_TEXT) return storable(told);
  const hash = createHash("sha256").update(told).digest("hex").slice(0, HASH_LENGTH);
  return `${storable(told.slice(0, MAX_TEXT - HASH_LENGTH - 1))}~${hash}`;
}

/** Keeps the whole of an id that was cut, and one that is no id. */
export function keepLongId(told: unknown, key: string, residue: Residue): void {
  if (typeof told === "object" && told !== null) keep(residue, key, told);
  if (typeof told !== "string" || told.length <= MAX_TEXT) return;
  keep(residue, key, told);
  count(residue.tally, "too_long", key);
}
