import { createHash, timingSafeEqual } from "node:crypto";

/** What a token may be good for. `admin` includes every scope, `read` includes `metrics`; `alerts` is for the webhook alone. */
export const SCOPES = ["metrics", "read", "ingest", "alerts", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** A configured token, hashed before it gets here: SHA-256 of its UTF-8 text, in hex. */
export interface Token {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly sha256: string;
}

/** Whether a token with these scopes may do what needs `wanted`. */
export function grants(scopes: readonly Scope[], wanted: Scope): boolean {
  return scopes.some((scope) => scope === wanted || scope === "admin" || (scope === "read" && wanted === "metrics"));
}

/**
 * Makes the function that finds the token a client presented (as it stood in the header), or undefined.
 * Digests have equal length, and all of them are compared each time, so that the time taken tells nothing.
 * @throws {RangeError} when a configured digest is not a SHA-256; the message names the token.
 */
export function createVerifier(tokens: readonly Token[]): (presented: string) => Token | undefined {
  const known = tokens.map((token) => ({ token, digest: digestOf(token) }));
  return (presented) => {
    // Node reads header bytes as latin1; written back, they are the bytes the client sent, UTF-8 included.
    const digest = createHash("sha256").update(presented, "latin1").digest();
    return known.filter((entry) => timingSafeEqual(entry.digest, digest))[0]?.token;
  };
}

function digestOf(token: Token): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(token.sha256))
    throw new RangeError(`token ${JSON.stringify(token.name)}: expected a SHA-256 digest of 64 hex digits`);
  return Buffer.from(token.sha256, "hex");
}
