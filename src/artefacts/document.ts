import type { z } from "zod";
import { formatPath, type Path } from "../config/problem.ts";
import { type Validated, validate } from "../config/validate.ts";
import { readYaml } from "../config/yaml.ts";

/** A file as it was read; `path` is relative to the folder that is checked, with slashes. */
export interface ArtefactFile {
  readonly path: string;
  readonly text: string;
}

/** What is wrong at one place of a file. */
export interface Finding {
  readonly path: Path;
  /** What was expected, and why where that is not plain. */
  readonly message: string;
  /** Whether it is about the value (the default) or about its key. */
  readonly part?: "key" | "value";
}

/** A parsed file that knows where each of its values is written. */
export interface Document {
  readonly file: string;
  readonly value: unknown;
  /** Why it could not be parsed; empty when it could. */
  readonly problems: readonly string[];
  /** `file:line:column path: message [rule]` */
  problem(rule: string, finding: Finding): string;
  /** Holds what is at `base` to a schema. */
  validate<S extends z.ZodType>(schema: S, value: unknown, base?: Path): Validated<z.output<S>>;
}

/** Parses a YAML or JSON file (JSON is YAML). Never throws. */
export function readDocument({ path: file, text }: ArtefactFile): Document {
  const source = readYaml(text, file);
  const label = (path: Path, part?: "key" | "value") => `${source.place(path, part)} ${formatPath(path)}`.trimEnd();
  const origin = { label, fromVariable: () => false, reported: source.reported };
  return {
    ...{ file, value: source.value, problems: source.problems },
    problem: (rule, { path, message, part }) => `${label(path, part)}: ${message} [${rule}]`,
    validate: (schema, value, base = []) => validate(schema, value, origin, base),
  };
}

/** Every text in plain data, with its path. */
export function* textsIn(value: unknown, path: Path = []): Generator<{ readonly path: Path; readonly text: string }> {
  if (typeof value === "string") yield { path, text: value };
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* textsIn(item, [...path, index]);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) yield* textsIn(item, [...path, key]);
}

/** Findings for every value that was there before; `seen` lives as long as the values have to be unique. */
export function repeated(
  seen: Map<string, string>,
  key: string | number | undefined,
  at: { readonly where: string; readonly path: Path; readonly what: string },
): readonly Finding[] {
  if (key === undefined) return [];
  const first = seen.get(String(key));
  if (first !== undefined)
    return [{ path: at.path, message: `expected ${at.what} of its own, this one is taken by ${first}` }];
  seen.set(String(key), at.where);
  return [];
}
