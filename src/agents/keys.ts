import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Keys are known by their form, so that one that leaked is found by scanners, and is never taken for another token. */
const PREFIX = "gla_";
const KEY = /^gla_[A-Za-z0-9_-]{43}$/;
/** 256 random bits cannot be guessed, so a plain SHA-256 of them may be kept: a slow hash is for passwords. */
const KEY_BYTES = 32;

/** A new key: its text, which is shown once, and what is kept of it. */
export function newKey(): { readonly key: string; readonly sha256: string } {
  const key = PREFIX + randomBytes(KEY_BYTES).toString("base64url");
  return { key, sha256: createHash("sha256").update(key).digest("hex") };
}

/** Whether a text has the form of a key. */
export const isKey = (text: string): boolean => KEY.test(text);

/** What is compared where there is no such agent, so that the time taken does not tell that. */
const NOBODY = "0".repeat(64);

/** Whether a text is the key with this SHA-256 (hex); takes as long whether or not it is. */
export function isKeyOf(presented: string, sha256: string | undefined): boolean {
  const known = Buffer.from(/^[0-9a-f]{64}$/.test(sha256 ?? "") ? (sha256 ?? NOBODY) : NOBODY, "hex");
  const given = createHash("sha256").update(presented, "latin1").digest();
  return timingSafeEqual(known, given) && sha256 !== undefined;
}
