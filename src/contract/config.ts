import { z } from "zod";
import type { Plugin } from "../model/plugin.ts";
import { type Fault, faultsOf } from "./fault.ts";

/** A schema as its users write it, in JSON Schema. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

/** The schema of a plugin's configuration. @throws when it is no zod schema */
export const inputSchema = (plugin: Pick<Plugin, "config">): Schema =>
  z.toJSONSchema(plugin.config, { io: "input", unrepresentable: "any" }) as Schema;

const MEGABYTE = "x".repeat(1_000_000);
/** Whole configurations that are none. */
const HOSTILE: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["undefined", undefined],
  ["a list", []],
  ["a list of objects", [{}]],
  ["a number", 42],
  ["NaN", Number.NaN],
  ["text", "config"],
  ["a megabyte of text", MEGABYTE],
  ["true", true],
  ["a function", () => undefined],
  ["an unknown key", { no_such_field: 1 }],
];
/** A message longer than this repeats what it was given. */
const MAX_MESSAGE = 10_000;

/** What is wrong with the schema of a plugin's configuration; empty when all is right. */
export function configFaults(plugin: Plugin): Fault[] {
  let schema: Schema;
  try {
    schema = inputSchema(plugin);
  } catch {
    return [{ message: "config is no zod schema", at: ["config"] }];
  }
  if (schema.type !== "object") return [{ message: "config is no z.strictObject({ … })", at: ["config"] }];
  return [...fieldFaults(schema), ...defaultFaults(plugin, schema), ...refusalFaults(plugin)];
}

/** Every field that a schema holds, however deep: it is described, and a map of fields takes no others. */
function fieldFaults(schema: unknown, path: readonly string[] = ["config"]): Fault[] {
  if (Array.isArray(schema)) return schema.flatMap((part) => fieldFaults(part, path));
  if (typeof schema !== "object" || schema === null) return [];
  const isLoose = "properties" in schema && (schema as Schema).additionalProperties !== false;
  const within = Object.entries(schema).flatMap(([key, value]) => {
    if (key === "default" || key === "examples" || key === "example") return [];
    if (key !== "properties") return fieldFaults(value, path);
    return Object.entries(value as Record<string, Schema>).flatMap(([name, field]) => [
      ...faultsOf(
        [...path, name],
        [[!field.description?.trim(), `${[...path, name].join(".")} has no description: .describe("…")`]],
      ),
      ...fieldFaults(field, [...path, name]),
    ]);
  });
  return [...faultsOf(path, [[isLoose, `${path.join(".")} takes unknown keys: use z.strictObject`]]), ...within];
}

/** Defaults are not checked by zod: one that its own field refuses would pass until somebody writes it down. */
function defaultFaults({ config }: Plugin, { properties = {} }: Schema): Fault[] {
  const defaults = Object.entries(properties).filter(([, field]) => field.default !== undefined);
  const { error } = config.safeParse(Object.fromEntries(defaults.map(([name, field]) => [name, field.default])));
  const refused = new Set(error?.issues.map(({ path }) => String(path[0])));
  return defaults.flatMap(([name]) =>
    faultsOf(["config", name], [[refused.has(name), `config.${name} refuses its own default`]]),
  );
}

function refusalFaults({ config }: Plugin): Fault[] {
  return HOSTILE.flatMap(([what, hostile]) => {
    try {
      const { error } = config.safeParse(hostile);
      const messages = error?.issues.map(({ message }) => message) ?? [];
      return faultsOf(
        ["config"],
        [
          [error === undefined, `config accepts ${what}`],
          [
            messages.some((text) => text === "" || text.length > MAX_MESSAGE),
            `config refuses ${what} without a message`,
          ],
        ],
      );
    } catch {
      return [{ message: `config throws at ${what}`, at: ["config"] }];
    }
  });
}
