import { type MetricSpec, type Rejection, type Sample, UNITS, type Unit } from "../../model/sample.ts";
import { matcher } from "../host/patterns.ts";
import type { Exposition, Format, Parsed } from "./parse.ts";

/** What of an exposition is wanted. */
export interface Wanted {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly drop_labels: readonly string[];
  readonly histograms: boolean;
  readonly honor_timestamps: boolean;
  readonly prefix: string;
  readonly max_series: number;
}

export interface Taken {
  readonly samples: readonly Sample[];
  readonly metrics: Readonly<Record<string, MetricSpec>>;
  readonly rejected: readonly Rejection[];
}

/** Labels that say whose series it is here; the source's own of that name get the prefix that Prometheus gives such. */
const OWN_LABELS: ReadonlySet<string> = new Set(["target", "kit"]);

/** Takes what is wanted out of an exposition, as samples and what is declared of them. */
export function takeWanted({ samples, faults }: Exposition, format: Format, wanted: Wanted): Taken {
  const isIncluded = wanted.include.length === 0 ? () => true : matcher(wanted.include);
  const isExcluded = matcher(wanted.exclude);
  const isWanted = remembered((name) => isIncluded(name) && !isExcluded(name));
  const specs = new Map<string, { spec: MetricSpec; labels: Set<string> }>();
  const taken: Sample[] = [];
  let tooMany = 0;
  for (const sample of samples) {
    if (!isWanted(sample.name) || (!wanted.histograms && isBucket(sample))) continue;
    // Prometheus' word for "no value": the quantile of a summary that has seen nothing.
    if (Number.isNaN(sample.value)) continue;
    if (taken.length >= wanted.max_series) {
      tooMany += 1;
      continue;
    }
    const metric = wanted.prefix + nameOf(sample);
    const known = specs.get(metric) ?? { spec: specOf(metric, sample, wanted.max_series), labels: new Set<string>() };
    specs.set(metric, known);
    const labels = labelsOf(sample, wanted.drop_labels);
    for (const label of Object.keys(labels)) known.labels.add(label);
    const at = wanted.honor_timestamps ? timeOf(sample, format) : undefined;
    taken.push({ metric, value: sample.value, labels, ...(at === undefined ? {} : { at }) });
  }
  const rejected = [
    ...[...faults].map(([reason, count]) => ({
      reason: `exposition_${reason}`,
      detail: "lines of the exposition",
      count,
    })),
    ...(tooMany > 0 ? [{ reason: "too_many_series", detail: `more than ${wanted.max_series}`, count: tooMany }] : []),
  ];
  const metrics = [...specs].map(([name, { spec, labels }]) => [name, { ...spec, labels: [...labels] }] as const);
  return { samples: taken, metrics: Object.fromEntries(metrics), rejected };
}

const isBucket = ({ type, name }: Parsed) => /histogram$/.test(type) && name.endsWith("_bucket");

/** A counter ends in `_total`: in OpenMetrics it must, in the text format old exporters leave it out. */
function nameOf({ name, type }: Parsed): string {
  return type === "counter" && !name.endsWith("_total") ? `${name}_total` : name;
}

function specOf(metric: string, { type, help }: Parsed, maxSeries: number): MetricSpec {
  const base = metric.replace(/_total$/, "");
  const unit: Unit | undefined = UNITS.find((one) => one !== "info" && base.endsWith(`_${one}`));
  return {
    help: help || "As the scraped exporter has it.",
    type: type === "counter" ? "counter" : "gauge",
    maxSeries,
    ownName: true,
    ...(unit === undefined ? {} : { unit }),
  };
}

function labelsOf({ labels }: Parsed, drop: readonly string[]): Readonly<Record<string, string>> {
  const names = Object.keys(labels);
  if (!names.some((name) => OWN_LABELS.has(name) || name.startsWith("_") || drop.includes(name))) return labels;
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([name]) => !drop.includes(name) && !name.startsWith("_"))
      .map(([name, value]) => [OWN_LABELS.has(name) ? `exported_${name}` : name, value]),
  );
}

function timeOf({ timestamp }: Parsed, format: Format): Date | undefined {
  return timestamp === undefined ? undefined : new Date(format === "text" ? timestamp : timestamp * 1000);
}

/** Asks once for each name: an exposition has a name a thousand times. */
function remembered(ask: (name: string) => boolean): (name: string) => boolean {
  const answers = new Map<string, boolean>();
  return (name) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer = ask(name);
    answers.set(name, answer);
    return answer;
  };
}
