import { z } from "zod";

/** What a zod schema says about one field, in JSON Schema and in what our own schemas add by `.meta()`. */
export interface Field {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
  readonly items?: Field;
  readonly additionalProperties?: Field | boolean;
  readonly anyOf?: readonly Field[];
  readonly oneOf?: readonly Field[];
  readonly minimum?: number;
  readonly maximum?: number;
  /** "duration" for text that is a length of time; then `range` is from what to what. */
  readonly kind?: string;
  readonly range?: string;
  /** What holds when the field is absent and has no default. */
  readonly unset?: string;
  /** A value to show. */
  readonly example?: unknown;
  /** A value to show for a field that stands for another one of the same map. */
  readonly alternative?: string;
}

/** A schema as its users write it: before defaults and transformations. */
export function fieldOf(schema: z.ZodType): Field {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Field;
}

const NAMES: Readonly<Record<string, string>> = {
  string: "text",
  number: "number",
  integer: "whole number",
  boolean: "true or false",
  array: "list",
  object: "map",
};

/** The type of a field in words: `whole number, 1 to 100`, `list of text`, `one of a, b`. */
export function typeName(field: Field): string {
  if (field.kind === "duration") return `duration, ${field.range}`;
  if (field.enum) return `one of ${field.enum.join(", ")}`;
  if (field.const !== undefined) return String(field.const);
  const forms = field.anyOf ?? field.oneOf;
  if (forms) return [...new Set(forms.map(typeName))].join(" or ");
  if (field.type === undefined) return "anything";
  if (typeof field.type !== "string") return field.type.map((type) => NAMES[type] ?? type).join(", ");
  if (field.type === "array" && field.items) return `list of ${typeName(field.items)}`;
  return `${NAMES[field.type] ?? field.type}${bounds(field)}`;
}

/** Bounds that zod adds to every whole number say nothing. */
const isBound = (limit: number | undefined): limit is number =>
  limit !== undefined && Math.abs(limit) !== Number.MAX_SAFE_INTEGER;

function bounds({ minimum, maximum }: Field): string {
  if (isBound(minimum) && isBound(maximum)) return `, ${minimum} to ${maximum}`;
  if (isBound(minimum)) return `, at least ${minimum}`;
  return isBound(maximum) ? `, at most ${maximum}` : "";
}

/** A field with the path it is configured at. */
export interface Row {
  readonly path: string;
  readonly field: Field;
  readonly required: boolean;
}

/** Every field of a map and of the maps within it, in the order of the schema. `<id>` stands for a key of one's own, `[]` for a list. */
export function rowsOf(map: Field, prefix = ""): Row[] {
  return Object.entries(map.properties ?? {}).flatMap(([key, field]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const required = map.required?.includes(key) ?? false;
    return [{ path, field, required }, ...within(field, path)];
  });
}

function within(field: Field, path: string): Row[] {
  if (field.properties) return rowsOf(field, path);
  if (field.items?.properties) return rowsOf(field.items, `${path}[]`);
  const each = field.additionalProperties;
  return typeof each === "object" && each.properties ? rowsOf(each, `${path}.<name>`) : [];
}
