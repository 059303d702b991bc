import { z } from "zod";
import { metricFaults } from "../contract/metrics.ts";
import type { AgentDeclaration } from "../model/agent.ts";
import { formatDuration, hours, parseDuration, seconds } from "../model/duration.ts";
import { type MetricSpec, UNITS } from "../model/sample.ts";

/** Metrics that one agent may declare; gleaner's own plugins have a dozen, the largest four. */
const MAX_METRICS = 200;
/** Label sets of one metric in one report, where it declares no cap. */
const DEFAULT_SERIES = 100;
const MAX_SERIES = 1_000;
/** More mistakes than these are not told at once. */
const MAX_PROBLEMS = 20;
/** 100 reports a minute are taken, and an agent that reports once a day is one nobody would miss for days. */
const INTERVAL = { shortest: seconds(1), longest: hours(24) } as const;

/** What agents report is called gleaner_agent_…, so that nothing they invent gets among the series of gleaner's own plugins. */
const PREFIX = "agent_";

/** The name under which a metric of an agent is kept and exposed. */
export const ownName = (metric: string): string => PREFIX + metric;

const metric = z.strictObject({
  help: z.string().max(500),
  type: z.enum(["gauge", "counter"]).optional(),
  unit: z.enum(UNITS).optional(),
  labels: z.array(z.string().max(60)).max(10).optional(),
  maxSeries: z.int().min(1).max(MAX_SERIES).optional(),
  range: z.strictObject({ min: z.number().optional(), max: z.number().optional() }).optional(),
});

const body = z.strictObject({
  version: z.string().min(1).max(40).default("0.0.0"),
  interval: z.union([z.string().max(20), z.number()]),
  metrics: z
    .record(z.string().max(100), metric)
    .refine((all) => Object.keys(all).length > 0, { error: "expected at least one metric" })
    .refine((all) => Object.keys(all).length <= MAX_METRICS, { error: `expected at most ${MAX_METRICS} metrics` }),
});

/** A registration that can be used, or what is wrong with it, a sentence each. */
export type Declared = { readonly declaration: AgentDeclaration } | { readonly problems: readonly string[] };

/**
 * Reads the body of a registration. Its metrics are held to what plugins are held to: names and help that pass the linter
 * of Prometheus, base units, closed sets of labels.
 */
export function readDeclaration(given: unknown): Declared {
  const parsed = body.safeParse(given);
  if (!parsed.success)
    return refused(parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the body"}: ${message}`));
  const { version, metrics } = parsed.data;
  const interval = readInterval(parsed.data.interval);
  const { shortest, longest } = INTERVAL;
  if (interval === undefined || interval < shortest || interval > longest)
    return refused([`interval: expected a duration from ${formatDuration(shortest)} to ${formatDuration(longest)}`]);
  const named = Object.fromEntries(Object.entries(metrics).map(([key, spec]) => [ownName(key), plain(spec)]));
  const faults = [
    ...metricFaults(named).map(({ message }) => message),
    ...clashes(Object.keys(named), Object.keys(named)),
  ];
  if (faults.length > 0) return refused(faults);
  return { declaration: { version, interval, metrics: named } };
}

const kept = z.object({
  version: z.string(),
  interval: z.number().min(INTERVAL.shortest),
  metrics: z.record(z.string(), metric),
});

/** A declaration as the database has it; null for what cannot be one, as somebody may have written there. */
export function soundDeclaration(stored: unknown): AgentDeclaration | null {
  const { data } = kept.safeParse(stored);
  if (!data) return null;
  const metrics = Object.entries(data.metrics).map(([key, spec]) => [key, plain(spec)] as const);
  return { ...data, metrics: Object.fromEntries(metrics.filter(([key]) => key.startsWith(PREFIX))) };
}

const refused = (problems: readonly string[]): Declared => ({ problems: problems.slice(0, MAX_PROBLEMS) });

function readInterval(given: string | number): number | undefined {
  try {
    return parseDuration(given);
  } catch {
    return undefined;
  }
}

/**
 * In OpenMetrics a counter's family is called without its `_total`, and may have `_created`: no gauge of such a name can be
 * beside it. @returns what is wrong with these keys beside those others, a sentence each
 */
export function clashes(keys: readonly string[], others: readonly string[]): string[] {
  const gaugesOf = (key: string) =>
    key.endsWith("_total") ? ["", "_created"].map((end) => key.replace(/_total$/, end)) : [];
  const pairs = (counters: readonly string[], gauges: ReadonlySet<string>) =>
    counters.flatMap((key) =>
      gaugesOf(key).flatMap((name) => (gauges.has(name) ? [`${name} and ${key} cannot be there both`] : [])),
    );
  return [...new Set([...pairs(keys, new Set(others)), ...pairs(others, new Set(keys))])];
}

/** Without what is undefined, and with a cap of series. */
function plain({ help, type, unit, labels, maxSeries, range }: z.output<typeof metric>): MetricSpec {
  const { min, max } = range ?? {};
  return {
    help,
    ...(type === undefined ? {} : { type }),
    ...(unit === undefined ? {} : { unit }),
    ...(labels === undefined ? {} : { labels, maxSeries: maxSeries ?? DEFAULT_SERIES }),
    ...(range === undefined
      ? {}
      : { range: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) } }),
  };
}
