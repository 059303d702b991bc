import type { Rejection, Sample } from "../../model/sample.ts";
import { toUtc } from "../../model/time.ts";
import { toBase } from "../../model/units.ts";
import { numberOf } from "../client/mapping.ts";
import type { Mapping } from "./mapping.ts";
import { at, commonSteps, type Match, select, textOf } from "./path.ts";

/** Why a value in a document was left out. */
type Fault =
  | "missing"
  | "not_a_number"
  | "not_a_time"
  | "unknown_value"
  | "bad_label"
  | "duplicate"
  | "too_many_series";

/** Longest value of a label. */
const MAX_LABEL = 200;

export interface Reading {
  readonly samples: readonly Sample[];
  readonly rejected: readonly Rejection[];
  /** Metrics of which nothing at all was found. */
  readonly missing: number;
}

/** Reads every mapping out of a document. What is wrong with one value costs no other, and is counted. */
export function readDocument(document: unknown, mappings: readonly Mapping[]): Reading {
  const rejected: Rejection[] = [];
  let missing = 0;
  const samples = mappings.flatMap((mapping) => {
    const faults = new Map<Fault, number>();
    const found = readOne(document, mapping, (fault, count = 1) => faults.set(fault, (faults.get(fault) ?? 0) + count));
    if (found === undefined) missing += 1;
    rejected.push(...[...faults].map(([reason, count]) => ({ reason, detail: mapping.metric, count })));
    return found ?? [];
  });
  return { samples, rejected, missing };
}

/** The samples of one mapping; undefined when its path leads nowhere. */
function readOne(
  document: unknown,
  mapping: Mapping,
  note: (fault: Fault, count?: number) => unknown,
): readonly Sample[] | undefined {
  // A document may hold millions; that there are too many is told by half as many.
  const matches = select(document, mapping.path, mapping.max_series * 2);
  const present = matches.filter(({ value }) => value !== undefined && value !== null);
  if (!mapping.optional && (matches.length === 0 || present.length < matches.length))
    note("missing", Math.max(1, matches.length - present.length));
  if (present.length > mapping.max_series) note("too_many_series", present.length - mapping.max_series);
  const seen = new Set<string | undefined>();
  const samples = present.slice(0, mapping.max_series).flatMap((match) => {
    const values = valuesOf(match.value, mapping);
    const labels = labelsOf(match, mapping);
    const key = JSON.stringify(labels);
    const fault = typeof values === "string" ? values : faultOf(key, seen);
    if (fault !== undefined) note(fault);
    if (fault !== undefined || typeof values === "string") return [];
    seen.add(key);
    return values.map(({ value, state }) => ({
      metric: mapping.metric,
      value,
      labels: state === undefined ? labels : { ...labels, state },
    }));
  });
  return present.length === 0 ? undefined : samples;
}

/** What is wrong with labels (as JSON), if something is. */
function faultOf(labels: string | undefined, seen: ReadonlySet<string | undefined>): Fault | undefined {
  if (labels === undefined) return "bad_label";
  return seen.has(labels) ? "duplicate" : undefined;
}

interface Value {
  readonly value: number;
  readonly state?: string;
}

/** What a value in the document comes to, or why to nothing. */
function valuesOf(value: unknown, { from, scale = 1, values, states, time, info }: Mapping): readonly Value[] | Fault {
  if (info) return [{ value: 1 }];
  if (values !== undefined || states !== undefined) {
    const text = textOf(value);
    if (text === undefined) return "unknown_value";
    if (states)
      return states.includes(text)
        ? states.map((state) => ({ state, value: Number(state === text) }))
        : "unknown_value";
    const number = values && Object.hasOwn(values, text) ? values[text] : undefined;
    return number === undefined ? "unknown_value" : [{ value: number }];
  }
  if (time) {
    const date = toUtc(value);
    return date === undefined ? "not_a_time" : [{ value: date.getTime() / 1000 }];
  }
  const number = typeof value === "boolean" ? Number(value) : numberOf(value);
  if (number === undefined) return "not_a_number";
  return [{ value: from === undefined ? number * scale : toBase(number, from) }];
}

/** The labels of a match; undefined when one is a list, an object, or too long. What is not there is an empty label. */
function labelsOf({ trail, names }: Match, { path, labels }: Mapping): Readonly<Record<string, string>> | undefined {
  const all: Record<string, string> = { ...names };
  for (const [label, own] of Object.entries(labels)) {
    const shared = commonSteps(own, path);
    const value = at(trail[shared], own.slice(shared));
    if (typeof value === "object" && value !== null) return undefined;
    all[label] = value === undefined || value === null ? "" : String(value);
  }
  return Object.values(all).some((text) => text.length > MAX_LABEL) ? undefined : all;
}
