// On a real InfluxDB 1.x, with users and killed. 2.x is in no Debian: its answers are those of its reference documentation
// (2.1), in one exposition; of some histograms the documentation shows one line, and the rest is added.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { influxdbMonitor } from "../../../src/plugins/influxdb_monitor.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { startInflux } from "../../support/servers/influx.ts";
import { type Service, withoutServer } from "../../support/servers/service.ts";

const PASSWORD = "s3cret-of-the-test";

async function ask({ port }: { port: number }, path: string, body: string, credentials = ""): Promise<void> {
  const headers = credentials ? { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` } : {};
  const form = path === "/query" ? new URLSearchParams({ q: body }) : body;
  const { ok, status } = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: form, headers });
  assert.ok(ok, `${path}: ${status}`);
}

/** An HTTP server for one test. */
async function serve(listener: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

it("ends when it is aborted while a server is silent", () =>
  endsWhenAborted(influxdbMonitor, (port) => ({ url: `http://127.0.0.1:${port}` })));

it("takes nothing for an InfluxDB that is none", async () => {
  await using server = await serve((_, response) => response.end("<html>"));
  await fails(influxdbMonitor, { url: server.url }, "bad_data", /GET \/ping: what answers there is no InfluxDB/);
  await using old = await serve((_, response) =>
    response.writeHead(200, { "x-influxdb-version": "1.8.10" }).end("<html>"),
  );
  await fails(influxdbMonitor, { url: old.url }, "bad_data", /GET \/debug\/vars: expected JSON/);
  let vars = "";
  await using odd = await serve((_, response) => response.writeHead(200, { "x-influxdb-version": "1.8.10" }).end(vars));
  for (vars of [
    "null",
    "[]",
    "1",
    '{"httpd":null,"system":{"uptime":"long"},"a":{"name":"database"},"b":{"name":"shard","tags":[]}}',
  ])
    assert.ok((await collect(influxdbMonitor, { url: odd.url })).value("influxdb_databases") <= 1);
});

it("reads a 2.x, well or not", async () => {
  const metrics = await readFile(join(import.meta.dirname, "metrics-2.1.txt"), "utf8");
  let health: [number, string] = [
    200,
    '{"name":"influxdb","message":"ready for queries and writes","status":"pass","checks":[],"version":"v2.1.1","commit":"657e1839de"}',
  ];
  await using server = await serve((request, response) => {
    response.setHeader("x-influxdb-version", "v2.1.1");
    if (request.url === "/ping") response.writeHead(204).end();
    else if (request.url === "/health") response.writeHead(health[0]).end(health[1]);
    else if (request.url === "/metrics") response.setHeader("content-type", "text/plain; version=0.0.4").end(metrics);
    else response.writeHead(404).end();
  });
  const found = await collect(influxdbMonitor, { url: server.url });
  assert.ok(found.value("influxdb_ping_seconds") > 0);
  const bucket = { database: "0c3dd7d2d97f4b23" };
  const expected: readonly [string, number, object?][] = [
    ["influxdb_info", 1, { version: "v2.1.1" }],
    ["influxdb_healthy", 1],
    ["influxdb_uptime_seconds", 343354.914499305],
    ["influxdb_databases", 9],
    ["influxdb_series", 38, bucket],
    ["influxdb_measurements", 4, bucket],
    ["influxdb_disk_bytes", 4_190_000, bucket],
    ["influxdb_requests_total", 24],
    ["influxdb_client_errors_total", 3],
    ["influxdb_server_errors_total", 0],
    ["influxdb_write_requests_total", 21],
    ["influxdb_write_seconds_total", 4.5],
    ["influxdb_query_requests_total", 2],
    ["influxdb_query_seconds_total", 0.25],
    ["influxdb_queries_active", 1],
    ["influxdb_points_written_total", 125787],
    ["influxdb_points_dropped_total", 0],
    ["influxdb_points_failed_total", 0],
    ["influxdb_memory_bytes", 12007531271],
  ];
  for (const [metric, value, labels = {}] of expected) assert.equal(found.value(metric, { ...labels }), value, metric);
  assert.equal(found.metrics.length, expected.length + 1);
  health = [503, '{"name":"influxdb","message":"shards are being loaded","status":"fail"}'];
  assert.equal((await collect(influxdbMonitor, { url: server.url })).value("influxdb_healthy"), 0);
});

describe("a real InfluxDB 1.x", { skip: withoutServer("influxd") }, () => {
  let server: Service;
  const on = () => ({ url: `http://127.0.0.1:${server.port}` });

  before(async () => {
    server = await startInflux();
    await ask(server, "/query", "create database shop");
  });
  after(() => server[Symbol.asyncDispose]());

  it("counts ten points in three series as these", async () => {
    const before = await collect(influxdbMonitor, on());
    const points = Array.from({ length: 10 }, (_, n) => `cpu,host=h${n % 3} value=${n} ${n + 1}`);
    await ask(server, "/write?db=shop", points.join("\n"));
    await ask(server, "/query", "select * from shop..cpu");
    const found = await collect(influxdbMonitor, on());
    const grown = (metric: string) => found.value(metric) - before.value(metric);
    assert.equal(grown("influxdb_points_written_total"), 10);
    assert.equal(grown("influxdb_write_requests_total"), 1);
    assert.equal(grown("influxdb_query_requests_total"), 1);
    assert.ok(grown("influxdb_write_seconds_total") > 0);
    assert.equal(found.value("influxdb_series", { database: "shop" }), 3);
    assert.equal(found.value("influxdb_measurements", { database: "shop" }), 1);
    assert.ok(found.value("influxdb_disk_bytes", { database: "shop" }) > 0);
  });

  it("is reported as it is", async () => {
    const found = await collect(influxdbMonitor, on());
    const { headers } = await fetch(`${on().url}/ping`);
    assert.equal(found.value("influxdb_info", { version: headers.get("x-influxdb-version") ?? "" }), 1);
    assert.equal(found.value("influxdb_databases"), 1);
    assert.ok(found.value("influxdb_memory_bytes") > 1e6);
    const absent = Object.keys(influxdbMonitor.metrics).filter((metric) => !found.metrics.includes(metric));
    assert.deepEqual(absent, ["influxdb_healthy"]);
    await assert.rejects(ask(server, "/query", "nonsense"));
    const after = await collect(influxdbMonitor, on());
    assert.equal(after.value("influxdb_client_errors_total") - found.value("influxdb_client_errors_total"), 1);
  });

  it("with users is asked as one of them", async () => {
    await using closed = await startInflux("auth-enabled = true");
    const url = `http://127.0.0.1:${closed.port}`;
    await ask(closed, "/query", `create user gleaner with password '${PASSWORD}' with all privileges`);
    const found = await collect(influxdbMonitor, { url, username: "gleaner", password: PASSWORD });
    assert.equal(found.value("influxdb_databases"), 0);
    // To /ping and /debug/vars this version answers whoever asks; it counts what it refuses all the same.
    await assert.rejects(ask(closed, "/query", "show databases", "gleaner:wr0ng"));
    const again = await collect(influxdbMonitor, { url });
    assert.equal(again.value("influxdb_authentication_failures_total"), 1);
    const wrong = { username: "gleaner", password: "wr0ng" };
    await using refusing = await serve((_, response) => response.writeHead(401).end());
    await fails(
      influxdbMonitor,
      { ...wrong, url: refusing.url },
      "http_status",
      /GET \/ping: HTTP 401: check user, password/,
      "wr0ng",
    );
  });

  it("that is killed is unreachable", async () => {
    await server.kill();
    await fails(influxdbMonitor, on(), "unreachable", /ECONNREFUSED|nothing listens/);
  });
});
