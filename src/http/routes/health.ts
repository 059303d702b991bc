import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { sendText } from "../send.ts";

/** Liveness: this process answers. */
export function healthyRoute(): Route {
  return {
    method: "GET",
    path: "/-/healthy",
    access: "public",
    handle: (_request, response) => sendText(response, 200, "gleaner is healthy\n"),
  };
}

/** Readiness: 200, or 503 with one reason a line. */
export function readyRoute(app: Pick<Application, "ready">): Route {
  return {
    method: "GET",
    path: "/-/ready",
    access: "public",
    handle(_request, response) {
      const { ready, reasons } = app.ready();
      if (ready) sendText(response, 200, "gleaner is ready\n");
      else sendText(response, 503, `gleaner is not ready\n${reasons.map((reason) => `${reason}\n`).join("")}`);
    },
  };
}
