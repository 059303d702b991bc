import { createHash } from "node:crypto";

/**
 * Text that every engine can hold: PostgreSQL refuses U+0000 in text and lone surrogates in JSON, and one such
 * character would cost the whole batch. NUL becomes U+2400 (its picture), a lone surrogate U+FFFD.
 */
export function cleanText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes("\0") ? wellFormed.replaceAll("\0", "\u2400") : wellFormed;
}

/**
 * JSON with sorted keys and clean text: equal values give equal text, whatever order they came in.
 * Non-finite numbers are null, as in JSON.stringify; undefined members are left out.
 * @returns undefined for what JSON cannot hold: a cycle, nesting beyond the stack, a function at the top.
 */
export function canonicalJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, sorted);
  } catch {
    return undefined;
  }
}

/** The same for a value that is JSON text already; text that is no JSON is kept as a JSON string. */
export function canonicalJsonText(text: string): string | undefined {
  try {
    return canonicalJson(JSON.parse(text));
  } catch {
    return canonicalJson(text);
  }
}

/** SHA-256 of text, base64url: 43 characters that stand for any length in a key. */
export function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "bigint") return value.toString();
  if (Object.is(value, -0)) return 0;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, member]) => [cleanText(key), member] as const);
  // fromEntries defines own properties, so a hostile "__proto__" key stays data.
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
