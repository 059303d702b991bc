import { z } from "zod";
import { suggestion } from "./closest.ts";
import { describeIssue } from "./messages.ts";
import type { Path } from "./problem.ts";

/** Where values came from: files and the environment. */
export interface Origin {
  /** Place and path of a value or of its key, as a problem begins: `gleaner.yaml:3:5 server.listen`, or `GLEANER_LISTEN`. */
  label(path: Path, part?: "key" | "value"): string;
  /** Whether this text came out of a variable, so that it may stand for a number, true or false. */
  fromVariable(path: Path): boolean;
  /** Whether a problem with this value was reported already. */
  reported(path: Path): boolean;
}

/** A validated value, or the problems that kept it from being one. */
export type Validated<T> =
  | { readonly value: T; readonly problems: readonly [] }
  | { readonly value: undefined; readonly problems: readonly string[] };

type Issue = z.core.$ZodIssue;

/**
 * Checks `raw` against a schema and says what is wrong in the words of the place it came from.
 * Text out of a variable becomes a number or boolean, and nothing becomes an empty map or list, where the schema wants one.
 * @param base where `raw` sits in its file
 */
export function validate<S extends z.ZodType>(
  schema: S,
  raw: unknown,
  origin: Origin,
  base: Path = [],
): Validated<z.output<S>> {
  const parse = (value: unknown) => schema.safeParse(value, { error: describeIssue });
  const first = parse(raw);
  const repaired = repairedFrom(raw, first, origin, base);
  return settle(repaired === undefined ? first : parse(repaired), schema, origin, base);
}

/** The same with a schema that may have to ask somebody else: that of a plugin which is in another process. */
export async function validateAsync<S extends z.ZodType>(
  schema: S,
  raw: unknown,
  origin: Origin,
  base: Path = [],
): Promise<Validated<z.output<S>>> {
  const parse = (value: unknown) => schema.safeParseAsync(value, { error: describeIssue });
  const first = await parse(raw);
  const repaired = repairedFrom(raw, first, origin, base);
  return settle(repaired === undefined ? first : await parse(repaired), schema, origin, base);
}

/** What is wrong with a configuration, in our words and without the place it came from: for the process that has the schema. */
export async function findIssues(schema: z.ZodType, raw: unknown): Promise<Complaint[]> {
  const { error } = await schema.safeParseAsync(raw, { error: describeIssue });
  return (error?.issues ?? []).flatMap((issue) => complaintsOf(issue, schema));
}

type Parsed<S extends z.ZodType> = z.ZodSafeParseResult<z.output<S>>;

function repairedFrom(raw: unknown, { error }: Parsed<z.ZodType>, origin: Origin, base: Path): unknown {
  return error && repair(raw, error.issues, (path) => origin.fromVariable([...base, ...path]));
}

function settle<S extends z.ZodType>(result: Parsed<S>, schema: S, origin: Origin, base: Path): Validated<z.output<S>> {
  if (result.success) return { value: result.data, problems: [] };
  const problems = result.error.issues
    .flatMap((issue) => complaintsOf(issue, schema))
    .filter(({ path, part }) => part === "key" || !origin.reported([...base, ...path]))
    .map(({ path, part, message }) => `${origin.label([...base, ...path], part)}: ${message}`);
  return { value: undefined, problems };
}

/** Something wrong with a value or a key. `expected` where a value is of another type than this. */
export interface Complaint {
  readonly path: Path;
  readonly part: "key" | "value";
  readonly message: string;
  readonly expected?: string;
}

function complaintsOf(issue: Issue, schema: z.ZodType): Complaint[] {
  const { path, message } = issue;
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, path);
    return issue.keys.map((key) => ({
      ...{ path: [...path, key], part: "key" as const },
      message: `unknown key${suggestion(key, known)}`,
    }));
  }
  const isKey = issue.code === "invalid_key" || (issue.code === "custom" && issue.params?.["part"] === "key");
  const expected = issue.code === "invalid_type" ? { expected: issue.expected } : {};
  return [{ path, part: isKey ? "key" : "value", message, ...expected }];
}

/** A copy of `raw` with every value converted that plainly stands for what was expected; undefined when there is none. */
function repair(raw: unknown, issues: readonly Issue[], fromVariable: (path: Path) => boolean): unknown {
  let copy: unknown;
  for (const issue of issues) {
    if (issue.code !== "invalid_type") continue;
    const value = getIn(raw, issue.path);
    const better =
      value === null ? emptyOf(issue.expected) : fromVariable(issue.path) ? meant(value, issue.expected) : undefined;
    if (better === undefined) continue;
    copy = setIn(copy ?? structuredClone(raw), issue.path, better);
  }
  return copy;
}

/** `server:` with every line below it commented out is an empty map, not a mistake. */
function emptyOf(expected: string): unknown {
  if (expected === "array") return [];
  return expected === "object" || expected === "record" ? {} : undefined;
}

function meant(value: unknown, expected: string): number | boolean | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  if (expected === "boolean") return text === "true" ? true : text === "false" ? false : undefined;
  const numeric = (expected === "number" || expected === "int") && /^-?\d+(\.\d+)?$/.test(text);
  return numeric ? Number(text) : undefined;
}

/** The value at a path of plain data, or undefined. */
export function getIn(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined),
    value,
  );
}

/** Puts a value into plain data where its parent is there; returns the root, which is the value itself for an empty path. */
export function setIn(root: unknown, path: Path, value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = getIn(root, path.slice(0, -1));
  if (typeof parent === "object" && parent !== null) Reflect.set(parent, last, value);
  return root;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The keys that a schema knows at a path, to suggest one. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let level = [z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema];
  for (const key of path) level = level.flatMap(alternatives).flatMap((at) => child(at, key));
  return [...new Set(level.flatMap(alternatives).flatMap((at) => Object.keys(at.properties ?? {})))];
}

function child(at: JsonSchema, key: PropertyKey): JsonSchema[] {
  const below = typeof key === "number" ? at.items : at.properties?.[String(key)];
  if (below) return [below];
  return typeof at.additionalProperties === "object" ? [at.additionalProperties] : [];
}

const alternatives = (at: JsonSchema): readonly JsonSchema[] => [at, ...(at.anyOf ?? []), ...(at.oneOf ?? [])];
