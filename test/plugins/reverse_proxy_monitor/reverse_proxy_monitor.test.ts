import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { reverseProxyMonitor } from "../../../src/plugins/reverse_proxy_monitor.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { startCaddy } from "../../support/servers/caddy.ts";
import { freePort } from "../../support/servers/port.ts";
import { type Service, withoutServer } from "../../support/servers/service.ts";

describe("reverse_proxy_monitor against Caddy", { skip: withoutServer("caddy") }, () => {
  let caddy: Service;
  let web: number;
  let dead: number;
  const backend = createServer((_, response) => response.end("fine"));
  let alive: number;

  before(async () => {
    [web, dead] = [await freePort(), await freePort()];
    await once(backend.listen(0, "127.0.0.1"), "listening");
    alive = (backend.address() as AddressInfo).port;
    const proxy = (port: number) => ({
      handler: "reverse_proxy",
      upstreams: [{ dial: `127.0.0.1:${port}` }],
      health_checks: { passive: { fail_duration: "30s" } },
    });
    const servers = {
      plain: {
        listen: [`127.0.0.1:${web}`],
        metrics: {},
        routes: [
          { match: [{ path: ["/good*"] }], handle: [proxy(alive)] },
          { match: [{ path: ["/bad*"] }], handle: [proxy(dead)] },
          { handle: [{ handler: "static_response", body: "hello" }] },
        ],
      },
      secure: { listen: [`127.0.0.1:${await freePort()}`], tls_connection_policies: [{}], routes: [{ handle: [] }] },
    };
    caddy = await startCaddy({ servers, http_port: web, https_port: dead });
  });
  after(async () => {
    await caddy?.[Symbol.asyncDispose]();
    backend.close();
    backend.closeAllConnections();
  });

  const config = () => ({ kind: "caddy", url: `http://127.0.0.1:${caddy.port}/` });
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${web}${path}`)).text();

  it("counts routes, backends and requests", async () => {
    const before = await collect(reverseProxyMonitor, config());
    assert.deepEqual(before.by("proxy_routes", "state"), { enabled: 4 });
    assert.equal(before.value("proxy_tls_routes"), 1);
    assert.equal(before.value("proxy_listeners"), 2);
    assert.deepEqual(before.by("proxy_backend_up", "backend"), { [`127.0.0.1:${alive}`]: 1, [`127.0.0.1:${dead}`]: 1 });
    for (let i = 0; i < 5; i++) assert.equal(await get("/good"), "fine");
    for (let i = 0; i < 3; i++) assert.equal(await get("/"), "hello");
    await get("/bad");
    const after = await collect(reverseProxyMonitor, config());
    assert.deepEqual(after.by("proxy_requests_total", "handler"), { reverse_proxy: 6, static_response: 3 });
    assert.deepEqual(after.by("proxy_requests_total", "entrypoint"), { plain: 3 });
    assert.deepEqual(after.by("proxy_backend_up", "backend"), { [`127.0.0.1:${alive}`]: 1, [`127.0.0.1:${dead}`]: 0 });
    assert.equal(after.value("proxy_backend_failures", { backend: `127.0.0.1:${dead}` }), 1);
  });

  it("says so when it is no Caddy, or none any more", async () => {
    await fails(
      reverseProxyMonitor,
      { kind: "traefik", url: config().url },
      "http_status",
      /HTTP 404 .*\/api\/overview/,
    );
    await fails(reverseProxyMonitor, { kind: "caddy", url: `http://127.0.0.1:${web}/` }, "bad_data", /not JSON/);
    await caddy.kill();
    await fails(reverseProxyMonitor, config(), "unreachable", /ECONNREFUSED/);
  });
});

describe("reverse_proxy_monitor against a Traefik that answers in pages", () => {
  it("reads them all", async () => {
    const documents: Record<string, unknown> = {
      "/api/overview": { http: { routers: { total: 3, warnings: 0, errors: 0 } } },
      "/api/entrypoints": [{ name: "web" }, { name: "websecure" }],
      "/api/version": { Version: "3.3.2", Codename: "saintnectaire" },
      "/api/http/routers?per_page=1000&page=1": [{ name: "a", tls: {} }, { name: "b" }],
      "/api/http/routers?per_page=1000&page=2": [{ name: "c", tls: { certResolver: "le" } }],
      "/api/http/services?per_page=1000&page=1": [{ name: "api@internal" }],
    };
    const server = createServer((request, response) => {
      const found = documents[request.url ?? ""];
      const next = request.url?.endsWith("routers?per_page=1000&page=1") ? "2" : "1";
      response.writeHead(found ? 200 : 404, { "x-next-page": next }).end(JSON.stringify(found));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { value } = await collect(reverseProxyMonitor, { kind: "traefik", url });
    assert.equal(value("proxy_tls_routes"), 2);
    assert.equal(value("proxy_listeners"), 2);
    server.close();
    server.closeAllConnections();
  });
});

it("reverse_proxy_monitor ends at once when its run does, with nothing left open", () =>
  endsWhenAborted(reverseProxyMonitor, (port) => ({ kind: "caddy", url: `http://127.0.0.1:${port}/` })));
