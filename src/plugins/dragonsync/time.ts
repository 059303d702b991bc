import { numeric } from "./fields.ts";

/** Kits were first sold long after; an earlier time is an unset clock or no time at all. */
const YEAR_2000_MS = 946_684_800_000;
/** Seconds reach 1e11 in the year 5138, milliseconds had passed it by 1973: above it a value is milliseconds. */
const MILLISECONDS_FROM = 1e11;
const ABSURD_MS = 1e14;
/** A kit's clock this far ahead is worth counting. */
const FUTURE_MS = 300_000;

/** Epoch milliseconds of a kit's time (seconds, or milliseconds recognised as such, or their text); NaN when it is none. */
export function epochMs(value: unknown): number {
  const told = numeric(value);
  const ms = told > MILLISECONDS_FROM ? told : told * 1_000;
  return ms > YEAR_2000_MS && ms < ABSURD_MS ? Math.trunc(ms) : Number.NaN;
}

/** The time of a row and how it came about. */
export interface RowTime {
  readonly ms: number;
  /** `told` by the field meant for it, from another `observed` time of the entry, or `none`: the time of the poll. */
  readonly origin: "told" | "observed" | "none";
}

/** The row's own observation time on the kit's clock; the time of the poll only when the entry tells none. */
export function rowTime(told: unknown, observed: unknown, now: Date): RowTime {
  const ms = epochMs(told);
  if (!Number.isNaN(ms)) return { ms, origin: "told" };
  const other = epochMs(observed);
  return Number.isNaN(other) ? { ms: now.getTime(), origin: "none" } : { ms: other, origin: "observed" };
}

/** Whether a time is more than 5 minutes ahead of ours. */
export function isFuture(ms: number, now: Date): boolean {
  return ms > now.getTime() + FUTURE_MS;
}
