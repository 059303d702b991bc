import { z } from "zod";
import { ALERT_SEVERITIES, type AlertRecord, COMPARISONS, type Comparison } from "../model/alert.ts";
import { originOf } from "./overlay.ts";
import type { Path } from "./problem.ts";
import { type Origin, validate } from "./validate.ts";
import { readYaml } from "./yaml.ts";

/** A condition of a user's own: one metric against a number, or several conditions together. */
export interface Condition {
  readonly plugin?: string | undefined;
  readonly metric?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly op?: Comparison | undefined;
  readonly value?: number | undefined;
  readonly and?: readonly Condition[] | undefined;
  readonly or?: readonly Condition[] | undefined;
}

const duration = () =>
  z
    .union([z.string(), z.int().min(0)], { error: "expected a duration such as 30s, 5m or 2h" })
    .transform((given) => (typeof given === "number" ? `${given}s` : given))
    .refine((text) => /^\d{1,6}[smhd]$/.test(text), { error: "expected a duration such as 30s, 5m or 2h" });

/** What Prometheus' templates, or Grafana when it reads its files, take for code. */
const CODE = /\{\{|\$(?:__\w+)?\{/;
const CODE_SAID = "{{, ${ and $__…{";
const isPlain = (value: string): boolean => !CODE.test(value);

/** Texts end up in templates of two programs: what would be code in one of them is refused. */
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(isPlain, { error: `expected text without ${CODE_SAID}` });

const several = () => z.array(condition).min(2).max(20).optional();
const condition: z.ZodType<Condition> = z
  .strictObject({
    plugin: z.string().optional().describe("Id of the plugin whose metric it is, where several have one of that name."),
    metric: z.string().optional().describe("Name of a metric of docs/plugins.md; the alert's own when absent."),
    labels: z.record(z.string(), z.string().max(1_000)).optional().describe("Only series with these labels."),
    op: z.enum(COMPARISONS).optional().describe("How it is compared."),
    value: z.number().optional().describe("What it is compared with; counters by their rate a second over 5 minutes."),
    get and() {
      return several().describe(
        "Conditions that must all hold: for one target when all are of one plugin, else anywhere.",
      );
    },
    get or() {
      return several().describe("Conditions of which one must hold, likewise.");
    },
  })
  .superRefine((given, context) => {
    const kinds = (["op", "and", "or"] as const).filter((key) => given[key] !== undefined);
    const say = (message: string, path: Path = []) => context.addIssue({ code: "custom", message, path: [...path] });
    if (kinds.length !== 1) say("expected op and value, or a list under one of and, or");
    else if (kinds[0] === "op" && given.value === undefined) say("missing, expected a number", ["value"]);
    else if (kinds[0] !== "op")
      for (const key of ["plugin", "metric", "labels", "value"] as const)
        if (given[key] !== undefined) say("expected this in the single conditions of the list", [key]);
  });

/** One alert of a user's own. */
export const alertSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, { error: "expected an id of letters, digits, _ and -, at most 100" })
    .describe("Names it for ever: rules, history and silences go by it."),
  name: text(190).describe("What people call it."),
  plugin: z.string().optional().describe("Id of the plugin that the metric is of."),
  metric: z.string().optional().describe("The metric that conditions are about which name none."),
  condition: condition.describe("When it fires."),
  for: duration().prefault("5m").describe("How long the condition must hold."),
  cooldown: duration().prefault("15m").describe("How long it goes on firing after the condition ended."),
  severity: z.enum(ALERT_SEVERITIES).default("warning").describe("How bad it is."),
  enabled: z.boolean().default(true).describe("false takes the rule away."),
  summary: text(1_000).optional().describe("One line; {target} or {kit}, labels and {value} stand for what fired."),
  description: text(4_000).optional().describe("More about it, with the same placeholders."),
  runbook: z
    .url({ protocol: /^https?$/, error: "expected an http or https URL" })
    .refine(isPlain, { error: `expected a URL without ${CODE_SAID}` })
    .optional()
    .describe("Page that says what to do."),
});
export type AlertEntry = z.output<typeof alertSchema>;

/** Alerts as they were given, and where each value is, for problems found later. */
export interface AlertEntries {
  readonly entries: readonly { readonly alert: AlertEntry; readonly label: (path: Path) => string }[];
  readonly problems: readonly string[];
}

/** Reads a file of alerts: a list under the key `alerts`. */
export function readAlertFile(yaml: string, file: string): AlertEntries {
  const source = readYaml(yaml, file);
  if (!source.readable) return { entries: [], problems: source.problems };
  const origin = originOf(source, new Map());
  const result = validate(
    z.strictObject({ alerts: z.array(alertSchema).max(1_000).default([]) }),
    source.value ?? {},
    origin,
  );
  return {
    problems: [...source.problems, ...result.problems],
    entries: (result.value?.alerts ?? []).map((alert, index) => ({
      alert,
      label: (path) => origin.label(["alerts", index, ...path]),
    })),
  };
}

/** What a row of the table `alerts` says of a rule beside its columns, in its json column. */
const BESIDE = ["for", "cooldown", "summary", "description", "runbook"];
/** Deeper than any condition; what the database holds was checked by nobody. */
const MAX_DEPTH = 20;

/** Reads rows of the table `alerts`, whose json column `condition` may also hold what has no column: `for`, `cooldown` and the texts. */
export function readAlertRows(rows: readonly AlertRecord[]): AlertEntries {
  const read = rows.map(({ plugin, metric, condition: given, ...row }) => {
    const prefix = `alerts ${JSON.stringify(row.id)}`;
    const label = (path: Path) => (path.length > 0 ? `${prefix} ${path.map(String).join(".")}` : prefix);
    if (isDeeper(given, MAX_DEPTH))
      return { problems: [`${label(["condition"])}: expected at most ${MAX_DEPTH} levels`] };
    const parts = Object.entries(typeof given === "object" && given !== null && !Array.isArray(given) ? given : {});
    const beside = parts.filter(([key]) => BESIDE.includes(key));
    const isMap = parts.length > 0;
    const raw = {
      ...row,
      ...(plugin === null ? {} : { plugin }),
      ...(metric === null ? {} : { metric }),
      ...Object.fromEntries(beside),
      condition: isMap ? Object.fromEntries(parts.filter(([key]) => !BESIDE.includes(key))) : given,
    };
    const origin: Origin = { label, fromVariable: () => false, reported: () => false };
    const { value, problems } = validate(alertSchema, raw, origin);
    return { problems, ...(value === undefined ? {} : { entry: { alert: value, label } }) };
  });
  return {
    entries: read.flatMap(({ entry }) => (entry ? [entry] : [])),
    problems: read.flatMap(({ problems }) => problems),
  };
}

function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return limit === 0 || Object.values(value).some((part) => isDeeper(part, limit - 1));
}
