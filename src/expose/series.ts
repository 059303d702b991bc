import { type ExposedFamily, type FamilyType, isMetricName } from "./format.ts";
import { hasKey } from "./key.ts";
import { EMPTY_RENDERING, type Part, type Rendering, renderLines } from "./lines.ts";
import type { Family, Point } from "./types.ts";

/** A family, and who shows something of it. */
export interface FamilyState {
  readonly family: Family;
  /** Label names in the order this family first had them. */
  readonly labelNames: string[];
  /** Who holds each series, by key. */
  readonly series: Map<string, Holder>;
  /** What each holder has of it, in order of arrival. */
  readonly ranges: Map<Holder, Range>;
  /** Counts changes of any kind. */
  version: number;
  rendering: Rendering & { readonly version: number };
}

/** One slot of one owner. */
export interface Holder {
  block: Block;
}

/** What a slot shows: its series, family by family, and their values. It does not change: a slot gets another one. */
export interface Block {
  readonly ranges: readonly Range[];
  /** Labels as written, by position. */
  readonly keys: readonly string[];
  readonly values: readonly number[];
}

/** A block's series of one family, at neighbouring positions. It stays the same while only values change. */
export interface Range {
  readonly state: FamilyState;
  readonly from: number;
  readonly to: number;
  /** Where the family's last rendering has it. */
  rendered: Part["before"];
}

/** Values by key, family by family. */
export type Wanted = Map<FamilyState, Map<string, number>>;

export const EMPTY_BLOCK: Block = { ranges: [], keys: [], values: [] };

export function createFamilyState(family: Family): FamilyState {
  return {
    family,
    labelNames: [],
    series: new Map(),
    ranges: new Map(),
    version: 0,
    rendering: { ...EMPTY_RENDERING, version: 0 },
  };
}

/** Whether both formats can carry the family: a classic name that OpenMetrics does not reserve, counters ending in `_total`. */
export function isExposable({ name, type }: Family): boolean {
  return isMetricName(name) && (type !== "counter" || (name.endsWith("_total") && isMetricName(name.slice(0, -6))));
}

/** Whether both formats can carry the value: OpenMetrics has no negative or NaN counters. */
export function isValue(value: number, type: FamilyType): boolean {
  return typeof value === "number" && (type !== "counter" || value >= 0);
}

/** A block of what is wanted. */
export function blockOf(wanted: Wanted): Block {
  const size = [...wanted.values()].reduce((sum, series) => sum + series.size, 0);
  const [keys, values] = [new Array<string>(size), new Array<number>(size)];
  const ranges: Range[] = [];
  let to = 0;
  for (const [state, series] of wanted) {
    const from = to;
    for (const [key, value] of series) {
      keys[to] = key;
      values[to++] = value;
    }
    if (to > from) ranges.push({ state, from, to, rendered: undefined });
  }
  return { ranges, keys, values };
}

/** Gives a slot another block with other series. */
export function show(holder: Holder, block: Block): void {
  const shown = new Set(block.ranges.map(({ state }) => state));
  for (const { state } of holder.block.ranges) {
    state.version += 1;
    if (!shown.has(state)) state.ranges.delete(holder);
  }
  for (const range of block.ranges) {
    range.state.version += 1;
    range.state.ranges.set(holder, range); // keeps its place where there is one
  }
  holder.block = block;
}

/** The block with these points' values, or undefined where their series are not, or not for sure, the block's own. */
export function withValues(block: Block, byFamily: ReadonlyMap<string, readonly Point[]>): Block | undefined {
  if (byFamily.size !== block.ranges.length) return undefined;
  const values = new Array<number>(block.keys.length);
  let at = 0;
  let family = 0;
  for (const [name, points] of byFamily) {
    const { state, to } = block.ranges[family++] as Range;
    if (state.family.name !== name || at + points.length !== to) return undefined;
    for (const { labels, value } of points) {
      if (!isValue(value, state.family.type) || !hasKey(block.keys[at] as string, labels)) return undefined;
      values[at++] = value;
    }
  }
  return { ...block, values };
}

/** Notes which families look different since the block was another one. @returns whether any does. */
export function noteChanges(before: Block, { ranges, values }: Block): boolean {
  let changed = false;
  for (const { state, from, to } of ranges) {
    let at = from;
    while (at < to && Object.is(before.values[at], values[at])) at += 1;
    if (at === to) continue;
    state.version += 1;
    changed = true;
  }
  return changed;
}

/** The family at this moment: blocks and renderings do not change, so that a scrape of many turns shows one state. */
export function cut(state: FamilyState): ExposedFamily {
  const { family, series, version, rendering: base } = state;
  const exposed = { ...family, size: series.size };
  if (base.version === version) return { ...exposed, lines: async () => base.bytes };
  const ranges = [...state.ranges.values()];
  const parts = [...state.ranges].map(([{ block }, { from, to, rendered: before }]) => ({
    ...{ keys: block.keys, values: block.values, from, to, before },
  }));
  return {
    ...exposed,
    async lines() {
      const rendering = await renderLines(family.name, parts, base);
      if (version > state.rendering.version) keep(state, { ...rendering, version }, ranges, parts);
      return rendering.bytes;
    },
  };
}

/** Makes a rendering the base of the next one. */
function keep(
  state: FamilyState,
  rendering: FamilyState["rendering"],
  ranges: readonly Range[],
  parts: readonly Part[],
): void {
  state.rendering = rendering;
  let line = 0;
  for (const [i, { values, from, to }] of parts.entries()) {
    (ranges[i] as Range).rendered = { line, values };
    line += to - from;
  }
}
