import type { Response } from "express";
import type { PluginChanged } from "../app/plugins.ts";
import type { Application } from "../app.ts";
import { bodyOf } from "../request-body.ts";
import type { Route } from "../route.ts";
import { sendJson, sendProblem } from "../send.ts";

/** Settings of one plugin, all its targets included. */
const MAX_BYTES = 102_400;

/** Every plugin, and what of it runs. */
export function pluginsRoute(app: Pick<Application, "plugins">): Route {
  return {
    method: "GET",
    path: "/api/plugins",
    access: "read",
    handle: (_request, response) => sendJson(response, { plugins: app.plugins() }),
  };
}

type Change = Parameters<Application["changePlugin"]>[1];

/** What a body asks for; undefined when it asks for something else. */
type Read = (body: Readonly<Record<string, unknown>>) => Change | undefined;

const readEnabled: Read = ({ enabled, ...rest }) =>
  typeof enabled === "boolean" && Object.keys(rest).length === 0 ? { enabled } : undefined;
const readConfig: Read = ({ config, ...rest }) =>
  isObject(config) && Object.keys(rest).length === 0 ? { config } : undefined;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Switching a plugin on and off, and configuring it, while gleaner runs. */
export function changePluginRoutes(app: Pick<Application, "changePlugin">): Route[] {
  return [
    changeRoute(app, "POST", "/api/plugins/:id/enable", readEnabled, '{"enabled": true} or {"enabled": false}'),
    changeRoute(app, "PUT", "/api/plugins/:id/config", readConfig, '{"config": {…}}'),
  ];
}

function changeRoute(
  app: Pick<Application, "changePlugin">,
  method: "POST" | "PUT",
  path: string,
  read: Read,
  expected: string,
): Route {
  return {
    ...{ method, path, access: "admin" },
    async handle(request, response) {
      const body = await bodyOf(request, response, MAX_BYTES);
      if (body === undefined) return;
      const change = isObject(body.json) ? read(body.json) : undefined;
      if (change === undefined) sendProblem(response, 400, `expected ${expected}`);
      else answer(response, await app.changePlugin(String(request.params["id"]), change));
    },
  };
}

function answer(response: Response, changed: PluginChanged): void {
  if (changed.status === "changed") sendJson(response, changed.plugin);
  else if (changed.status === "unknown") sendProblem(response, 404, "no plugin has this id; /api/plugins lists them");
  else if (changed.status === "refused") sendProblem(response, 400, changed.problems.join("; "));
  else {
    response.setHeader("Retry-After", "10");
    sendProblem(response, 503, "the database cannot be reached, and the change is kept there");
  }
}
