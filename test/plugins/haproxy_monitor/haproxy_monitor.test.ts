// On a real HAProxy before a server that is there and one that is not.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { haproxyMonitor } from "../../../src/plugins/haproxy_monitor.ts";
import { answering, collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { startHaproxy } from "../../support/servers/haproxy.ts";
import { freePort } from "../../support/servers/port.ts";
import { type Service, withoutServer } from "../../support/servers/service.ts";

it("ends when it is aborted while a server is silent", () =>
  endsWhenAborted(haproxyMonitor, (port) => ({ url: `http://127.0.0.1:${port}/stats;csv` })));

const table = (...lines: readonly string[]) => {
  const body = ["# pxname,svname,status,type,check_desc,weight,", ...lines, ""].join("\n");
  return `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
};

it("knows every state, and commas within quotes", async () => {
  const states = ["UP", "UP 1/3", "DOWN 1/2", "DOWN (agent)", "NOLB", "DRAIN", "MAINT (via a/b)", "no check", "later"];
  const lines = states.map((state, at) => `app,s${at},${state},2,"refused, ""twice""",${at},`);
  await using server = await answering(table(...lines, "app,listener,OPEN,3,,,", "app"));
  const found = await collect(haproxyMonitor, { url: `http://127.0.0.1:${server.port}/` });
  assert.deepEqual(found.by("haproxy_server_up", "server"), { s0: 1, s1: 1, s2: 0, s3: 0 });
  const shown = (name: string, state: string) => found.value("haproxy_server_state", { server: name, state });
  for (const [name, state] of [
    ["s1", "up"],
    ["s3", "down"],
    ["s4", "nolb"],
    ["s5", "drain"],
    ["s6", "maint"],
    ["s7", "no_check"],
  ] as const)
    assert.equal(shown(name, state), 1, name);
  assert.equal(shown("s8", "up"), 0);
  assert.equal(found.value("haproxy_server_weight", { server: "s5" }), 5);
});

describe("a real HAProxy", { skip: withoutServer("haproxy") }, () => {
  const web = createServer((request, response) => response.writeHead(request.url === "/none" ? 404 : 200).end("fine"));
  let server: Service;
  let front: number;
  const on = () => ({ url: `http://127.0.0.1:${server.port}/stats;csv` });

  before(async () => {
    await once(web.listen(0, "127.0.0.1"), "listening");
    front = await freePort();
    const { port } = web.address() as AddressInfo;
    server = await startHaproxy(
      `frontend web\n  bind 127.0.0.1:${front}\n  default_backend app`,
      `backend app\n  option httpchk GET /\n  server there 127.0.0.1:${port} check inter 100ms\n  server gone 127.0.0.1:${await freePort()} check inter 100ms`,
    );
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    web.close();
    web.closeAllConnections();
  });

  it("counts seven answers and one that is not found as these", async () => {
    await eventually(async () => {
      const found = await collect(haproxyMonitor, on());
      assert.deepEqual(found.by("haproxy_server_up", "server"), { there: 1, gone: 0 });
      assert.equal(found.value("haproxy_backend_servers_active"), 1);
    });
    for (const path of ["/", "/", "/", "/", "/", "/", "/", "/none"])
      await (await fetch(`http://127.0.0.1:${front}${path}`)).text();
    const found = await collect(haproxyMonitor, on());
    assert.equal(found.value("haproxy_frontend_requests_total", { proxy: "web" }), 8);
    assert.equal(found.value("haproxy_frontend_responses_total", { proxy: "web", code: "2xx" }), 7);
    assert.equal(found.value("haproxy_backend_responses_total", { proxy: "app", code: "4xx" }), 1);
    assert.equal(found.value("haproxy_server_sessions_opened_total", { server: "there" }), 8);
    assert.ok(found.value("haproxy_frontend_receive_bytes_total", { proxy: "web" }) > 8 * 20);
    assert.equal(found.value("haproxy_backend_up", { proxy: "app" }), 1);
    const absent = Object.keys(haproxyMonitor.metrics).filter((metric) => !found.metrics.includes(metric));
    assert.deepEqual(absent, []);
  });

  it("says what is not its table, and when it is gone", async () => {
    const url = `http://127.0.0.1:${server.port}/stats`;
    await fails(haproxyMonitor, { url }, "bad_data", /not HAProxy's table of statistics: does the URL end in ;csv\?/);
    await server.kill();
    await fails(haproxyMonitor, on(), "unreachable", /ECONNREFUSED/);
  });
});
