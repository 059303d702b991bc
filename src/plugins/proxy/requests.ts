import { CollectError } from "../../model/run.ts";
import { formatOf, parseExposition } from "../prometheus/parse.ts";
import type { Fetched } from "../web/fetch.ts";
import { label, type Samples } from "./metrics.ts";

/** A path of the proxy's API. */
export type Ask = (path: string) => Promise<Fetched>;

/** The proxy's own metrics; undefined where it has none to show, which is a matter of its configuration. */
export async function askMetrics(ask: Ask) {
  try {
    const { text, headers } = await ask("/metrics");
    const { samples } = await parseExposition(text, formatOf(headers["content-type"]));
    return samples;
  } catch (error) {
    if (error instanceof CollectError && error.kind === "http_status") return undefined;
    throw error;
  }
}
type Metrics = NonNullable<Awaited<ReturnType<typeof askMetrics>>>;

/** Sums a counter of the proxy over all labels but these two. */
export function requestsOf(metrics: Metrics, name: string, entrypoint: string, handler?: string): Samples {
  const sums = new Map<string, { value: number; labels: { entrypoint: string; handler: string } }>();
  for (const sample of metrics) {
    if (sample.name !== name || !(sample.value >= 0)) continue;
    const labels = {
      entrypoint: label(sample.labels[entrypoint]),
      handler: handler === undefined ? "" : label(sample.labels[handler]),
    };
    const key = JSON.stringify(labels);
    sums.set(key, { labels, value: (sums.get(key)?.value ?? 0) + sample.value });
  }
  return [...sums.values()].map(({ labels, value }) => ({ metric: "proxy_requests_total", value, labels }));
}
