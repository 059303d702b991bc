import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type Express from "express";
import type { NextFunction, Request, Response } from "express";
import type { Logger } from "../model/plugin.ts";
import { callerOf, type Guard } from "./auth.ts";
import { setSecurityHeaders } from "./headers.ts";
import { allowedMethods, checkRoutes, type Route } from "./route.ts";
import { sendProblem } from "./send.ts";

// require, not import: OpenTelemetry's express instrumentation hooks require, and sees ES modules only through a loader.
const express = createRequire(import.meta.url)("express") as typeof Express;

export interface HandlerOptions {
  readonly routes: readonly Route[];
  readonly guard: Guard;
  readonly log: Logger;
}

/** Builds the request handler: security headers, then each path with its own guard, then 404. All errors are problem JSON. */
export function createHandler({ routes, guard, log }: HandlerOptions): Express.Application {
  checkRoutes(routes);
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("trust proxy", false);
  // One spelling per path: what is guarded and what is matched cannot differ.
  app.enable("case sensitive routing");
  app.enable("strict routing");
  app.set("query parser", "simple");
  // Named functions: traces show them.
  app.use(function securityHeaders(_request: Request, response: Response, next: NextFunction) {
    setSecurityHeaders(response);
    next();
  });
  for (const [path, group] of Map.groupBy(routes, (route) => route.path)) app.all(path, dispatch(group, guard));
  app.use(function notFound(_request: Request, response: Response) {
    sendProblem(response, 404, "nothing is served at this path");
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    answerError(error, request, response, log),
  );
  return app;
}

/** Picks the route by method, asks the guard, and only then runs the route. */
function dispatch(group: readonly Route[], guard: Guard) {
  return async (request: Request, response: Response): Promise<void> => {
    const method = request.method === "HEAD" ? "GET" : request.method;
    const route = group.find((candidate) => candidate.method === method);
    if (!route) {
      response.setHeader("Allow", allowedMethods(group));
      sendProblem(response, 405, "this path does not answer that method; see the Allow header");
      return;
    }
    const { id } = request.params;
    const decision = guard(route.access, callerOf(request as IncomingMessage), typeof id === "string" ? id : undefined);
    if (decision.allow) {
      await route.handle(request, response);
      return;
    }
    for (const [name, value] of Object.entries(decision.headers)) response.setHeader(name, value);
    sendProblem(response, decision.status, decision.detail);
  };
}

/** Logs what went wrong and tells the client no more than that something did. */
function answerError(error: unknown, request: Request, response: Response, log: Logger): void {
  // A path that cannot be decoded is the client's fault, and express says so by a status.
  const status = statusOf(error);
  if (status === 500) {
    // The route's pattern, not the URL: a query may hold what somebody should not have put there.
    log.error({ err: error, route: request.route?.path, method: request.method }, "request failed");
  }
  if (response.headersSent) {
    // Half an answer must not look like a whole one.
    response.destroy();
    return;
  }
  for (const name of ["Content-Encoding", "Vary"]) response.removeHeader(name);
  sendProblem(response, status, status === 500 ? "internal error; the log has the details" : "malformed request");
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  return status >= 400 && status < 500 ? status : 500;
}
