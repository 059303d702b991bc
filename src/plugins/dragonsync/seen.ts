import { isDeepStrictEqual } from "node:util";

/** Kit's time (ms) by key, of what the newest answer listed. */
export type Seen = ReadonlyMap<string, number>;

const NOTHING_SEEN: Seen = new Map();

/**
 * Kits list an observation for a minute or two after they made it, so most of every answer was there before.
 * This is the cheap skip in front of the store's unique key, with the same meaning: one key at one time is one row, and the
 * first content wins, in both. It only ever skips what an earlier answer already gave; after a restart, or when a
 * track vanished from one answer, a row may be given twice, which the store ignores.
 */
export interface Skip {
  /**
   * `known` when this key was given at this time before, by the last answer or earlier in this one; `conflict` when it
   * was earlier in this one, with other content. (A kit that changes what it said before, under the same time, is not
   * caught: that would take the whole of the last answer.)
   */
  look(key: string, ms: number, content: unknown): "new" | "known" | "conflict";
  /** What this answer listed: it replaces the last, so memory is bounded by one answer. */
  readonly listed: Seen;
}

/** A skip for one answer, given what the previous one listed. */
export function skipAfter(previous: Seen): Skip {
  const listed = new Map<string, number>();
  const contents = new Map<string, unknown>();
  return {
    listed,
    look(key, ms, content) {
      if (listed.get(key) === ms) return isDeepStrictEqual(contents.get(key), content) ? "known" : "conflict";
      listed.set(key, ms);
      contents.set(key, content);
      return previous.get(key) === ms ? "known" : "new";
    },
  };
}

/** What the previous answer of a job listed, as the target's memory holds it. */
export function seenIn(state: ReadonlyMap<string, unknown>, job: string): Seen {
  const seen = state.get(job);
  return seen instanceof Map ? seen : NOTHING_SEEN;
}
