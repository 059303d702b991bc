import { z } from "zod";
import { CATEGORIES, type Plugin } from "../model/plugin.ts";
import { UNITS } from "../model/sample.ts";
import type { Fault } from "./fault.ts";

const callable = z.custom<(...args: never[]) => unknown>((value) => typeof value === "function", "expected a function");

const metric = z.object({
  help: z.string(),
  type: z.enum(["gauge", "counter"]).optional(),
  unit: z.enum(UNITS).optional(),
  labels: z.array(z.string()).optional(),
  maxSeries: z.number().optional(),
  range: z.object({ min: z.number().optional(), max: z.number().optional() }).optional(),
  alert: z
    .array(z.object({ name: z.string(), threshold: z.number(), for: z.string(), summary: z.string() }))
    .optional(),
});

const job = z.object({
  summary: z.string(),
  every: z.number(),
  timeout: z.number().optional(),
  requires: z.array(z.string()).optional(),
  collect: callable,
});

/** A plugin as JavaScript may have it: what TypeScript would have said of its types. */
const shape = z.object({
  id: z.string(),
  title: z.string(),
  summary: z.string(),
  category: z.enum(CATEGORIES),
  version: z.string(),
  author: z.string().optional(),
  tags: z.array(z.string()).optional(),
  enabledByDefault: z.boolean(),
  config: z.custom(
    (value) => typeof (value as z.ZodType | undefined)?.safeParse === "function",
    "expected a zod schema",
  ),
  metrics: z.record(z.string(), metric),
  furtherMetrics: z.string().optional(),
  health: z.enum(["plugin", "kit", "service"]).optional(),
  jobs: z.record(z.string(), job),
  derive: callable.optional(),
  close: callable.optional(),
});

/** Whether this is meant to be a plugin, whatever is wrong with it. */
export function isMeantAsPlugin(value: unknown): value is Plugin {
  return typeof value === "object" && value !== null && "id" in value && "jobs" in value && "metrics" in value;
}

/** What of a plugin is missing or of another type; empty when it has the shape of one. */
export function shapeFaults(value: unknown): Fault[] {
  const issues = shape.safeParse(value).error?.issues ?? [];
  return issues.map(({ path, message }) => ({ message: `${path.join(".")}: ${message}`, at: path.map(String) }));
}
