import type { Request, Response } from "express";
import type { MetricsQuery } from "../app/reads.ts";
import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { sendJson, sendProblem } from "../send.ts";

const MAX_LIMIT = 1_000;

/** Latest values and state of one target, of this collector or of another one on the same database; the summary of all. */
export function latestRoutes({ reads }: Pick<Application, "reads">): Route[] {
  return [
    {
      ...{ method: "GET", path: "/api/plugins/:id/metrics", access: "read" },
      async handle(request, response) {
        const query = queryOf(request);
        if (typeof query === "string") sendProblem(response, 400, query);
        else answer(response, await reads.metrics(String(request.params["id"]), query));
      },
    },
    {
      ...{ method: "GET", path: "/api/plugins/:id/status", access: "read" },
      handle: async (request, response) => answer(response, await reads.status(String(request.params["id"]))),
    },
    {
      ...{ method: "GET", path: "/api/summary", access: "read" },
      handle: async (_request, response) => answer(response, await reads.summary()),
    },
  ];
}

/** What is asked for, or what is wrong with it. */
function queryOf({ query }: Request): MetricsQuery | string {
  const { limit: text = `${MAX_LIMIT}`, metric_name: metric, at } = query;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) return `expected limit from 1 to ${MAX_LIMIT}`;
  if (metric !== undefined && (typeof metric !== "string" || !/^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/.test(metric)))
    return "expected metric_name to be the name of a metric, once";
  const time = typeof at === "string" ? new Date(at) : undefined;
  if (at !== undefined && (time === undefined || !(time.getTime() > 0 && time.getUTCFullYear() < 10_000)))
    return "expected at to be a time, such as 2026-11-22T12:00:00Z, once";
  return { limit, ...(metric === undefined ? {} : { metric }), ...(time === undefined ? {} : { at: time }) };
}

function answer(response: Response, found: object | "unknown" | "unavailable"): void {
  if (found === "unknown")
    sendProblem(response, 404, "no target has this id; /api/targets lists those of this collector");
  else if (found === "unavailable") {
    response.setHeader("Retry-After", "5");
    sendProblem(response, 503, "it is not known here, and the database cannot be asked at the moment");
  } else sendJson(response, found);
}
