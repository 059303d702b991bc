/** ISO 8601 as machines write it: a date, and a time of day with or without a zone. */
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
/** HTTP's own dates: `Tue, 03 Mar 2026 10:00:00 GMT`. */
const HTTP = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Seconds reach 1e11 in the year 5138, milliseconds had passed it by 1973, and so on by thousands. */
const UNTIL = 1e11;
/** What a Date can hold (ms). */
const MAX_MS = 8.64e15;

/**
 * A time as UTC, whatever a source writes: a `Date`, ISO 8601 text, an HTTP date, or seconds, milliseconds, microseconds
 * or nanoseconds since 1970, told apart by their size. Text without a zone is UTC: never this machine's own time.
 * @returns undefined for what is no time
 */
export function toUtc(value: unknown): Date | undefined {
  if (value instanceof Date) return valid(value.getTime());
  if (typeof value === "number") return valid(epochMs(value));
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (HTTP.test(text)) return valid(Date.parse(text));
  const match = ISO.exec(text);
  if (!match) return undefined;
  const zone = match[1]?.toUpperCase();
  const local = (zone ? text.slice(0, -zone.length).trim() : text).replace(" ", "T").replace(",", ".");
  return valid(Date.parse(local.length > 10 ? `${local}${zoneText(zone)}` : local));
}

/** `+02`, `+0200` and `+02:00` all occur; Date takes the last. */
function zoneText(zone = "Z"): string {
  const [, sign, hours, minutes = "00"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  return sign === undefined ? "Z" : `${sign}${hours}:${minutes}`;
}

function epochMs(told: number): number {
  const size = Math.abs(told);
  if (size < UNTIL) return told * 1_000;
  if (size < UNTIL * 1e3) return told;
  return size < UNTIL * 1e6 ? told / 1e3 : told / 1e6;
}

const valid = (ms: number): Date | undefined => (Math.abs(ms) <= MAX_MS ? new Date(ms) : undefined);
