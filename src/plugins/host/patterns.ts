import { z } from "zod";

/** Patterns are anchored at both ends, as in Prometheus. */
const anchored = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, "s");

function isPattern(text: string): boolean {
  try {
    return Boolean(anchored(text));
  } catch {
    return false;
  }
}

/** A configuration field of anchored regular expressions; `.default()` and `.describe()` are the plugin's. */
export const patterns = z.array(z.string().max(1000).refine(isPattern, "expected a regular expression")).max(100);

/**
 * Tells whether a text matches one of the patterns as a whole; no pattern matches nothing.
 * @throws {SyntaxError} for a pattern that the configuration field would have refused
 */
export function matcher(patterns: readonly string[]): (text: string) => boolean {
  const expressions = patterns.map(anchored);
  return (text) => expressions.some((expression) => expression.test(text));
}
