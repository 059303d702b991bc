import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Access } from "../../src/http/auth.ts";
import { checkRoutes, type Route } from "../../src/http/route.ts";
import { routesOf } from "../../src/http/routes/index.ts";
import { application, bearer, SECRETS, serve, TOKENS } from "./helpers.ts";

/** Expected status of each route for: no token, wrong token, metrics, read, ingest, alerts, admin; on a server open to the network. */
const CALLERS = ["none", "wrong", "metrics", "read", "ingest", "alerts", "admin"] as const;
const POLICY: Readonly<Record<string, readonly number[]>> = {
  "GET /": [401, 401, 403, 200, 403, 403, 200],
  "GET /metrics": [401, 401, 200, 200, 403, 403, 200],
  "GET /metrics/otel": [401, 401, 200, 200, 403, 403, 200],
  "GET /-/healthy": [200, 200, 200, 200, 200, 200, 200],
  "GET /-/ready": [200, 200, 200, 200, 200, 200, 200],
  "GET /sd/kits": [401, 401, 200, 200, 403, 403, 200],
  "GET /probe": [401, 401, 200, 200, 403, 403, 200],
  "GET /api/jobs": [401, 401, 403, 200, 403, 403, 200],
  "GET /api/targets": [401, 401, 403, 200, 403, 403, 200],
  "GET /api/buffers/:target": [401, 401, 403, 200, 403, 403, 200],
  "GET /api/health": [401, 401, 403, 200, 403, 403, 200],
  "GET /api/plugins": [401, 401, 403, 200, 403, 403, 200],
  "POST /api/plugins/:id/enable": [401, 401, 403, 403, 403, 403, 200],
  "PUT /api/plugins/:id/config": [401, 401, 403, 403, 403, 403, 200],
  "POST /api/alerts/webhook": [401, 401, 403, 403, 403, 200, 200],
};
/** What a route needs besides a token to answer 200. */
const QUERY: Readonly<Record<string, string>> = { "GET /probe": "?target=kit-001" };
const BODY: Readonly<Record<string, string>> = {
  "POST /api/alerts/webhook": "{}",
  "POST /api/plugins/:id/enable": '{"enabled":true}',
  "PUT /api/plugins/:id/config": '{"config":{}}',
};

const headersOf = (caller: (typeof CALLERS)[number]): Record<string, string> =>
  caller === "none" ? {} : bearer(caller === "wrong" ? "no-such-token" : SECRETS[caller]);

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

describe("the policy of every route", () => {
  it("is written down here: a new route without a row fails", () => {
    assert.deepEqual(routesOf(application()).map(nameOf).toSorted(), Object.keys(POLICY).toSorted());
  });

  it("holds for every caller, by GET and by HEAD", async (t) => {
    for (const route of routesOf(application())) {
      const name = nameOf(route);
      // One server for each: the wrong tokens of all routes together would be over the limit of twenty a minute.
      const { url } = await serve(t, { listen: { host: "0.0.0.0", port: 0 }, tokens: TOKENS });
      for (const method of route.method === "GET" ? ["GET", "HEAD"] : [route.method]) {
        const codes = CALLERS.map(async (caller) => {
          const sent = BODY[name] === undefined ? {} : { body: BODY[name] };
          const headers = { ...headersOf(caller), "Content-Type": "application/json" };
          const answer = await fetch(url + route.path + (QUERY[name] ?? ""), { method, headers, ...sent });
          await answer.arrayBuffer();
          return answer.status;
        });
        assert.deepEqual(await Promise.all(codes), POLICY[name], `${method} ${route.path}`);
      }
    }
  });

  it("lets this machine read without a token when bound to loopback, and nothing else", async (t) => {
    const access: Access[] = ["public", "metrics", "read", "ingest", "alerts", "admin"];
    const routes = access.map(
      (scope): Route => ({
        method: "POST",
        path: `/${scope}`,
        access: scope,
        handle: (_request, response) => void response.end(),
      }),
    );
    const { url } = await serve(t, { routes });
    const codes = await Promise.all(
      access.map(async (scope) => (await fetch(`${url}/${scope}`, { method: "POST" })).status),
    );
    assert.deepEqual(codes, [200, 200, 200, 401, 401, 401]);
  });

  it("cannot be left out", async () => {
    const route = { method: "GET", path: "/x", handle() {} } as unknown as Route;
    const message = "route GET /x declares no access; expected one of public, metrics, read, ingest, alerts, admin";
    assert.throws(() => checkRoutes([route]), { name: "TypeError", message });
    const wrong = { ...route, access: "everyone" } as unknown as Route;
    assert.throws(() => checkRoutes([wrong]), { message });
    const good: Route = { ...route, access: "read" };
    assert.throws(() => checkRoutes([good, good]), { message: "route GET /x is registered twice" });
    // @ts-expect-error: the type asks for it as well
    const untyped: Route = { method: "GET", path: "/x", handle() {} };
    assert.ok(untyped);
  });

  it("takes tokens from the header only, never from the query", async (t) => {
    const { url } = await serve(t, { listen: { host: "0.0.0.0", port: 0 }, tokens: TOKENS });
    for (const name of ["token", "access_token", "authorization", "Authorization", "api_key"]) {
      for (const value of [SECRETS.admin, `Bearer ${SECRETS.admin}`]) {
        const answer = await fetch(`${url}/metrics?${name}=${encodeURIComponent(value)}`);
        assert.equal(answer.status, 401, name);
        assert.ok(!(await answer.text()).includes(SECRETS.admin));
      }
    }
  });
});
