import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { type Context, definePlugin } from "../model/plugin.ts";
import { CollectError, ERROR_KINDS, type ErrorKind } from "../model/run.ts";
import type { Collected, MetricSpec } from "../model/sample.ts";
import { patterns } from "./host/patterns.ts";
import { EXPORTER_DOWN } from "./prometheus/alerts.ts";
import { formatOf, parseExposition } from "./prometheus/parse.ts";
import { takeWanted } from "./prometheus/take.ts";
import { withDeadline } from "./web/deadline.ts";
import { fetchOk } from "./web/fetch.ts";
import { checkCredentials, credentialFields, headers, webUrl } from "./web/fields.ts";
import { oneHot, tellChange } from "./web/harvest.ts";

const METRICS: Readonly<Record<string, MetricSpec>> = {
  exporter_up: { help: "Whether the exporter answered with an exposition.", alert: EXPORTER_DOWN },
  exporter_failure: { help: "1 when this is why the exporter is not up, 0 otherwise.", labels: ["reason"] },
  exporter_scrape_seconds: { help: "How long the scrape took, reading included.", unit: "seconds" },
  exporter_samples: { help: "Samples that the exposition had." },
  exporter_samples_kept: { help: "Samples that were taken from it." },
  exporter_body_size_bytes: { help: "Size of the exposition, uncompressed.", unit: "bytes" },
};

/** OpenMetrics first, as Prometheus asks. */
const ACCEPT =
  "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.7,text/plain;q=0.5,*/*;q=0.1";

const config = z
  .strictObject({
    url: webUrl().describe("Where the exporter answers.").meta({ example: "http://127.0.0.1:9100/metrics" }),
    headers: headers().default({}).describe("Further request headers."),
    ...credentialFields,
    timeout_seconds: z.number().min(0.05).max(55).default(10).describe("Longest that the exporter may take."),
    include: patterns
      .default([])
      .describe("Metrics to take, as anchored regular expressions on their names; all when empty."),
    exclude: patterns.default([]).describe("Metrics to leave out, of those."),
    drop_labels: z
      .array(z.string().min(1).max(200))
      .max(50)
      .default([])
      .describe("Labels to take off; series that only they tell apart become one, of which the first stays."),
    histograms: z
      .boolean()
      .default(true)
      .describe("Whether the buckets of histograms are taken; sums and counts always are."),
    honor_timestamps: z
      .boolean()
      .default(true)
      .describe("Whether times that the exporter gives are those of the samples."),
    prefix: z
      .string()
      .max(50)
      .regex(/^([a-zA-Z][a-zA-Z0-9_]*)?$/, { error: "expected the beginning of a metric name, such as edge_" })
      .default("")
      .describe(
        "What is put before every name. Without one, names that gleaner has of its own (process_*, nodejs_*) are left out of /metrics.",
      ),
    max_series: z
      .int()
      .min(1)
      .max(100_000)
      .default(10_000)
      .describe("Most samples taken of one scrape; what is over it is counted."),
  })
  .check(checkCredentials);
type Config = z.output<typeof config>;

/** For the log; a query may hold a key. */
const nameOf = ({ url }: Config) => url.replace(/\?.*$/s, "");

/** Scrapes once. */
async function scrape(config: Config, context: Context): Promise<Collected> {
  const own = { ...config.headers, accept: ACCEPT, "accept-encoding": "gzip" };
  const { text, headers } = await fetchOk(context, config.url, config, own);
  const format = formatOf(headers["content-type"]);
  const exposition = await parseExposition(text, format);
  context.signal.throwIfAborted();
  if (exposition.samples.length === 0 && exposition.lines > 0)
    throw new CollectError(
      "bad_data",
      `the answer is no exposition (${(headers["content-type"] ?? "no content type").slice(0, 60)})`,
    );
  const { samples, metrics, rejected } = takeWanted(exposition, format, config);
  const about = [
    { metric: "exporter_samples", value: exposition.samples.length },
    { metric: "exporter_samples_kept", value: samples.length },
    { metric: "exporter_body_size_bytes", value: Buffer.byteLength(text) },
  ];
  return { samples: [...about, ...samples], metrics, rejected };
}

function upSamples(failure: ErrorKind | undefined, begun: number) {
  return [
    { metric: "exporter_up", value: Number(failure === undefined) },
    ...oneHot("exporter_failure", "reason", ERROR_KINDS, failure, {}),
    { metric: "exporter_scrape_seconds", value: (performance.now() - begun) / 1000 },
  ];
}

/** Any exporter that Prometheus could scrape, for hosts that Prometheus does not reach. */
export const prometheusScrape = definePlugin({
  id: "prometheus_scrape",
  title: "Prometheus exporter",
  summary: "Takes metrics of any exporter in the Prometheus or OpenMetrics text format, by name, with type and labels.",
  category: "custom",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  furtherMetrics:
    "Those of the exporter, under their own names and with their types; counters whose names lack `_total` get it, and sums, counts and buckets are gauges.",
  jobs: {
    scrape: {
      summary: "Scrapes the exporter. One that does not answer is news and no failure of the run.",
      every: seconds(60),
      timeout: seconds(60),
      async collect({ config }, context) {
        const begun = performance.now();
        try {
          const got = await withDeadline(config.timeout_seconds * 1000, context.signal, (signal) =>
            scrape(config, { ...context, signal }),
          );
          tellChange(context, nameOf(config), undefined);
          return { ...got, samples: [...upSamples(undefined, begun), ...got.samples] };
        } catch (error) {
          context.signal.throwIfAborted();
          // Anything else is a fault of ours.
          if (!(error instanceof CollectError) || error.kind === "bug") throw error;
          tellChange(context, nameOf(config), { reason: error.kind, detail: error.message });
          return { samples: upSamples(error.kind, begun) };
        }
      },
    },
  },
});
