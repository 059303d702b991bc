import { claimedNames, type ExposedFamily } from "./format.ts";
import {
  append,
  createFamilyState,
  cut,
  detach,
  type FamilyState,
  type Holder,
  hasKey,
  isExposable,
  isValue,
  keyOf,
  type Series,
  setValue,
} from "./series.ts";
import type { Family, Point, Snapshot } from "./types.ts";

/** Why a point is not exposed; the label `reason` of gleaner_series_dropped_total. */
export const DROP_REASONS = [
  /** Another owner or slot holds the series already. */
  "conflict",
  /** The same series twice in one replace: the first stays. */
  "duplicate",
  /** A metric name outside the classic character set, reserved, or a counter without `_total`. */
  "bad_name",
  "bad_label",
  /** Not a number at all, or a counter that is negative or NaN, which OpenMetrics forbids. */
  "bad_value",
  /** The name belongs to another family in one of the formats: gauge `x` beside counter `x_total`. */
  "name_clash",
  "series_limit",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface SnapshotOptions {
  /** Told once per replace and reason how many points were left out. */
  readonly onDropped?: (reason: DropReason, count: number) => void;
  /** Most series held at once, over all owners; 1,000,000 when absent (about 250 MB). */
  readonly maxSeries?: number;
}

export interface ExposedSnapshot extends Snapshot {
  /** Everything held at this moment, as a cut: what is replaced later does not show in it. */
  families(): ExposedFamily[];
  /** Keeps names for the collector's own families; a point that would use one is dropped as a name_clash. */
  reserve(names: Iterable<string>): void;
}

/** A point whose series the slot did not have. */
interface Newcomer {
  readonly state: FamilyState;
  readonly key: string;
  readonly value: number;
}

/** Creates an empty snapshot. Nothing here throws on bad points: they are dropped and counted. */
export function createSnapshot(options: SnapshotOptions = {}): ExposedSnapshot {
  const { onDropped, maxSeries = 1_000_000 } = options;
  const states = new Map<string, FamilyState>();
  const claims = new Set<string>();
  const owners = new Map<string, Map<string, Holder>>();
  let total = 0;

  function stateOf(family: Family): FamilyState | DropReason {
    const known = states.get(family.name);
    if (known !== undefined) return known;
    if (!isExposable(family)) return "bad_name";
    const names = claimedNames(family.name, family.type);
    if (names.some((name) => claims.has(name))) return "name_clash";
    const state = createFamilyState(family);
    states.set(family.name, state);
    for (const name of names) claims.add(name);
    return state;
  }

  function forgetIfEmpty(state: FamilyState): void {
    if (state.series.size > 0) return;
    states.delete(state.family.name);
    for (const name of claimedNames(state.family.name, state.family.type)) claims.delete(name);
  }

  function locate({ family, labels, value }: Point, holder: Holder): Series | Newcomer | DropReason {
    const state = stateOf(family);
    if (typeof state === "string") return state;
    if (!isValue(value, state.family.type)) return "bad_value";
    const key = keyOf(state, labels);
    if (key === undefined) return "bad_label";
    const series = state.series.get(key);
    return series?.holder === holder ? series : { state, key, value };
  }

  function add({ state, key, value }: Newcomer, holder: Holder): Series | DropReason {
    const present = state.series.get(key);
    if (present !== undefined) return present.holder === holder ? "duplicate" : "conflict";
    if (total >= maxSeries) return "series_limit";
    total += 1;
    return append(state, key, holder, value);
  }

  function fill(holder: Holder, points: readonly Point[]): void {
    const drops = new Map<DropReason, number>();
    const before = holder.series;
    const found: (Series | Newcomer)[] = [];
    const touched = new Set<FamilyState>();
    const refuse = (reason: DropReason, state?: FamilyState): void => {
      drops.set(reason, (drops.get(reason) ?? 0) + 1);
      if (state !== undefined) touched.add(state); // it may have been made for this point
    };
    holder.generation += 1;
    for (const point of points) {
      // Mostly a slot brings the series it brought last time, in the same order.
      const guess = before[found.length];
      const place = guess !== undefined && isSame(guess, point) ? guess : locate(point, holder);
      if (typeof place === "string") refuse(place, states.get(point.family.name));
      else if (!("holder" in place)) found.push(place);
      else if (place.seen === holder.generation) refuse("duplicate");
      else {
        place.seen = holder.generation;
        setValue(place, point.value);
        found.push(place);
      }
    }
    // Leavers first: a full snapshot must still be able to swap a slot's series for others.
    for (const series of before) {
      if (series.seen === holder.generation) continue;
      detach(series);
      total -= 1;
      touched.add(series.state);
    }
    holder.series = [];
    for (const place of found) {
      const series = "holder" in place ? place : add(place, holder);
      if (typeof series === "string") refuse(series, place.state);
      else holder.series.push(series);
    }
    for (const state of touched) forgetIfEmpty(state);
    for (const [reason, count] of drops) onDropped?.(reason, count);
  }

  function replace(owner: string, slot: string, points: readonly Point[]): void {
    const slots = owners.get(owner) ?? new Map<string, Holder>();
    const holder = slots.get(slot) ?? { series: [], generation: 0 };
    fill(holder, points);
    // An empty slot is no slot: owners come and go for years.
    if (holder.series.length > 0) slots.set(slot, holder);
    else slots.delete(slot);
    if (slots.size > 0) owners.set(owner, slots);
    else owners.delete(owner);
  }

  const seriesOf = (owner: string) =>
    [...(owners.get(owner)?.values() ?? [])].reduce((sum, holder) => sum + holder.series.length, 0);

  return {
    replace,
    withdraw: (owner, slot) => replace(owner, slot, []),
    remove: (owner) => {
      for (const slot of [...(owners.get(owner)?.keys() ?? [])]) replace(owner, slot, []);
    },
    size: (owner) => (owner === undefined ? total : seriesOf(owner)),
    families: () => [...states.values()].map(cut),
    reserve: (names) => {
      for (const name of names) claims.add(name);
    },
  };
}

function isSame(series: Series, { family, labels, value }: Point): boolean {
  const known = series.state.family;
  return known.name === family.name && isValue(value, known.type) && hasKey(series, labels);
}
