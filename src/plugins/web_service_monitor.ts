import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";
import { withDeadline } from "./web/deadline.ts";
import { pattern, statuses } from "./web/expectations.ts";
import { authorization, checkCredentials, credentialFields, headers, trusted, webUrl } from "./web/fields.ts";
import { harvestEach, maybe, oneHot, tellChange } from "./web/harvest.ts";
import { type Finding, PHASES, probe, REASONS } from "./web/probe.ts";
import { ENDPOINT_CERTIFICATE, ENDPOINT_DOWN, ENDPOINT_SLOW } from "./web/web-alerts.ts";

/** Endpoints of one target; all are asked at once. */
const MAX_ENDPOINTS = 100;
const each = { labels: ["endpoint"], maxSeries: MAX_ENDPOINTS } as const;

const METRICS = {
  http_up: { ...each, help: "Whether the endpoint answered as expected.", alert: ENDPOINT_DOWN },
  http_failure: {
    help: "1 when this is why the endpoint is not up, 0 otherwise.",
    labels: ["endpoint", "reason"],
    maxSeries: MAX_ENDPOINTS * REASONS.length,
  },
  http_duration_seconds: {
    ...each,
    help: "How long the whole request took, redirects included.",
    unit: "seconds",
    alert: ENDPOINT_SLOW,
  },
  http_response_seconds: {
    help: "How long each phase of the request took, redirects included.",
    unit: "seconds",
    labels: ["endpoint", "phase"],
    maxSeries: MAX_ENDPOINTS * PHASES.length,
  },
  http_status_code: { ...each, help: "HTTP status of the last answer; absent when there was none." },
  http_response_size_bytes: { ...each, help: "Size of the answer without its headers.", unit: "bytes" },
  http_content_match: { ...each, help: "Whether the content was as expected; absent when nothing is expected of it." },
  http_redirects: { ...each, help: "Redirects that were followed." },
  http_tls_trusted: { ...each, help: "Whether the server's certificate is valid for it and from a trusted authority." },
  http_tls_expiry_timestamp_seconds: {
    ...each,
    help: "When the server's certificate expires, in seconds since 1970.",
    unit: "seconds",
  },
  http_tls_expiry_seconds: {
    ...each,
    help: "Time until the server's certificate expires; negative once it has.",
    unit: "seconds",
    alert: ENDPOINT_CERTIFICATE,
  },
} as const satisfies Record<string, MetricSpec>;

const endpoint = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("What the endpoint is called in labels; its URL without the query when absent."),
    url: webUrl().describe("What is asked for.").meta({ example: "https://example.org/health" }),
    method: z.enum(["GET", "HEAD", "POST", "PUT", "OPTIONS"]).default("GET").describe("HTTP method."),
    headers: headers()
      .default({})
      .describe("Further request headers; not sent where the endpoint redirects to elsewhere."),
    body: z.string().max(65_536).optional().describe("What is sent, as it is."),
    expected_status: statuses()
      .prefault(["2xx"])
      .describe('Statuses that are well: numbers, ranges such as "200-204", classes such as "2xx".'),
    content: pattern().optional().describe("Regular expression that must be found in the first MiB of the answer."),
    content_absent: pattern().optional().describe("Regular expression that must not be found there."),
    max_redirects: z
      .int()
      .min(0)
      .max(20)
      .default(5)
      .describe("Redirects that are followed; 0 judges the redirect itself."),
    timeout_seconds: z.number().min(0.05).max(55).default(10).describe("Longest that the whole request may take."),
    verify_tls: z
      .boolean()
      .default(true)
      .describe("Whether a certificate that is not to be trusted makes the endpoint fail; nothing is sent to it then."),
    ...credentialFields,
  })
  .check(checkCredentials);
type Endpoint = z.output<typeof endpoint>;

/** A query may hold a key, and labels are there for all to see. */
const nameOf = ({ name, url }: Endpoint) => name ?? url.replace(/\?.*$/s, "");

const config = z.strictObject({
  endpoints: z
    .array(endpoint)
    .min(1)
    .max(MAX_ENDPOINTS)
    .refine((list) => new Set(list.map(nameOf)).size === list.length, {
      error: "expected each endpoint once, by its name",
    })
    .describe("What is asked, all at the same time.")
    .meta({ example: [{ url: "http://127.0.0.1:8080/health" }] }),
});

type Found = Finding & { readonly duration: number };

async function ask(endpoint: Endpoint, signal: AbortSignal): Promise<Found> {
  const headers = { ...endpoint.headers, ...(await authorization(endpoint)) };
  const question = { ...endpoint, ...(await trusted(endpoint)), headers };
  const begun = performance.now();
  const finding = await withDeadline(endpoint.timeout_seconds * 1000, signal, (own) => probe(question, own));
  return { ...finding, duration: (performance.now() - begun) / 1000 };
}

function samplesOf(endpoint: string, found: Found, now: Date): readonly Sample<keyof typeof METRICS>[] {
  const labels = { endpoint };
  const expires = found.certificateExpires && found.certificateExpires.getTime() / 1000;
  return [
    ...maybe("http_up", found.failure === undefined, labels),
    ...oneHot("http_failure", "reason", REASONS, found.failure?.reason, labels),
    ...maybe("http_duration_seconds", found.duration, labels),
    ...PHASES.flatMap((phase) => maybe("http_response_seconds", found.seconds[phase], { ...labels, phase })),
    ...maybe("http_status_code", found.status, labels),
    ...maybe("http_response_size_bytes", found.bytes, labels),
    ...maybe("http_content_match", found.contentMatch, labels),
    ...maybe("http_redirects", found.redirects, labels),
    ...maybe("http_tls_trusted", found.certificateTrusted, labels),
    ...maybe("http_tls_expiry_timestamp_seconds", expires, labels),
    ...maybe("http_tls_expiry_seconds", expires && expires - now.getTime() / 1000, labels),
  ];
}

/** Web services as their users see them: whether they answer as expected, how fast, and until when their certificate is good. */
export const webServiceMonitor = definePlugin({
  id: "web_service_monitor",
  title: "Web services",
  summary:
    "Whether web services answer as expected, how long each phase of it takes, and when their certificates expire.",
  category: "application",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    endpoints: {
      summary: "Asks every endpoint, all at the same time. One that is down is news and no failure of the run.",
      every: seconds(60),
      timeout: seconds(60),
      async collect({ config }, context) {
        const { signal, now } = context;
        signal.throwIfAborted();
        return harvestEach(config.endpoints, nameOf, signal, async (endpoint) => {
          const found = await ask(endpoint, signal);
          tellChange(context, nameOf(endpoint), found.failure);
          return samplesOf(nameOf(endpoint), found, now());
        });
      },
    },
  },
});
