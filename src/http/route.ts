import type { Request, Response } from "express";
import { ACCESS, type Access } from "./auth.ts";

/** One method of one path. GET answers HEAD too. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Exact, case-sensitive path; express' parameters (`/api/targets/:id`) work. */
  readonly path: string;
  readonly access: Access;
  /** Answers. A rejection becomes a 500 without details, and a log line with them. */
  handle(request: Request, response: Response): void | Promise<void>;
}

/**
 * Checks the route table at start: the type asks for an access, and this holds where types do not reach.
 * @throws {TypeError} naming the route that declares no access or is there twice.
 */
export function checkRoutes(routes: readonly Route[]): void {
  const seen = new Set<string>();
  for (const { method, path, access } of routes) {
    if (!ACCESS.includes(access))
      throw new TypeError(`route ${method} ${path} declares no access; expected one of ${ACCESS.join(", ")}`);
    if (seen.has(`${method} ${path}`)) throw new TypeError(`route ${method} ${path} is registered twice`);
    seen.add(`${method} ${path}`);
  }
}

/** The Allow header of a path: what its routes answer. */
export function allowedMethods(routes: readonly Route[]): string {
  return routes.flatMap((route) => (route.method === "GET" ? ["GET", "HEAD"] : [route.method])).join(", ");
}
