import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { nginxMonitor } from "../../../src/plugins/nginx_monitor.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { type Nginx, startNginx } from "../../support/servers/nginx.ts";
import { withoutServer } from "../../support/servers/service.ts";

describe("nginx_monitor against nginx", { skip: withoutServer("nginx") }, () => {
  let nginx: Nginx;
  let base: string;
  before(async () => {
    nginx = await startNginx(
      1,
      ([port], folder) => `server { listen 127.0.0.1:${port}; keepalive_timeout 0;
        location / { return 204; } location = /status { stub_status; }
        location = /closed { auth_basic x; auth_basic_user_file ${folder.write("users", "reader:{PLAIN}s3cret\n")}; stub_status; } }`,
    );
    base = `http://127.0.0.1:${nginx.ports[0]}`;
  });
  after(() => nginx?.stop());

  it("counts connections and requests", async () => {
    const first = await collect(nginxMonitor, { url: `${base}/status` });
    const requests = first.value("nginx_requests_total");
    for (let i = 0; i < 10; i++) await (await fetch(`${base}/`, { headers: { connection: "close" } })).arrayBuffer();
    const second = await collect(nginxMonitor, { url: `${base}/status` });
    // Ten, and this one.
    assert.equal(second.value("nginx_requests_total"), requests + 11);
    assert.ok(second.value("nginx_connections_accepted_total") >= first.value("nginx_connections_accepted_total") + 10);
    assert.equal(second.value("nginx_connections_accepted_total"), second.value("nginx_connections_handled_total"));
    const { reading = 0, writing = 0, waiting = 0 } = second.by("nginx_connections", "state");
    assert.equal(writing, 1);
    assert.ok(second.value("nginx_connections_active") >= reading + writing + waiting);
  });

  it("logs in, and says what is wrong, and no secret", async () => {
    const url = `${base}/closed`;
    assert.ok(
      (await collect(nginxMonitor, { url, username: "reader", password: "s3cret" })).value("nginx_requests_total") > 0,
    );
    await fails(nginxMonitor, { url, username: "reader", password: "hush" }, "http_status", /HTTP 401/, "hush");
    await fails(nginxMonitor, { url: `${base}/` }, "bad_data", /not the page of stub_status/);
  });

  it("says so when nginx is gone", async () => {
    await nginx.stop();
    await fails(nginxMonitor, { url: `${base}/status` }, "unreachable", /ECONNREFUSED/);
  });
});

it("nginx_monitor ends at once when its run does, with nothing left open", () =>
  endsWhenAborted(nginxMonitor, (port) => ({ url: `http://127.0.0.1:${port}/` })));
