import { claimedNames, type ExposedFamily } from "./format.ts";
import { keyOf } from "./key.ts";
import {
  blockOf,
  createFamilyState,
  cut,
  EMPTY_BLOCK,
  type FamilyState,
  type Holder,
  isExposable,
  isValue,
  noteChanges,
  show,
  type Wanted,
  withValues,
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
  /** Most series held at once, over all owners; 1,000,000 when absent (about 220 MB). */
  readonly maxSeries?: number;
}

export interface ExposedSnapshot extends Snapshot {
  /** Everything held at this moment, as a cut: what is replaced later does not show in it. */
  families(): ExposedFamily[];
  /** Keeps names for the collector's own families; a point that would use one is dropped as a name_clash. */
  reserve(names: Iterable<string>): void;
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

  function forgetIfEmpty(name: string): void {
    const state = states.get(name);
    if (state === undefined || state.series.size > 0) return;
    states.delete(name);
    for (const claimed of claimedNames(name, state.family.type)) claims.delete(claimed);
  }

  /** Where a point belongs, or why it belongs nowhere. */
  function locate({ family, labels, value }: Point, holder: Holder): { state: FamilyState; key: string } | DropReason {
    const state = stateOf(family);
    if (typeof state === "string") return state;
    if (!isValue(value, state.family.type)) return "bad_value";
    const key = keyOf(state.labelNames, labels);
    if (key === undefined) return "bad_label";
    return (state.series.get(key) ?? holder) === holder ? { state, key } : "conflict";
  }

  /** Takes away the series that the holder has and does not want any more. */
  function release(holder: Holder, wanted: Wanted): void {
    const { ranges, keys } = holder.block;
    for (const { state, from, to } of ranges) {
      const kept = wanted.get(state);
      for (const key of keys.slice(from, to)) {
        if (!kept?.has(key) && state.series.delete(key)) total -= 1;
      }
    }
  }

  /** Gives the holder the series it wants and does not have yet, as far as there is room. */
  function acquire(holder: Holder, wanted: Wanted): number {
    let refused = 0;
    for (const [state, series] of wanted) {
      for (const key of series.keys()) {
        if (state.series.has(key)) continue;
        if (total < maxSeries) {
          state.series.set(key, holder);
          total += 1;
        } else {
          series.delete(key);
          refused += 1;
        }
      }
    }
    return refused;
  }

  /** Makes exactly these points the holder's, with the reasons why some are left out. */
  function fill(holder: Holder, points: readonly Point[]): Map<DropReason, number> {
    const drops = new Map<DropReason, number>();
    const refuse = (reason: DropReason, count = 1) => drops.set(reason, (drops.get(reason) ?? 0) + count);
    const wanted: Wanted = new Map();
    for (const point of points) {
      const place = locate(point, holder);
      if (typeof place === "string") {
        refuse(place);
        continue;
      }
      const series = wanted.get(place.state) ?? new Map<string, number>();
      if (series.has(place.key)) refuse("duplicate");
      else wanted.set(place.state, series.set(place.key, point.value));
    }
    // Leavers first: a full snapshot must still be able to swap a slot's series for others.
    release(holder, wanted);
    const refused = acquire(holder, wanted);
    if (refused > 0) refuse("series_limit", refused);
    show(holder, blockOf(wanted));
    return drops;
  }

  function replace(owner: string, slot: string, points: readonly Point[]): void {
    const slots = owners.get(owner) ?? new Map<string, Holder>();
    const holder = slots.get(slot) ?? { block: EMPTY_BLOCK };
    // Mostly a slot brings the series it brought last time, in the same order.
    const byFamily = Map.groupBy(points, ({ family }) => family.name);
    const same = withValues(holder.block, byFamily);
    if (same !== undefined) {
      if (noteChanges(holder.block, same)) holder.block = same;
      return;
    }
    const before = holder.block.ranges;
    for (const [reason, count] of fill(holder, points)) onDropped?.(reason, count);
    for (const name of [...byFamily.keys(), ...before.map(({ state }) => state.family.name)]) forgetIfEmpty(name);
    // An empty slot is no slot: owners come and go for years.
    if (holder.block.keys.length > 0) slots.set(slot, holder);
    else slots.delete(slot);
    if (slots.size > 0) owners.set(owner, slots);
    else owners.delete(owner);
  }

  const seriesOf = (owner: string) =>
    [...(owners.get(owner)?.values() ?? [])].reduce((sum, { block }) => sum + block.keys.length, 0);

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
