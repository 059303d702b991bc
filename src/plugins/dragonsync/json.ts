import { CollectError } from "../../model/run.ts";

/** A JSON object: neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The entries of an answer: `{"drones": […]}` as kits send it, or a bare array.
 * @throws {CollectError} bad_data for anything else
 */
export function entriesOf(value: unknown, key: string, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const list = isObject(value) ? value[key] : undefined;
  if (Array.isArray(list)) return list;
  throw new CollectError("bad_data", `${what}: expected {"${key}": […]} or an array, got ${shapeOf(value)}`);
}

/** Names the shape of a value for an error, without its content. */
export function shapeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (!isObject(value)) return `a ${typeof value}`;
  const keys = Object.keys(value)
    .slice(0, 5)
    .map((key) => JSON.stringify(key.slice(0, 20)));
  return `an object with ${keys.length === 0 ? "no keys" : keys.join(", ")}`;
}
