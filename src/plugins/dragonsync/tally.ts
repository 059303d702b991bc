import type { Rejection } from "../../model/sample.ts";

/**
 * Why something of an answer was left out: the closed set this plugin counts under.
 * The whole entry: `not_an_object`, `no_id`, `no_frequency`, `conflict` (the same thing at the same time as an entry before
 * it, which is kept, with other content), `too_many` (beyond the 2,000 that are read of one answer).
 * One value, set to null while its row is kept: `not_a_number` (NaN, Infinity), and, with the raw value kept in `extra`,
 * `wrong_type` (unreadable) and `out_of_range` (a position, percentage or integer that cannot be).
 * The row is kept, with a note: `no_time` (its time is that of the poll), `future_time` (over 5 minutes ahead, kept as sent),
 * `past_time` (over a day behind, kept as sent), `clock_off` (over 400 days off: its time is that of the poll, the kit's own
 * is in `extra`),
 * `too_long` (a text cut to 512 characters, whole in `extra`), `extra_too_large` (over 16 KB or 500 fields, replaced by a note).
 * A document: `document_failed`, while the other one came.
 */
export type Reason =
  | "not_an_object"
  | "no_id"
  | "no_frequency"
  | "conflict"
  | "too_many"
  | "not_a_number"
  | "wrong_type"
  | "out_of_range"
  | "no_time"
  | "future_time"
  | "past_time"
  | "clock_off"
  | "too_long"
  | "extra_too_large"
  | "document_failed";

/** Rejections of one answer by reason; the detail is that of the first. */
export type Tally = Map<Reason, { readonly reason: Reason; readonly detail: string; count: number }>;

/** Counts `times` more under `reason`. */
export function count(tally: Tally, reason: Reason, detail: string, times = 1): void {
  const entry = tally.get(reason);
  if (entry) entry.count += times;
  else tally.set(reason, { reason, detail, count: times });
}

/** What was counted, as `Collected.rejected` takes it. */
export function rejections(tally: Tally): Rejection[] {
  return [...tally.values()];
}
