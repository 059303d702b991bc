import { z } from "zod";
import type { Fault } from "../contract/fault.ts";
import { declarationFaults } from "../contract/plugin.ts";
import { CATEGORIES, type Plugin } from "../model/plugin.ts";
import { UNITS } from "../model/sample.ts";

/** Bounds of what a plugin may declare: all of it is kept in gleaner's memory. */
const MAX_METRICS = 500;
const MAX_JOBS = 20;
const MAX_SERIES = 10_000;
/** Shortest interval (ms), as in the configuration. */
const MIN_INTERVAL_MS = 100;

const line = z.string().max(200);
const text = z.string().max(1_000);

const metric = z.object({
  help: text,
  type: z.enum(["gauge", "counter"]).optional(),
  unit: z.enum(UNITS).optional(),
  labels: z.array(line).max(20).optional(),
  maxSeries: z.number().max(MAX_SERIES).optional(),
  range: z.object({ min: z.number().optional(), max: z.number().optional() }).optional(),
});

const job = z.object({
  summary: text,
  every: z.number().min(MIN_INTERVAL_MS),
  timeout: z.number().optional(),
  requires: z.array(line).max(MAX_METRICS).optional(),
});

/** What an external plugin says of itself: a plugin without its functions and its schema. */
const declaration = z.object({
  id: line,
  title: line,
  summary: text,
  category: z.enum(CATEGORIES),
  version: line,
  author: line.optional(),
  tags: z.array(line).max(50).optional(),
  enabledByDefault: z.boolean(),
  metrics: z.record(line, metric).refine((all) => Object.keys(all).length <= MAX_METRICS, {
    error: `more than ${MAX_METRICS} metrics`,
  }),
  furtherMetrics: text.optional(),
  health: z.enum(["plugin", "service"], { error: "only gleaner's own plugins are of kits" }).optional(),
  jobs: z
    .record(line, job)
    .refine((all) => Object.keys(all).length <= MAX_JOBS, { error: `more than ${MAX_JOBS} jobs` }),
});
export type Declaration = z.output<typeof declaration>;

/** The declaration of a plugin, to be sent. */
export function declarationOf(plugin: Plugin): unknown {
  const { config: _config, derive: _derive, close: _close, jobs, ...rest } = plugin;
  const plain = Object.entries(jobs).map(([name, { summary, every, timeout, requires }]) => [
    name,
    { summary, every, timeout, requires },
  ]);
  return { ...rest, jobs: Object.fromEntries(plain) };
}

/**
 * Reads what a plugin's process declares, and holds it to the contract like any plugin.
 * @param id what the plugin must be called, after its file or package
 */
export function readDeclaration(
  given: unknown,
  id: string,
): { readonly declaration?: Declaration; readonly faults: readonly Fault[] } {
  const { data, error } = declaration.safeParse(given);
  if (!data)
    return {
      faults: error.issues.map(({ path, message }) => ({
        message: `${path.join(".")}: ${message}`,
        at: path.map(String),
      })),
    };
  const nothing = async () => ({ samples: [] });
  const jobs = Object.fromEntries(Object.entries(data.jobs).map(([name, one]) => [name, { ...one, collect: nothing }]));
  const faults = declarationFaults({ ...data, config: z.unknown(), jobs } as Plugin, id);
  return faults.length > 0 ? { faults } : { declaration: data, faults };
}
