import { z } from "zod";
import { type MetricSpec, UNITS, type Unit } from "../../model/sample.ts";
import { baseUnit, SOURCE_UNITS } from "../../model/units.ts";
import { commonSteps, isMany, PathError, parsePath, type Step } from "./path.ts";

/** Names as the contract of all plugins has them. */
const SNAKE = /^(?!gleaner_)[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const LABEL = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
/** Labels that say whose series it is, or that Prometheus adds. */
const TAKEN = new Set(["target", "kit", "job", "instance", "le", "quantile"]);

/** A path, handed on as its steps. */
const path = () =>
  z
    .string()
    .min(1)
    .max(500)
    .transform((text, context) => {
      try {
        return parsePath(text);
      } catch (error) {
        if (!(error instanceof PathError)) throw error;
        context.addIssue({ code: "custom", message: error.message });
        return z.NEVER;
      }
    });

const text = () => z.string().min(1).max(200);

/** How one metric comes out of a document. */
export const mapping = z
  .strictObject({
    metric: z
      .string()
      .max(150)
      .regex(SNAKE, { error: "expected a metric name in snake_case, without the prefix gleaner_" })
      .describe("Name of the metric without its prefix; ends in its base unit, of a counter in `_total`.")
      .meta({ example: "room_temperature_celsius" }),
    path: path()
      .describe(
        "Where its value is: `a.b`, `list[]` (each element), `list[0]`, `list[kind=temp]` (each whose field `kind` is `temp`), " +
          '`map.{label}` (each field; its name becomes that label), `"any name"`, `$` (the document).',
      )
      .meta({ example: "rooms[].temperature" }),
    labels: z
      .record(z.string().regex(LABEL, { error: "expected a label name in snake_case" }), path())
      .default({})
      .describe(
        "Labels and where their values are, as paths from the document; what they share with `path` is the same element.",
      )
      .meta({ example: { room: "rooms[].name" } }),
    help: z.string().min(1).max(500).optional().describe("What it is, for people."),
    type: z.enum(["gauge", "counter"]).default("gauge").describe("counter for what only grows."),
    from: z
      .enum(SOURCE_UNITS)
      .optional()
      .describe("Unit that the document has it in; it is converted to the base unit."),
    scale: z.number().optional().describe("Factor that it is multiplied by, where no unit fits."),
    values: z
      .record(text(), z.number())
      .optional()
      .describe("Numbers for texts; any other text is counted as rejected.")
      .meta({ alternative: '{"off": 0, "on": 1}' }),
    states: z
      .array(text())
      .min(2)
      .max(50)
      .optional()
      .describe("All texts there may be: a series for each, with the label `state`, 1 for the one it is.")
      .meta({ alternative: '["idle", "running", "fault"]' }),
    time: z
      .boolean()
      .optional()
      .describe("Whether it is a time (ISO 8601, or seconds, ms, µs or ns since 1970); becomes seconds since 1970.")
      .meta({ alternative: "true" }),
    info: z
      .boolean()
      .optional()
      .describe("Whether it is always 1 where the path leads to something, for the labels' sake.")
      .meta({ alternative: "true" }),
    optional: z.boolean().default(false).describe("Whether it may be missing without being counted as rejected."),
    max_series: z
      .int()
      .min(1)
      .max(10_000)
      .default(200)
      .describe("Most series of this metric; what is over it is counted."),
  })
  .check(({ value, issues }) => {
    for (const message of problemsOf(value)) issues.push({ code: "custom", message, input: undefined });
  });
export type Mapping = z.output<typeof mapping>;

type Parsed = Pick<
  Mapping,
  "metric" | "path" | "labels" | "type" | "from" | "scale" | "values" | "states" | "time" | "info"
>;

function problemsOf(given: Parsed): string[] {
  const { metric, path, labels, type, from, scale, values, states, time, info } = given;
  const base = metric.replace(/_total$/, "");
  const names = labelNames(given);
  const expected = expectedEnd(given);
  const ways = [from ?? scale, values, states, time || undefined, info || undefined].filter((way) => way !== undefined);
  const stray = Object.entries(labels).filter(([, own]) => own.slice(commonSteps(own, path)).some(isMany));
  const faults: [boolean, string][] = [
    [ways.length > 1, `${metric}: expected at most one of from, scale, values, states, time and info`],
    [from !== undefined && scale !== undefined, `${metric}: expected at most one of from and scale`],
    [type === "counter" && !metric.endsWith("_total"), `${metric}: expected the name of a counter to end in _total`],
    [type === "gauge" && metric.endsWith("_total"), `${metric}: expected a name without _total, or the type counter`],
    [expected !== undefined && !base.endsWith(`_${expected}`), `${metric}: expected a name that ends in _${expected}`],
    [new Set(names).size < names.length, `${metric}: expected each label once`],
    ...names.map((name): [boolean, string] => [TAKEN.has(name), `${metric}: expected another label than ${name}`]),
    ...stray.map(([name]): [boolean, string] => [
      true,
      `${metric}: expected a path for the label ${name} that goes through the same lists as the metric's own`,
    ]),
  ];
  return faults.filter(([wrong]) => wrong).map(([, fault]) => fault);
}

/** What the metric's name must end in, where the way it is read says so. */
function expectedEnd({ from, time, info }: Parsed): string | undefined {
  if (time) return "timestamp_seconds";
  if (info) return "info";
  return from && baseUnit(from);
}

const namesIn = (path: readonly Step[]) => path.flatMap((step) => (step.kind === "entries" ? [step.label] : []));

function labelNames({ path, labels, states }: Pick<Mapping, "path" | "labels" | "states">): string[] {
  return [...namesIn(path), ...Object.keys(labels), ...(states ? ["state"] : [])];
}

/** What the exposition says about the metric. */
export function specOf(mapping: Mapping): MetricSpec {
  const { metric, help, type, states, max_series } = mapping;
  const base = metric.replace(/_total$/, "");
  const unit: Unit | undefined = UNITS.find((one) => base.endsWith(`_${one}`));
  return {
    help: help ?? "Read out of a JSON document, as configured.",
    type,
    labels: labelNames(mapping),
    maxSeries: max_series * (states?.length ?? 1),
    ...(unit === undefined ? {} : { unit }),
  };
}
