import type { Registry } from "prom-client";
import { type ExposedFamily, escapeLabelValue, type FamilyType, formatBound, formatValue } from "./format.ts";

type Metric = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>[number];
/** What prom-client returns for histograms, and its types leave out: the sample's own name. */
type MetricSample = Metric["values"][number] & { readonly metricName?: string };

/** prom-client 15 has these strings at run time; its declarations say it is a numeric enum. */
export function typeOf(metric: Pick<Metric, "type">): FamilyType {
  const type = String(metric.type);
  return type === "counter" || type === "histogram" ? type : "gauge";
}

/**
 * A prom-client registry's metrics in our shape. Read as JSON: its own text renderer changes counter names for good
 * once it has written OpenMetrics, and writes `le="1"` where the standard wants `1.0`.
 */
export async function familiesOf(registry: Registry): Promise<ExposedFamily[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map((metric) => {
    const lines = metric.values.map((value) => lineOf(metric.name, value));
    return {
      name: metric.name,
      help: metric.help,
      type: typeOf(metric),
      unit: unitOf(metric.name),
      size: lines.length,
      lines: async () => Buffer.from(lines.join("")),
    };
  });
}

/** prom-client knows no units; ours and its names carry the base unit as their suffix. */
function unitOf(name: string): string | undefined {
  return /_(seconds|bytes)(?:_total)?$/.exec(name)?.[1];
}

function lineOf(family: string, sample: MetricSample): string {
  const labels = Object.entries(sample.labels)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${name}="${name === "le" ? formatBound(value ?? "") : escapeLabelValue(String(value))}"`);
  const text = labels.length === 0 ? "" : `{${labels.join(",")}}`;
  return `${sample.metricName ?? family}${text} ${formatValue(sample.value)}\n`;
}
