import { numeric } from "./fields.ts";

/** Kits were first sold long after; an earlier time is an unset clock or no time at all. */
const YEAR_2000_MS = 946_684_800_000;
/** Seconds reach 1e11 in the year 5138, milliseconds had passed it by 1973: above it a value is milliseconds. */
const MILLISECONDS_FROM = 1e11;
const ABSURD_MS = 1e14;
/** A kit's clock this far ahead is worth counting. */
const FUTURE_MS = 300_000;
/** What kits repeat is minutes old at most; a clock a day behind is wrong, or has stopped. */
const PAST_MS = 86_400_000;
/**
 * Further from our time than this, to either side, a kit's time is no time: TimescaleDB makes a chunk for each day there
 * is a row of, and a kit must not be able to make up thousands. Wide, for the clock that is wrong may be ours.
 */
const CREDIBLE_MS = 400 * 86_400_000;
/** What a Date can hold. */
const MAX_DATE_MS = 8.64e15;

/** Epoch milliseconds of a kit's time (seconds, or milliseconds recognised as such, or their text); NaN when it is none. */
export function epochMs(value: unknown): number {
  const told = numeric(value);
  const ms = told > MILLISECONDS_FROM ? told : told * 1_000;
  return ms > YEAR_2000_MS && ms < ABSURD_MS ? Math.trunc(ms) : Number.NaN;
}

/** The time of a row and how it came about. */
export interface RowTime {
  readonly ms: number;
  /**
   * `told` by the field meant for it, or from another `observed` time of the entry; the time of the poll when the kit tells
   * `none`, or one so far `off` that its clock must be wrong.
   */
  readonly origin: "told" | "observed" | "off" | "none";
  /** The kit's own reading of its clock (ms), right or wrong: what tells one observation from the next. Null when it has none. */
  readonly claimed: number | null;
}

/** The row's own observation time on the kit's clock; the time of the poll only when the entry tells none that can be. */
export function rowTime(told: unknown, observed: unknown, now: Date): RowTime {
  const ms = epochMs(told);
  if (isCredible(ms, now)) return { ms, origin: "told", claimed: ms };
  const other = epochMs(observed);
  if (isCredible(other, now)) return { ms: other, origin: "observed", claimed: other };
  return {
    ms: now.getTime(),
    origin: Number.isNaN(ms) ? "none" : "off",
    claimed: Number.isNaN(ms) ? clockMs(told) : ms,
  };
}

function isCredible(ms: number, now: Date): boolean {
  return Math.abs(ms - now.getTime()) <= CREDIBLE_MS;
}

/** A clock that was never set runs too: seconds since it was switched on. Null when the value is no reading of a clock. */
function clockMs(value: unknown): number | null {
  const ms = numeric(value) * 1_000;
  return ms > 0 && ms < MAX_DATE_MS ? Math.trunc(ms) : null;
}

/** Whether a time is more than a day behind ours. */
export function isPast(ms: number, now: Date): boolean {
  return ms < now.getTime() - PAST_MS;
}

/** Whether a time is more than 5 minutes ahead of ours. */
export function isFuture(ms: number, now: Date): boolean {
  return ms > now.getTime() + FUTURE_MS;
}
