// On a real RabbitMQ with its management interface: messages, queues, users with few rights, and killed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readNodes, readOverview, readQueues } from "../../../src/plugins/rabbitmq/answers.ts";
import { rabbitmqMonitor } from "../../../src/plugins/rabbitmq_monitor.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { manage, startRabbitMQ } from "../../support/servers/rabbitmq.ts";
import { type Service, withoutServer } from "../../support/servers/service.ts";

const PASSWORD = "s3cret-of-the-test";

it("ends when it is aborted while a server is silent", () =>
  endsWhenAborted(rabbitmqMonitor, (port) => ({ url: `http://127.0.0.1:${port}` })));

it("makes nothing of answers that are none", () => {
  for (const body of [null, [], "text", 1, {}, [null], { items: [1] }, { object_totals: { queues: "many" } }]) {
    assert.deepEqual(
      readOverview(body).map(({ metric }) => metric),
      ["rabbitmq_info"],
    );
    assert.deepEqual([...readNodes(body), ...readQueues(body)], []);
  }
});

it("tells a node that is down, partitions and alarms", () => {
  // As answered by 3.10.8, shortened.
  const found = readNodes([
    {
      name: "rabbit@a",
      running: true,
      partitions: ["rabbit@b"],
      mem_alarm: true,
      disk_free_alarm: false,
      uptime: 1500,
    },
    { name: "rabbit@b", running: false, type: "disc", partitions: [] },
  ]);
  const of = (metric: string) => found.filter((one) => one.metric === metric).map(({ value }) => value);
  assert.deepEqual(of("rabbitmq_node_up"), [1, 0]);
  assert.deepEqual(of("rabbitmq_alarm"), [1, 0]);
  assert.deepEqual(of("rabbitmq_partitions"), [1]);
  assert.deepEqual(of("rabbitmq_node_uptime_seconds"), [1.5]);
});

describe("a real RabbitMQ", { skip: withoutServer("rabbitmq-server") }, () => {
  let server: Service;
  const on = (more: object = {}) => ({
    ...{ url: `http://127.0.0.1:${server.port}`, username: "guest", password: "guest" },
    ...more,
  });
  const publish = (queue: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, () =>
        manage(server.port, "POST", "/api/exchanges/%2F/amq.default/publish", {
          ...{ properties: {}, routing_key: queue, payload: "message", payload_encoding: "string" },
        }),
      ),
    );

  before(async () => {
    server = await startRabbitMQ();
    await manage(server.port, "PUT", "/api/queues/%2F/orders", {});
    await manage(server.port, "PUT", "/api/queues/%2F/amq_0123456789abcdef0123456789abcdef", {});
    for (const [name, tags] of [
      ["watcher", "monitoring"],
      ["few", "management"],
      ["none", ""],
    ] as const)
      await manage(server.port, "PUT", `/api/users/${name}`, { password: PASSWORD, tags });
  });
  after(() => server[Symbol.asyncDispose]());

  it("counts ten messages as ten, and four that were taken as four", async () => {
    await publish("orders", 10);
    await manage(server.port, "POST", "/api/queues/%2F/orders/get", {
      count: 4,
      ackmode: "ack_requeue_false",
      encoding: "auto",
    });
    await publish("nowhere", 3);
    const found = await eventually(async () => {
      const now = await collect(rabbitmqMonitor, on());
      assert.equal(now.value("rabbitmq_published_total"), 13);
      assert.equal(now.value("rabbitmq_delivered_total"), 4);
      assert.equal(now.value("rabbitmq_unroutable_total"), 3);
      assert.equal(now.value("rabbitmq_queue_messages", { queue: "orders", vhost: "/", state: "ready" }), 6);
      assert.equal(now.value("rabbitmq_messages", { state: "ready" }), 6);
      return now;
    });
    assert.deepEqual(found.rejected, []);
    assert.equal(found.value("rabbitmq_messages", { state: "unacknowledged" }), 0);
    assert.equal(found.value("rabbitmq_queues"), 2);
    assert.deepEqual(found.by("rabbitmq_queue_consumers", "queue"), { orders: 0 });
    assert.ok(found.value("rabbitmq_connections_opened_total") >= 13);
  });

  it("is reported as it is", async () => {
    const found = await eventually(async () => {
      const now = await collect(rabbitmqMonitor, on());
      assert.ok(now.metrics.includes("rabbitmq_memory_bytes"));
      return now;
    });
    const node = `gleaner-${server.port}@localhost`;
    const { rabbitmq_version: version } = (await manage(server.port, "GET", "/api/overview")) as {
      rabbitmq_version: string;
    };
    assert.equal(found.value("rabbitmq_info", { version }), 1);
    assert.equal(found.value("rabbitmq_node_up", { node }), 1);
    assert.equal(found.value("rabbitmq_partitions", { node }), 0);
    assert.equal(found.value("rabbitmq_alarm", { node, resource: "memory" }), 0);
    assert.ok(found.value("rabbitmq_memory_bytes", { node }) > 1e7);
    assert.ok(found.value("rabbitmq_memory_bytes", { node }) < found.value("rabbitmq_memory_limit_bytes", { node }));
    assert.ok(found.value("rabbitmq_node_uptime_seconds", { node }) < 300);
    const absent = Object.keys(rabbitmqMonitor.metrics).filter((metric) => !found.metrics.includes(metric));
    assert.deepEqual(absent, []);
    assert.ok(
      !(await collect(rabbitmqMonitor, on({ include_queues: false }))).metrics.includes("rabbitmq_queue_messages"),
    );
  });

  it("tells each user what that may see", async () => {
    const as = (username: string) => on({ username, password: PASSWORD });
    assert.deepEqual((await collect(rabbitmqMonitor, as("watcher"))).rejected, []);
    const few = await collect(rabbitmqMonitor, as("few"));
    assert.match(few.rejected[0]?.detail ?? "", /^nodes: GET \/api\/nodes: HTTP 401: check user, password/);
    await fails(rabbitmqMonitor, as("none"), "http_status", /HTTP 401: check user, password/, PASSWORD);
    await fails(rabbitmqMonitor, on({ password: "wr0ng" }), "http_status", /HTTP 401/, "wr0ng");
    await fails(rabbitmqMonitor, { url: on().url }, "http_status", /HTTP 401/);
  });

  it("that is killed is unreachable", async () => {
    await server.kill();
    await fails(rabbitmqMonitor, on(), "unreachable", /ECONNREFUSED|nothing listens/);
  });
});
