import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { sendJson } from "../send.ts";

/** Every job with its next run and last outcome. */
export function jobsRoute(app: Pick<Application, "jobs">): Route {
  return {
    method: "GET",
    path: "/api/jobs",
    access: "read",
    handle: (_request, response) => sendJson(response, { jobs: app.jobs() }),
  };
}
