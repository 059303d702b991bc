/** A length of time in milliseconds. Configuration writes it as `5s`, `250ms`, `2m`, `1h`, `7d`, or a bare number of seconds. */
export type Duration = number;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses a configured duration into milliseconds.
 * A bare number is seconds, as in every system gleaner replaces.
 * @throws {RangeError} when the text is not a non-negative duration; the message says what was expected.
 */
export function parseDuration(text: string | number): Duration {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*$/.exec(String(text));
  if (!match)
    throw new RangeError(
      `expected a duration such as 5s, 250ms, 2m, 1h or a number of seconds, got ${JSON.stringify(text)}`,
    );
  return Math.round(Number(match[1]) * (UNIT_MS[match[2] ?? "s"] as number));
}

/** Writes milliseconds the way configuration does: the largest unit that stays whole. */
export function formatDuration(ms: Duration): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const size = UNIT_MS[unit] as number;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return ms >= 1_000 ? `${ms / 1_000}s` : `${ms}ms`;
}

/** `5` -> 5000 ms. */
export const seconds = (n: number): Duration => n * 1_000;
/** `1` -> 60000 ms. */
export const minutes = (n: number): Duration => n * 60_000;
/** `1` -> 3600000 ms. */
export const hours = (n: number): Duration => n * 3_600_000;
/** `1` -> 86400000 ms. */
export const days = (n: number): Duration => n * 86_400_000;
