import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Access } from "../../src/http/auth.ts";
import { checkRoutes, type Route } from "../../src/http/route.ts";
import { routesOf } from "../../src/http/routes/index.ts";
import { AGENT_KEYS, application, bearer, SECRETS, serve, TOKENS } from "./helpers.ts";

/**
 * Expected status of each route for: no token, wrong token, metrics, read, ingest, alerts, admin, the key of the agent in
 * the path, that of another agent; on a server open to the network.
 */
const CALLERS = ["none", "wrong", "metrics", "read", "ingest", "alerts", "admin", "agent-1", "agent-2"] as const;
const POLICY: Readonly<Record<string, readonly number[]>> = {
  "GET /": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "GET /metrics": [401, 401, 200, 200, 403, 403, 200, 401, 401],
  "GET /metrics/otel": [401, 401, 200, 200, 403, 403, 200, 401, 401],
  "GET /-/healthy": [200, 200, 200, 200, 200, 200, 200, 200, 200],
  "GET /-/ready": [200, 200, 200, 200, 200, 200, 200, 200, 200],
  "GET /sd/kits": [401, 401, 200, 200, 403, 403, 200, 401, 401],
  "GET /probe": [401, 401, 200, 200, 403, 403, 200, 401, 401],
  "GET /api/jobs": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "GET /api/targets": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "GET /api/buffers/:target": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "GET /api/health": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "GET /api/plugins": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "POST /api/plugins/:id/enable": [401, 401, 403, 403, 403, 403, 200, 401, 401],
  "PUT /api/plugins/:id/config": [401, 401, 403, 403, 403, 403, 200, 401, 401],
  "GET /api/plugins/:id/metrics": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "GET /api/plugins/:id/status": [401, 401, 403, 404, 403, 403, 404, 401, 401],
  "GET /api/summary": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "GET /api/agents": [401, 401, 403, 200, 403, 403, 200, 401, 401],
  "POST /api/agents": [401, 401, 403, 403, 403, 403, 201, 401, 401],
  "POST /api/agents/:id/key": [401, 401, 403, 403, 403, 403, 201, 401, 401],
  "PUT /api/agents/:id/config": [401, 401, 403, 403, 403, 403, 200, 401, 401],
  "DELETE /api/agents/:id": [401, 401, 403, 403, 403, 403, 200, 401, 401],
  "POST /api/agents/:id/register": [401, 401, 403, 403, 200, 403, 200, 200, 401],
  "POST /api/agents/:id/metrics": [401, 401, 403, 403, 200, 403, 200, 200, 401],
  "POST /api/agents/:id/health": [401, 401, 403, 403, 200, 403, 200, 200, 401],
  "GET /api/agents/:id/config": [401, 401, 403, 403, 200, 403, 200, 200, 401],
  "POST /api/alerts/webhook": [401, 401, 403, 403, 403, 200, 200, 401, 401],
};
/** What a route needs besides a token to answer 200. */
const QUERY: Readonly<Record<string, string>> = { "GET /probe": "?target=kit-001" };
const BODY: Readonly<Record<string, string>> = {
  "POST /api/alerts/webhook": "{}",
  "POST /api/plugins/:id/enable": '{"enabled":true}',
  "PUT /api/plugins/:id/config": '{"config":{}}',
  "POST /api/agents": "{}",
  "POST /api/agents/:id/key": "{}",
  "PUT /api/agents/:id/config": "{}",
  "POST /api/agents/:id/register": "{}",
  "POST /api/agents/:id/metrics": "{}",
  "POST /api/agents/:id/health": "{}",
};
/** The path as asked for: an agent has a key for its own path only. */
const pathOf = ({ path }: Route): string => path.replace("/agents/:id", "/agents/agent-1");

const tokenOf = (caller: Exclude<(typeof CALLERS)[number], "none">): string =>
  caller === "wrong"
    ? "no-such-token"
    : caller === "agent-1" || caller === "agent-2"
      ? (AGENT_KEYS[caller] ?? "")
      : SECRETS[caller];
const headersOf = (caller: (typeof CALLERS)[number]): Record<string, string> =>
  caller === "none" ? {} : bearer(tokenOf(caller));

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

describe("the policy of every route", () => {
  it("is written down here: a new route without a row fails", () => {
    assert.deepEqual(routesOf(application()).map(nameOf).toSorted(), Object.keys(POLICY).toSorted());
  });

  it("holds for every caller, by GET and by HEAD", async (t) => {
    for (const route of routesOf(application())) {
      const name = nameOf(route);
      for (const method of route.method === "GET" ? ["GET", "HEAD"] : [route.method]) {
        // A server for each: all of these are more wrong tokens, and requests of one agent, than one takes in a minute.
        const { url } = await serve(t, { listen: { host: "0.0.0.0", port: 0 }, tokens: TOKENS });
        const codes = CALLERS.map(async (caller) => {
          const sent = BODY[name] === undefined ? {} : { body: BODY[name] };
          const headers = { ...headersOf(caller), "Content-Type": "application/json" };
          const answer = await fetch(url + pathOf(route) + (QUERY[name] ?? ""), { method, headers, ...sent });
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
