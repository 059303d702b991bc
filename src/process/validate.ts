import type { MetricSpec, Rejection, Sample } from "../model/sample.ts";

/** Series per target and metric when the plugin declares no cap. */
const DEFAULT_MAX_SERIES = 1_000;

function problemWith(sample: Sample, spec: MetricSpec | undefined): string | undefined {
  if (!spec) return "undeclared_metric";
  if (typeof sample.value !== "number" || !Number.isFinite(sample.value)) return "not_a_number";
  if (spec.type === "counter" && sample.value < 0) return "negative_counter";
  const allowed = spec.labels ?? [];
  for (const [label, value] of Object.entries(sample.labels ?? {})) {
    if (!allowed.includes(label)) return "undeclared_label";
    if (typeof value !== "string") return "bad_label";
  }
  return undefined;
}

/** Splits samples into what was declared and the rest, counted by reason. One bad sample never costs another. */
export function validateSamples(
  metrics: Readonly<Record<string, MetricSpec>>,
  samples: readonly Sample[],
): { samples: Sample[]; rejected: Rejection[] } {
  const kept: Sample[] = [];
  const perMetric = new Map<string, number>();
  const rejected = new Map<string, { detail: string; count: number }>();
  const note = (reason: string, detail: string) => {
    const known = rejected.get(reason);
    rejected.set(reason, { detail: known?.detail ?? detail, count: (known?.count ?? 0) + 1 });
  };
  for (const sample of samples) {
    if (typeof sample !== "object" || sample === null) {
      note("bad_sample", "not a sample");
      continue;
    }
    const spec = Object.hasOwn(metrics, sample.metric) ? metrics[sample.metric] : undefined;
    const seen = (perMetric.get(sample.metric) ?? 0) + 1;
    const problem =
      problemWith(sample, spec) ?? (seen > (spec?.maxSeries ?? DEFAULT_MAX_SERIES) ? "too_many_series" : undefined);
    if (problem) {
      note(problem, sample.metric);
      continue;
    }
    perMetric.set(sample.metric, seen);
    kept.push(sample);
  }
  return { samples: kept, rejected: [...rejected].map(([reason, { detail, count }]) => ({ reason, detail, count })) };
}
