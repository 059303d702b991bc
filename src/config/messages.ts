import type { z } from "zod";

type Issue = Parameters<z.core.$ZodErrorMap>[0];

/** What users call the types of YAML. */
const NAMES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
  null: "nothing",
  undefined: "nothing",
};

const named = (type: string): string => NAMES[type] ?? type;

/**
 * Says what was expected, for every check that says nothing itself. Given to zod as the error map.
 * Tells the type of what was there, never its value.
 */
export function describeIssue(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? `missing, expected ${named(issue.expected)}`
        : `expected ${named(issue.expected)}, got ${named(typeOf(issue.input))}`;
    case "invalid_value":
      return `expected ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `expected ${bound(issue.origin, "at least", issue.minimum, issue.inclusive)}`;
    case "too_big":
      return `expected ${bound(issue.origin, "at most", issue.maximum, issue.inclusive)}`;
    case "invalid_format":
      return `expected ${format(issue)}`;
    case "invalid_union":
      return describeUnion(issue);
    case "invalid_key":
      return issue.issues[0]?.message ?? "expected another key";
    case "not_multiple_of":
      return `expected a multiple of ${issue.divisor}`;
    default:
      return "expected another value";
  }
}

/** What text has to look like. */
function format(issue: Extract<Issue, { code?: "invalid_format" }>): string {
  if (issue.prefix !== undefined) return `text that starts with ${issue.prefix}`;
  if (issue.suffix !== undefined) return `text that ends with ${issue.suffix}`;
  return issue.pattern ? `text that matches ${issue.pattern}` : `a valid ${issue.format}`;
}

function bound(origin: string, relation: string, limit: number | bigint, inclusive = true): string {
  const side = inclusive ? relation : relation === "at least" ? "more than" : "less than";
  if (origin === "string") return limit === 1 && inclusive ? "text that is not empty" : `${side} ${limit} characters`;
  return origin === "array" || origin === "set"
    ? `${side} ${limit} ${limit === 1 ? "entry" : "entries"}`
    : `${side} ${limit}`;
}

/** A union of plain types reads "expected text or a number"; otherwise the form that came closest speaks. */
function describeUnion(issue: Extract<Issue, { code?: "invalid_union" }>): string {
  const forms = issue.errors.flatMap((form) => form.slice(0, 1));
  const types = forms.filter((first) => first.code === "invalid_type" && first.path.length === 0);
  if (types.length === forms.length && types.length > 0)
    return `expected ${types.map((first) => named("expected" in first ? String(first.expected) : "")).join(" or ")}`;
  const nearest = forms.find((first) => first.path.length > 0) ?? forms[0];
  return nearest?.message ?? "expected another value";
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
