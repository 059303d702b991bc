import type { Document, Sample } from "../../model/sample.ts";
import { oneHot } from "../web/harvest.ts";
import type { Metric } from "./metrics.ts";
import { MODELS, type Model, type Reading, STATUSES, type Status } from "./models.ts";

/** What stands in for a model: what came last, the last good data for a while, then nothing. */
const DATA_STATES = ["live", "last_good", "unavailable"] as const;
type DataState = (typeof DATA_STATES)[number];

/** What is known of a model. Times are epoch milliseconds. */
export interface Standing {
  /** `at`: when it first came; `stamp`: the server's own time of it, when it tells one. */
  readonly good: { readonly values: Reading["values"]; readonly at: number; readonly stamp: string | null } | null;
  /** Why the last try brought no data, and since when that is so; null when it brought some. */
  readonly failure: { readonly reason: string; readonly since: number } | null;
  /** What the server said last of its engine. */
  readonly status: Status | null;
}

/** When data first came: the server repeats what it has for a while, with the time that it is of. */
export function firstSeen(before: Standing | undefined, { stamp }: Reading, now: number): number {
  const good = before?.good;
  return good && stamp !== null && good.stamp === stamp ? good.at : now;
}

/** Takes in good data. */
export const afterGood = (before: Standing | undefined, reading: Reading, now: number): Standing => ({
  good: { values: reading.values, at: firstSeen(before, reading, now), stamp: reading.stamp },
  ...{ failure: null, status: reading.status },
});

/** Takes in a try that brought none. `status`: what the server said, when it did. */
export const afterFailure = (before: Standing | undefined, reason: string, now: number, status?: Status): Standing => ({
  good: before?.good ?? null,
  failure: { reason, since: before?.failure?.since ?? now },
  status: status ?? before?.status ?? null,
});

/** The state of a model's data: live, the last good for `keepMs`, then unavailable. */
export function stateOf({ good, failure }: Standing, now: number, keepMs: number): DataState {
  if (failure === null) return "live";
  return good !== null && now - good.at <= keepMs ? "last_good" : "unavailable";
}

export type Standings = ReadonlyMap<Model, Standing>;

/** State, age and status of every model that was tried. */
export function standingSamples(standings: Standings, now: number, keepMs: number): Sample<Metric>[] {
  return MODELS.flatMap((model) => {
    const standing = standings.get(model);
    if (!standing) return [];
    const { good, status } = standing;
    const age = good && Math.max(0, now - good.at) / 1_000;
    return [
      ...oneHot("graph_memory_data_state", "state", DATA_STATES, stateOf(standing, now, keepMs), { model }),
      ...(age === null
        ? []
        : [{ metric: "graph_memory_data_age_seconds", value: age, labels: { model } } satisfies Sample<Metric>]),
      ...(status === null ? [] : oneHot("graph_memory_engine_status", "status", STATUSES, status, { model })),
    ];
  });
}

/**
 * What stands in for each model, as a document, kept when it changes. The data has the names and units of the server:
 * - `{ model, state: "live" }`: its series have it
 * - `{ model, state: "last_good", as_of, reason, data: {…} }`
 * - `{ model, state: "unavailable", since, reason, data: null }`: no zeros, that could be taken for measured ones
 */
export function standingDocuments(standings: Standings, now: number, keepMs: number): Document[] {
  return [...standings].map(([model, standing]) => ({ name: model, body: bodyOf(model, standing, now, keepMs) }));
}

function bodyOf(model: Model, standing: Standing, now: number, keepMs: number): object {
  const { good, failure } = standing;
  const state = stateOf(standing, now, keepMs);
  if (failure === null) return { model, state };
  const { reason } = failure;
  if (good !== null && state === "last_good")
    return { model, state, as_of: new Date(good.at).toISOString(), reason, data: good.values };
  const since = new Date(good === null ? failure.since : good.at + keepMs).toISOString();
  return { model, state, since, reason, data: null };
}
