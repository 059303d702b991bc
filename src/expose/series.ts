import { type ExposedFamily, escapeLabelValue, type FamilyType, isLabelName, isMetricName } from "./format.ts";
import { EMPTY_RENDERING, type Rendering, renderLines } from "./lines.ts";
import type { Family } from "./types.ts";

/** Series of one slot of one owner, in the order its points came. */
export interface Holder {
  series: Series[];
  generation: number;
}

export interface Series {
  readonly state: FamilyState;
  /** The labels as written, `{a="b"}`; empty without labels. */
  readonly key: string;
  /** How many labels the key has, or -1 when it has escapes in it. */
  readonly plainLabels: number;
  readonly holder: Holder;
  /** The holder's generation that last had it. */
  seen: number;
  /** Where it stands in the family's members; -1 once it is gone. */
  position: number;
  /** Its line in the family's last rendering, -1 before the first. */
  line: number;
}

/** One family's series and their values by position. */
export interface FamilyState {
  readonly family: Family;
  /** The living by key. */
  readonly series: Map<string, Series>;
  /** Label names in the order this family first had them. One order for all, so that equal labels give equal keys. */
  readonly labelNames: string[];
  /** In order of arrival; the dead stay until the next tidying. Copied before a change when a cut shares it. */
  members: Series[];
  membersShared: boolean;
  values: Float64Array;
  /** Counts changes of any kind. */
  version: number;
  rendering: Rendering & { readonly version: number; readonly members: readonly Series[] };
}

export function createFamilyState(family: Family): FamilyState {
  return {
    family,
    series: new Map(),
    labelNames: [],
    members: [],
    membersShared: false,
    values: new Float64Array(4),
    version: 0,
    rendering: { ...EMPTY_RENDERING, version: 0, members: [] },
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

/** The labels as written and as compared, or undefined when one cannot be exposed. An empty value is no label, as in Prometheus. */
export function keyOf(state: FamilyState, labels: Readonly<Record<string, string>>): string | undefined {
  let text = "";
  let last = -1;
  for (const name of Object.keys(labels)) {
    const value = labels[name];
    if (value === "") continue;
    if (typeof value !== "string") return undefined;
    let rank = state.labelNames.indexOf(name);
    if (rank < 0) {
      if (!isLabelName(name)) return undefined;
      rank = state.labelNames.push(name) - 1;
    }
    if (rank < last) return keyOf(state, inOrder(state, labels));
    last = rank;
    text += `${text === "" ? "{" : ","}${name}="${escapeLabelValue(value)}"`;
  }
  return text === "" ? "" : `${text}}`;
}

function inOrder(state: FamilyState, labels: Readonly<Record<string, string>>): Record<string, string> {
  const rank = (name: string): number => state.labelNames.indexOf(name) >>> 0; // unknown (-1) goes last
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => rank(a) - rank(b)));
}

/**
 * Whether these labels, in this order, surely have the key: a cheap yes that spares building it.
 * A key without escapes has no quote inside a value, so `="` stands in it once a label and nowhere else;
 * as many labels that all fit there can only be the same ones.
 */
export function hasKey({ key, plainLabels }: Series, labels: Readonly<Record<string, string>>): boolean {
  let at = 0;
  let count = 0;
  for (const name of Object.keys(labels)) {
    const value = labels[name];
    if (value === "") continue;
    if (typeof value !== "string") return false;
    const valueAt = at + 1 + name.length + 2;
    if (!key.startsWith(name, at + 1) || !key.startsWith('="', valueAt - 2) || !key.startsWith(value, valueAt))
      return false;
    at = valueAt + value.length + 1;
    if (key[at - 1] !== '"') return false;
    count += 1;
  }
  return count > 0 && count === plainLabels && at === key.length - 1;
}

export function append(state: FamilyState, key: string, holder: Holder, value: number): Series {
  const position = state.members.length;
  // Looking for a backslash also makes V8 turn the pieces of the key into one string.
  const plainLabels = key.includes("\\") ? -1 : key.split('="').length - 1;
  const series: Series = { state, key, plainLabels, holder, seen: holder.generation, position, line: -1 };
  if (state.membersShared) {
    state.members = state.members.slice();
    state.membersShared = false;
  }
  if (position >= state.values.length) {
    const larger = new Float64Array(state.values.length * 2);
    larger.set(state.values);
    state.values = larger;
  }
  state.members.push(series);
  state.values[position] = value;
  state.series.set(key, series);
  state.version += 1;
  return series;
}

export function setValue({ state, position }: Series, value: number): void {
  if (Object.is(state.values[position], value)) return;
  state.values[position] = value;
  state.version += 1;
}

export function detach(series: Series): void {
  const { state } = series;
  state.series.delete(series.key);
  series.position = -1;
  state.version += 1;
  // Without scrapes nobody else tidies up.
  if (state.members.length > 32 && state.series.size * 2 < state.members.length) tidy(state);
}

/** Takes the dead out of the members; the living keep their order. */
function tidy(state: FamilyState): void {
  if (state.members.length === state.series.size) return;
  const living = state.members.filter((series) => series.position >= 0);
  const values = new Float64Array(Math.max(4, Math.ceil(living.length * 1.25)));
  living.forEach((series, position) => {
    values[position] = state.values[series.position] as number;
    series.position = position;
  });
  state.members = living;
  state.membersShared = false;
  state.values = values;
}

/** The family at this moment: members and values are kept apart, so that a scrape of many turns shows one state. */
export function cut(state: FamilyState): ExposedFamily {
  if (state.rendering.version === state.version) {
    const { bytes } = state.rendering;
    return { ...state.family, size: state.series.size, lines: async () => bytes };
  }
  tidy(state);
  const { members, version, rendering: base } = state;
  state.membersShared = true;
  const values = state.values.slice(0, members.length);
  // Lines are numbered by the last rendering, and another scrape may replace that while this one is written.
  const lineOf = members === base.members ? undefined : linesOf(members);
  const baseLine = (i: number): number => (lineOf ? (lineOf[i] as number) : i);
  const key = (i: number): string => (members[i] as Series).key;
  const lines = async (): Promise<Buffer> => {
    const rendering = await renderLines({ base, values, baseLine, name: state.family.name, key });
    if (version > state.rendering.version) keep(state, { ...rendering, version, members });
    return rendering.bytes;
  };
  return { ...state.family, size: members.length, lines };
}

function linesOf(members: readonly Series[]): Int32Array {
  const lines = new Int32Array(members.length); // filled in a plain loop: Int32Array.from takes 5 ms for 100,000
  for (let i = 0; i < members.length; i++) lines[i] = (members[i] as Series).line;
  return lines;
}

/** Makes a rendering the base of the next one. */
function keep(state: FamilyState, rendering: FamilyState["rendering"]): void {
  const numbered = rendering.members === state.rendering.members;
  state.rendering = rendering;
  if (numbered) return;
  rendering.members.forEach((series, line) => {
    series.line = line;
  });
}
