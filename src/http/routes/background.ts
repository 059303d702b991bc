import type { Request } from "express";
import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { sendJson, sendProblem } from "../send.ts";

/** Runs that are shown when nobody says how many, and the most of a job. */
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1_000;

/** What a query asks for. `since` is epoch milliseconds. */
interface Asked {
  readonly limit: number;
  readonly since: number | undefined;
}

/** What is kept in memory of a target's runs, job by job: capacity, windows, and the newest runs. */
export function buffersRoute(app: Pick<Application, "buffers">): Route {
  return {
    method: "GET",
    path: "/api/buffers/:target",
    access: "read",
    handle(request, response) {
      const asked = readQuery(request.query);
      if (typeof asked === "string") return sendProblem(response, 400, asked);
      const found = app.buffers(String(request.params["target"]), asked.limit, asked.since);
      if (found === undefined) sendProblem(response, 404, "no target has this id; /api/targets lists them");
      else sendJson(response, found);
    },
  };
}

/** The health of gleaner's parts and of all jobs; with `?component=` the whole history of one of them. */
export function healthRoute(app: Pick<Application, "health">): Route {
  return {
    method: "GET",
    path: "/api/health",
    access: "read",
    handle(request, response) {
      const { component, ...rest } = request.query;
      if (Object.keys(rest).length > 0 || (component !== undefined && typeof component !== "string"))
        return sendProblem(response, 400, "expected no query parameter but component, once");
      const health = app.health(component);
      if (health === undefined) sendProblem(response, 404, "no component has this name; /api/health lists them");
      else sendJson(response, health);
    },
  };
}

/** @returns what is wrong with it, when something is */
function readQuery(query: Request["query"]): Asked | string {
  const { limit, since, ...rest } = query;
  if (Object.keys(rest).length > 0) return "expected no query parameters but limit and since";
  const count = limit === undefined ? DEFAULT_LIMIT : wholeNumber(limit);
  if (!(count >= 1 && count <= MAX_LIMIT)) return `expected limit to be a whole number from 1 to ${MAX_LIMIT}`;
  if (since === undefined) return { limit: count, since };
  const time = timeOf(since);
  return Number.isNaN(time)
    ? "expected since to be a time such as 2026-03-01T12:00:00Z, or seconds since 1970"
    : { limit: limit === undefined ? MAX_LIMIT : count, since: time };
}

const wholeNumber = (text: unknown): number =>
  typeof text === "string" && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;

/** Epoch milliseconds; without a zone a time is UTC, as everywhere here. */
function timeOf(text: unknown): number {
  if (typeof text !== "string") return Number.NaN;
  if (/^\d{1,11}(\.\d{1,3})?$/.test(text)) return Number(text) * 1_000;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)) return Number.NaN;
  return Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`);
}
