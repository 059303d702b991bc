import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { sendJson } from "../send.ts";

/**
 * Prometheus' http_sd: the kits as targets.
 * A failure becomes a 500, on which Prometheus keeps the list it has; an empty list means that there are none.
 */
export function serviceDiscoveryRoute(app: Pick<Application, "serviceDiscovery">): Route {
  return {
    method: "GET",
    path: "/sd/kits",
    access: "metrics",
    handle: (_request, response) => sendJson(response, app.serviceDiscovery()),
  };
}
