import type { MetricSpec, Rejection, Sample } from "../model/sample.ts";
import { castSample } from "./cast.ts";

/** Series per target and metric when the plugin declares no cap. */
const DEFAULT_MAX_SERIES = 1_000;

/** Samples that are what their plugin declared, and the rest by reason. */
export interface Validated {
  readonly samples: readonly Sample[];
  readonly rejected: readonly Rejection[];
}

function problemWith({ value, labels }: Sample, spec: MetricSpec | undefined): string | undefined {
  if (!spec) return "undeclared_metric";
  if (!Number.isFinite(value)) return "not_a_number";
  if (spec.type === "counter" && value < 0) return "negative_counter";
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = spec.range ?? {};
  if (value < min || value > max) return "out_of_range";
  const allowed = spec.labels ?? [];
  for (const [label, value] of Object.entries(labels ?? {})) {
    if (!allowed.includes(label)) return "undeclared_label";
    if (typeof value !== "string") return "bad_label";
  }
  return undefined;
}

/** Splits samples into what was declared and the rest, counted by reason. One bad sample never costs another. */
export function validateSamples(metrics: Readonly<Record<string, MetricSpec>>, samples: readonly Sample[]): Validated {
  const kept: Sample[] = [];
  const perMetric = new Map<string, number>();
  const rejected = new Map<string, { detail: string; count: number }>();
  const note = (reason: string, detail: string) => {
    const known = rejected.get(reason);
    rejected.set(reason, { detail: known?.detail ?? detail, count: (known?.count ?? 0) + 1 });
  };
  for (const given of samples) {
    if (typeof given !== "object" || given === null) {
      note("bad_sample", "not a sample");
      continue;
    }
    const sample = castSample(given);
    // The source has none: nothing is wrong with that.
    if (sample === "no_value") continue;
    if (sample === "bad_time") {
      note(sample, String(given.metric));
      continue;
    }
    const spec = Object.hasOwn(metrics, sample.metric) ? metrics[sample.metric] : undefined;
    const seen = (perMetric.get(sample.metric) ?? 0) + 1;
    const problem =
      problemWith(sample, spec) ?? (seen > (spec?.maxSeries ?? DEFAULT_MAX_SERIES) ? "too_many_series" : undefined);
    if (problem) {
      note(problem, String(sample.metric));
      continue;
    }
    perMetric.set(sample.metric, seen);
    kept.push(sample);
  }
  return { samples: kept, rejected: [...rejected].map(([reason, { detail, count }]) => ({ reason, detail, count })) };
}

/** The metrics that a good run of the job must bring and this one did not. */
export function missing(required: readonly string[] = [], samples: readonly Sample[]): Rejection[] {
  const brought = new Set(samples.map(({ metric }) => metric));
  return required
    .filter((metric) => !brought.has(metric))
    .map((metric) => ({ reason: "missing_metric", detail: metric }));
}
