import assert from "node:assert/strict";
import type { Gleaner } from "../../support/process.ts";
import { type Series, scrape } from "../../support/scrape.ts";

/** What a gleaner did with the rows it took, by its own counters. */
export interface Accounts {
  readonly taken: number;
  readonly stored: number;
  readonly duplicate: number;
  /** Refused by tables or database; what was rejected before it was taken is not in here. */
  readonly rejected: number;
  readonly dropped: number;
  readonly pending: number;
}

/** Sum of a family's samples whose id matches. */
export function total(series: Series, family: string, only = /./): number {
  return [...series]
    .filter(([id]) => id.split("{", 1)[0] === family && only.test(id))
    .reduce((sum, [, value]) => sum + value, 0);
}

export async function accountsOf(gleaner: Pick<Gleaner, "get">): Promise<Accounts> {
  const series = await scrape(gleaner);
  return {
    taken: total(series, "gleaner_rows_taken_total"),
    stored: total(series, "gleaner_store_rows_total"),
    duplicate: total(series, "gleaner_store_duplicate_rows_total"),
    rejected: total(series, "gleaner_rows_rejected_total", /reason="(unstorable|dead_letter)"/),
    dropped: total(series, "gleaner_rows_dropped_total"),
    pending: total(series, "gleaner_store_pending_rows"),
  };
}

/**
 * Fails unless every row taken is accounted for. `before` are rows that the spool held from an earlier process.
 * A write that is under way counts its rows after it took them off the backlog, or before: look when it is quiet, or `eventually`.
 */
export function assertBalanced(accounts: Accounts, before = 0): void {
  const { taken, stored, duplicate, rejected, dropped, pending } = accounts;
  assert.equal(stored + duplicate + rejected + dropped + pending, taken + before, JSON.stringify(accounts));
}
