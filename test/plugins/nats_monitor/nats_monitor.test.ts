// On real servers: messages, JetStream full and off, and killed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createConnection } from "node:net";
import { after, before, describe, it } from "node:test";
import { natsMonitor } from "../../../src/plugins/nats_monitor.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { startNats } from "../../support/servers/nats.ts";
import { withoutServer } from "../../support/servers/service.ts";

/** Says something in NATS's protocol, and returns what came until the answer to a PING. */
async function say(port: number, ...lines: readonly string[]): Promise<string> {
  const socket = createConnection(port, "127.0.0.1");
  socket.write(['CONNECT {"verbose":false}', ...lines, "PING", ""].join("\r\n"));
  let heard = "";
  for await (const chunk of socket) {
    heard += chunk;
    if (heard.includes("PONG")) break;
  }
  return heard;
}

it("ends when it is aborted while a server is silent", () =>
  endsWhenAborted(natsMonitor, (port) => ({ url: `http://127.0.0.1:${port}` })));

it("takes nothing for a NATS that is none, and knows an unhealthy one", async () => {
  let varz = "";
  const server = createServer((request, response) => {
    if (request.url === "/varz") response.end(varz);
    else response.writeHead(request.url === "/healthz" ? 503 : 404).end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const config = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
  for (varz of ["", "<html>", "[]", "null", '{"version":"1"}', '{"server_id":1}'])
    await fails(natsMonitor, config, "bad_data", /GET \/varz: (expected JSON|what answers there is no NATS)/);
  // Whatever the types of the rest are, nothing but numbers comes of it.
  varz = '{"server_id":"A","version":7,"start":"never","connections":"many","mem":null,"in_msgs":12}';
  const found = await collect(natsMonitor, config);
  assert.deepEqual(found.metrics, ["nats_info", "nats_messages_in_total", "nats_healthy"]);
  assert.equal(found.value("nats_healthy"), 0);
  server.close();
});

describe("a real NATS server", { skip: withoutServer("nats-server") }, () => {
  let server: Awaited<ReturnType<typeof startNats>>;
  const on = () => ({ url: `http://127.0.0.1:${server.port}` });

  before(async () => {
    server = await startNats("-js", "-sd", "store");
  });
  after(() => server[Symbol.asyncDispose]());

  it("counts ten messages of five bytes as these", async () => {
    const before = await collect(natsMonitor, on());
    const messages = Array.from({ length: 10 }, () => "PUB orders 5\r\nhello");
    await say(server.client, "SUB orders 1", ...messages);
    // It adds to its counts when it has answered.
    await eventually(async () => {
      const found = await collect(natsMonitor, on());
      const grown = (metric: string) => found.value(metric) - before.value(metric);
      assert.equal(grown("nats_messages_in_total"), 10);
      assert.equal(grown("nats_receive_bytes_total"), 50);
      assert.equal(grown("nats_messages_out_total"), 10);
      assert.equal(grown("nats_transmit_bytes_total"), 50);
      assert.equal(grown("nats_connections_opened_total"), 1);
    });
  });

  it("is reported as it is", async () => {
    const holder = createConnection(server.client, "127.0.0.1");
    const [info] = await once(holder, "data");
    holder.write('CONNECT {"verbose":false}\r\nSUB a 1\r\nSUB b 2\r\nPING\r\n');
    await once(holder, "data");
    const found = await collect(natsMonitor, on());
    const { version } = JSON.parse(String(info).slice("INFO ".length)) as { version: string };
    assert.equal(found.value("nats_info", { version }), 1);
    assert.equal(found.value("nats_healthy"), 1);
    assert.equal(found.value("nats_connections"), 1);
    assert.ok(found.value("nats_subscriptions") >= 2);
    assert.equal(found.value("nats_slow_consumers_total"), 0);
    assert.ok(found.value("nats_memory_bytes") > 1e6);
    assert.ok(Math.abs(found.value("nats_start_time_seconds") - Date.now() / 1000) < 120);
    const absent = Object.keys(natsMonitor.metrics).filter((metric) => !found.metrics.includes(metric));
    assert.deepEqual(absent, []);
    holder.destroy();
  });

  it("tells what JetStream keeps, and nothing of one that is off", async () => {
    const request = (subject: string, body: object) => {
      const text = JSON.stringify(body);
      return `PUB $JS.API.${subject} inbox ${Buffer.byteLength(text)}\r\n${text}`;
    };
    const stream = {
      name: "ORDERS",
      subjects: ["kept.>"],
      storage: "file",
      num_replicas: 1,
      retention: "limits",
      max_bytes: 1e6,
    };
    await say(server.client, "SUB inbox 1", request("STREAM.CREATE.ORDERS", stream));
    await say(server.client, ...Array.from({ length: 10 }, () => "PUB kept.one 5\r\nhello"));
    const found = await collect(natsMonitor, on());
    assert.equal(found.value("nats_jetstream_streams"), 1);
    assert.equal(found.value("nats_jetstream_messages"), 10);
    assert.ok(found.value("nats_jetstream_storage_bytes") >= 50);
    assert.equal(
      found.value("nats_jetstream_storage_used_ratio"),
      found.value("nats_jetstream_storage_bytes") / found.value("nats_jetstream_storage_limit_bytes"),
    );
    assert.ok(found.value("nats_jetstream_api_requests_total") >= 1);
    await using plain = await startNats();
    const without = await collect(natsMonitor, { url: `http://127.0.0.1:${plain.port}` });
    assert.equal(without.value("nats_healthy"), 1);
    assert.deepEqual(
      without.metrics.filter((metric) => metric.includes("jetstream")),
      [],
    );
  });

  it("that is killed is unreachable", async () => {
    await server.kill();
    await fails(natsMonitor, on(), "unreachable", /ECONNREFUSED|nothing listens/);
  });
});
