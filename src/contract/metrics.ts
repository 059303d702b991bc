import type { MetricSpec } from "../model/sample.ts";
import { UNITS } from "../model/sample.ts";
import { type Fault, faultsOf, SENTENCE, SNAKE } from "./fault.ts";
import { type LintedMetric, promlint } from "./promlint.ts";

/** Labels that the exposition adds, that Prometheus gives a meaning, or that targets carry and would collide with. */
const RESERVED_LABELS = new Set("target kit job instance le quantile type region zone cluster env service".split(" "));
/** Labels whose values the plugin's code lists; any other takes values from outside, and needs a cap of series. */
const CLOSED_LABELS = new Set("mode state resource kind reason result flag".split(" "));

/** A declared metric as Prometheus will see it. */
export function linted(key: string, { help, type = "gauge", labels = [] }: MetricSpec): LintedMetric {
  return { name: `gleaner_${key}`, help, type, labels };
}

/** What is wrong with the declarations of metrics; empty when all is right. */
export function metricFaults(metrics: Readonly<Record<string, MetricSpec>>): Fault[] {
  const helps = Object.values(metrics).map(({ help }) => help.endsWith("."));
  return [
    ...Object.entries(metrics).flatMap(([key, spec]) => [...nameFaults(key, spec), ...labelFaults(key, spec)]),
    ...faultsOf(["metrics"], [[new Set(helps).size > 1, "either all helps end with a period, or none does"]]),
  ];
}

function nameFaults(key: string, spec: MetricSpec): Fault[] {
  const base = key.replace(/_total$/, "");
  const named = UNITS.find((unit) => base === unit || base.endsWith(`_${unit}`));
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = spec.range ?? {};
  return faultsOf(
    ["metrics", key],
    [
      [!SNAKE.test(key), `${key} is not snake_case`],
      [key.startsWith("gleaner_"), `${key} carries the prefix, which the exposition adds`],
      [!SENTENCE.test(spec.help), `${key} has a help that does not read as text`],
      [spec.unit !== named, `${key} declares the unit ${spec.unit ?? "none"}, its name says ${named ?? "none"}`],
      [!(min < max), `${key} has a range that holds nothing`],
      ...promlint(linted(key, spec)).map((complaint) => [true, `${key} fails the linter: ${complaint}`] as const),
    ],
  );
}

function labelFaults(key: string, { labels = [], maxSeries }: MetricSpec): Fault[] {
  const open = labels.filter((label) => !CLOSED_LABELS.has(label));
  return faultsOf(
    ["metrics", key],
    [
      [open.length > 0 && maxSeries === undefined, `${key} takes ${open.join()} from outside, and has no maxSeries`],
      [maxSeries !== undefined && !(maxSeries > 0), `${key} has a cap that lets nothing through`],
      [new Set(labels).size !== labels.length, `${key} has a label twice`],
      ...labels.flatMap((label): [boolean, string][] => [
        [!SNAKE.test(label), `${key} has the label ${label}, which is not snake_case`],
        [RESERVED_LABELS.has(label), `${key} has the reserved label ${label}`],
      ]),
    ],
  );
}
