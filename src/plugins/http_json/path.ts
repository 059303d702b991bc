/** One step of a path into a JSON document. */
export type Step =
  /** `.name` or `."any name"`: the field of that name. */
  | { readonly kind: "field"; readonly name: string }
  /** `[2]`: the element at that place; `[-1]` is the last. */
  | { readonly kind: "element"; readonly index: number }
  /** `[]`: every element; `[unit=C]`: every element whose field `unit` is `C`. */
  | { readonly kind: "each"; readonly field?: string; readonly equals?: string }
  /** `{room}`: every field of an object; its name becomes the label `room`. */
  | { readonly kind: "entries"; readonly label: string };

/** A path that cannot be read; the message says where. */
export class PathError extends Error {}

/** Steps of one path; enough for any document, and a bound for hostile configurations. */
const MAX_STEPS = 32;

const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
const NAME = `[A-Za-z0-9_$@:/-]+|${QUOTED}`;
const TOKEN = new RegExp(
  String.raw`(?:^|\.)(?:\{(?<label>[a-z][a-z0-9_]*)\}|(?<name>${NAME}))|\[(?:(?<index>-?\d{1,6})|(?<key>${NAME})=(?<value>${QUOTED}|[^\]"]*)|)\]`,
  "y",
);

const unquoted = (text: string): string => (text.startsWith('"') ? String(JSON.parse(text)) : text);

/**
 * Reads a path: `rooms[].sensors[kind=temp].value`, `disks.{disk}.used`, `"a.b"[0]`; `$` is the document itself.
 * @throws {PathError} that says at which character it can no longer be read
 */
export function parsePath(text: string): readonly Step[] {
  if (text === "$") return [];
  // As JSONPath writes it.
  const path = text.replace(/^\$(?:\.|(?=\[))/, "");
  const steps: Step[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < path.length || steps.length === 0) {
    const at = TOKEN.lastIndex + text.length - path.length;
    const match = TOKEN.exec(path);
    if (!match || steps.length === MAX_STEPS)
      throw new PathError(
        `expected a path such as rooms[].sensors[kind=temp].value; it cannot be read from character ${at + 1} on`,
      );
    steps.push(stepOf(match.groups ?? {}));
  }
  return steps;
}

function stepOf(groups: Readonly<Record<string, string | undefined>>): Step {
  const { label, name, index, key, value } = groups;
  if (label !== undefined) return { kind: "entries", label };
  if (name !== undefined) return { kind: "field", name: readName(name) };
  if (index !== undefined) return { kind: "element", index: Number(index) };
  if (key === undefined) return { kind: "each" };
  return { kind: "each", field: readName(key), equals: readName(value ?? "") };
}

function readName(text: string): string {
  try {
    return unquoted(text);
  } catch {
    throw new PathError(`expected a name in quotes as JSON writes it, got ${text.slice(0, 50)}`);
  }
}

/** Whether a step may find more than one thing. */
export const isMany = ({ kind }: Step): boolean => kind === "each" || kind === "entries";

const isSame = (a: Step | undefined, b: Step | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

/** How many steps two paths have in common from the start. */
export function commonSteps(a: readonly Step[], b: readonly Step[]): number {
  const first = a.findIndex((step, i) => !isSame(step, b[i]));
  return first < 0 ? Math.min(a.length, b.length) : first;
}

/** Something that a path found. `trail`: the value behind each of its steps, the document itself first. */
export interface Match {
  readonly value: unknown;
  readonly trail: readonly unknown[];
  /** Names that `{label}` steps went through. */
  readonly names: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const fieldOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** A text, number or truth value as text; undefined of all else. What an object says of itself is not asked for. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;

/** Everything that a path finds in a document; no more than `limit`. What a single step does not find has the value undefined. */
export function select(document: unknown, path: readonly Step[], limit: number): readonly Match[] {
  let matches: readonly Match[] = [{ value: document, trail: [document], names: {} }];
  for (const step of path) matches = [...stepFurther(matches, step, limit)];
  return matches;
}

function* stepFurther(matches: readonly Match[], step: Step, limit: number): Iterable<Match> {
  let count = 0;
  for (const match of matches) {
    for (const { value, name } of follow(match.value, step)) {
      if (count++ === limit) return;
      const names =
        name === undefined || step.kind !== "entries" ? match.names : { ...match.names, [step.label]: name };
      yield { value, trail: [...match.trail, value], names };
    }
  }
}

/** The one thing that a path without `[]` and `{}` finds; undefined where there is none. */
export function at(value: unknown, path: readonly Step[]): unknown {
  return path.reduce<unknown>((found, step) => [...follow(found, step)][0]?.value, value);
}

interface Found {
  readonly value: unknown;
  readonly name?: string;
}

function* follow(value: unknown, step: Step): Iterable<Found> {
  if (step.kind === "field") yield { value: fieldOf(value, step.name) };
  else if (step.kind === "element") yield { value: Array.isArray(value) ? value.at(step.index) : undefined };
  else if (step.kind === "entries") {
    if (isObject(value)) for (const name of Object.keys(value)) yield { name, value: value[name] };
  } else if (Array.isArray(value)) {
    const { field, equals } = step;
    for (const element of value)
      if (field === undefined || textOf(fieldOf(element, field)) === equals) yield { value: element };
  }
}
