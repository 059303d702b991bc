import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { sendExposition } from "../send.ts";

/** Prometheus' scrape: text or OpenMetrics, plain or gzip, as its headers ask. */
export function metricsRoute(app: Pick<Application, "metrics">): Route {
  return {
    method: "GET",
    path: "/metrics",
    access: "metrics",
    async handle(request, response) {
      const exposition = await app.metrics(request.headers.accept, request.headers["accept-encoding"]?.toString());
      response.setHeader("Vary", "Accept, Accept-Encoding");
      sendExposition(response, exposition);
    },
  };
}

/** The OpenTelemetry exporter's own page: gleaner's telemetry about itself, never the fleet's. */
export function otelMetricsRoute(app: Pick<Application, "otelMetrics">): Route {
  return {
    method: "GET",
    path: "/metrics/otel",
    access: "metrics",
    handle: async (_request, response) => sendExposition(response, await app.otelMetrics()),
  };
}
