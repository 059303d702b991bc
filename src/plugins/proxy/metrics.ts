import type { AlertSpec } from "../../model/alert.ts";
import type { MetricSpec, Sample } from "../../model/sample.ts";

const BACKEND_DOWN: readonly AlertSpec[] = [
  {
    name: "proxy_backend_down",
    op: "lt",
    threshold: 1,
    for: "5m",
    severity: "error",
    summary: "{target} counts {backend} as down.",
    runbook: {
      meaning: "The reverse proxy has not reached this backend for 5 minutes, by its own checks.",
      impact: "Requests go to the other backends of the service; with none left they are answered with 502 or 503.",
      check: [
        "Ask the backend itself, from the proxy's host: `curl -v <backend>`.",
        "The proxy's log names the error.",
      ],
      fix: ["Start or mend the backend.", "One that is gone for good: take it out of the proxy's configuration."],
    },
  },
];

const ROUTE_BROKEN: readonly AlertSpec[] = [
  {
    name: "proxy_route_broken",
    where: { state: "disabled" },
    op: "gt",
    threshold: 0,
    for: "10m",
    severity: "warning",
    summary: "{target} has switched off {value} of its {protocol} routes.",
    runbook: {
      meaning: "The reverse proxy found a fault in the definition of a route and does not serve it.",
      impact: "What the route leads to cannot be reached by it.",
      check: ["The proxy's dashboard, or `/api/http/routers?status=disabled` of Traefik: `error` says what is wrong."],
      fix: ["Mend the route: a service or middleware that does not exist, or a rule that cannot be read."],
    },
  },
];

/** What both kinds of proxies bring, as far as they know it. */
export const METRICS = {
  proxy_routes: {
    help: "Routes by protocol, and by what the proxy makes of them.",
    labels: ["protocol", "state"],
    maxSeries: 12,
    alert: ROUTE_BROKEN,
  },
  proxy_tls_routes: { help: "HTTP routes that are served over TLS." },
  proxy_listeners: { help: "Addresses that the proxy listens on." },
  proxy_services: {
    help: "Services by protocol, and by what the proxy makes of them.",
    labels: ["protocol", "state"],
    maxSeries: 12,
  },
  proxy_backend_up: {
    help: "Whether the proxy counts the backend as up.",
    labels: ["proxy_service", "backend"],
    maxSeries: 2_000,
    alert: BACKEND_DOWN,
  },
  proxy_backend_requests: { help: "Requests under way to the backend.", labels: ["backend"], maxSeries: 2_000 },
  proxy_backend_failures: {
    help: "Recent failures that the proxy holds against the backend.",
    labels: ["backend"],
    maxSeries: 2_000,
  },
  proxy_requests_total: {
    help: "Requests by entry point, and where the proxy tells it by handler: one request may pass several.",
    type: "counter",
    labels: ["entrypoint", "handler"],
    maxSeries: 500,
  },
  proxy_info: { help: "Version of the proxy; always 1.", unit: "info", labels: ["version"], maxSeries: 1 },
} as const satisfies Record<string, MetricSpec>;

export type Samples = readonly Sample<keyof typeof METRICS>[];

/** Longest text of a proxy that becomes a label. */
const MAX_LABEL = 200;
export const label = (value: unknown): string => (typeof value === "string" ? value.slice(0, MAX_LABEL) : "");
