import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { agentRoutes } from "./agents.ts";
import { alertWebhookRoute } from "./alerts.ts";
import { buffersRoute, healthRoute } from "./background.ts";
import { healthyRoute, readyRoute } from "./health.ts";
import { jobsRoute } from "./jobs.ts";
import { landingRoute } from "./landing.ts";
import { latestRoutes } from "./latest.ts";
import { metricsRoute, otelMetricsRoute } from "./metrics.ts";
import { changePluginRoutes, pluginsRoute } from "./plugins.ts";
import { probeRoute } from "./probe.ts";
import { serviceDiscoveryRoute } from "./sd.ts";
import { targetsRoute } from "./targets.ts";

/** Everything gleaner serves. A new route is one line here; its file says who may use it. */
export function routesOf(app: Application): Route[] {
  return [
    landingRoute(app),
    metricsRoute(app),
    otelMetricsRoute(app),
    healthyRoute(),
    readyRoute(app),
    serviceDiscoveryRoute(app),
    probeRoute(app),
    jobsRoute(app),
    targetsRoute(app),
    buffersRoute(app),
    healthRoute(app),
    pluginsRoute(app),
    ...changePluginRoutes(app),
    ...latestRoutes(app),
    ...agentRoutes(app),
    alertWebhookRoute(app),
  ];
}
