import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { sendJson } from "../send.ts";

/** What the landing page shows, whole and as JSON. */
export function targetsRoute(app: Pick<Application, "describe">): Route {
  return {
    method: "GET",
    path: "/api/targets",
    access: "read",
    handle: (_request, response) => sendJson(response, app.describe()),
  };
}
