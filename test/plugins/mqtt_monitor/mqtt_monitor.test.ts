// On a real mosquitto, with users and over TLS, and on a second broker that is written in JavaScript.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { Aedes } from "aedes";
import fc from "fast-check";
import mqtt from "mqtt";
import type { Context } from "../../../src/model/plugin.ts";
import { MAX_TOPICS } from "../../../src/plugins/mqtt/metrics.ts";
import { covers, createTopics, readValue } from "../../../src/plugins/mqtt/topics.ts";
import { mqttMonitor } from "../../../src/plugins/mqtt_monitor.ts";
import { makeAuthority } from "../../faults/support/certificates.ts";
import { answering, collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { startMosquitto } from "../../support/servers/mosquitto.ts";
import { freePort } from "../../support/servers/port.ts";
import { type Service, withoutServer } from "../../support/servers/service.ts";

const PASSWORD = "s3cret-of-the-test";

/** Collections of one target: memory is kept between them, and closed at the end. */
function targetOf(config: object): AsyncDisposable & { run(): ReturnType<typeof collect>; state: Context["state"] } {
  const state: Context["state"] = new Map();
  return {
    state,
    run: () => collect(mqttMonitor, config, { state, now: () => new Date() }),
    [Symbol.asyncDispose]: async () => mqttMonitor.close?.(state),
  };
}

it("ends when it is aborted while a broker is silent", () =>
  endsWhenAborted(mqttMonitor, (port) => ({ host: "127.0.0.1", port })));

it("says where nothing listens", async () =>
  fails(
    mqttMonitor,
    { host: "127.0.0.1", port: await freePort() },
    "unreachable",
    /^MQTT broker at 127.*nothing listens/,
  ));

it("takes nothing for a broker that is none", async () => {
  for (const [bytes, kind] of [
    ["HTTP/1.1 400 Bad Request\r\n\r\n", undefined],
    ["", "unreachable"],
    [new Uint8Array([0x20, 0x02, 0x00, 0x05]), "bad_data"],
    // A message that promises a quarter of a gigabyte, and begins.
    [new Uint8Array([0x30, 0xff, 0xff, 0xff, 0x7f, ...new Array(1_200_000).fill(0)]), "unreachable"],
  ] as const) {
    await using server = await answering(bytes);
    await assert.rejects(
      collect(mqttMonitor, { host: "127.0.0.1", port: server.port }),
      (error: { name: string; kind: string }) => {
        assert.equal(error.name, "CollectError");
        if (kind) assert.equal(error.kind, kind);
        return true;
      },
    );
  }
});

it("tells which topics a filter covers", () => {
  // The examples of MQTT 3.1.1, section 4.7.
  const cases: readonly [string, string, boolean][] = [
    ["sport/tennis/player1/#", "sport/tennis/player1", true],
    ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
    ["sport/#", "sport", true],
    ["sport/tennis/+", "sport/tennis/player1", true],
    ["sport/tennis/+", "sport/tennis/player1/ranking", false],
    ["sport/+", "sport", false],
    ["sport/+", "sport/", true],
    ["+/+", "/finance", true],
    ["/+", "/finance", true],
    ["+", "/finance", false],
    ["#", "$SYS/broker/uptime", false],
    ["$SYS/#", "$SYS/broker/uptime", true],
    ["a/b", "a/b", true],
    ["a/b", "a/c", false],
  ];
  for (const [filter, topic, expected] of cases) assert.equal(covers(filter, topic), expected, `${filter} ${topic}`);
  const config = (topic: string) => mqttMonitor.config.safeParse({ topics: [{ topic }] }).success;
  assert.deepEqual(["a/+/b", "#", "a/#", "+", "a"].map(config), [true, true, true, true, true]);
  assert.deepEqual(["a/#/b", "a#", "a+/b", "", "a\0"].map(config), [false, false, false, false, false]);
});

it("reads values of any payload without throwing, and never anything but a finite number", () => {
  const value = (text: string, field?: string) => readValue(Buffer.from(text), field);
  assert.deepEqual([value("21.5"), value(" -3 "), value("ON"), value("offline"), value("1e3")], [21.5, -3, 1, 0, 1000]);
  assert.deepEqual(
    [value("n/a"), value(""), value("1e999"), value("NaN"), value("{}")],
    [undefined, undefined, undefined, undefined, undefined],
  );
  const json = '{"temperature":21.5,"battery":{"low":false,"level":"87"},"a.b":1}';
  assert.deepEqual(
    ["temperature", "battery.low", "battery.level", "none", "battery"].map((field) => value(json, field)),
    [21.5, 0, 87, undefined, undefined],
  );
  fc.assert(
    fc.property(fc.uint8Array(), fc.option(fc.string(), { nil: undefined }), (bytes, field) => {
      assert.ok(Number.isFinite(readValue(Buffer.from(bytes), field) ?? 0));
    }),
  );
});

it("keeps as many topics as are declared, and counts the others", () => {
  const topics = createTopics([{ topic: "#" }], () => new Date());
  for (let n = 0; n < MAX_TOPICS + 7; n++) topics.take(`t/${n}`, Buffer.from("1"), false);
  assert.equal(topics.samples().filter(({ metric }) => metric === "mqtt_topic_value").length, MAX_TOPICS);
  assert.deepEqual(topics.rejected(), [{ reason: "too_many_topics", detail: `more than ${MAX_TOPICS}`, count: 7 }]);
});

it("asks another broker just the same", async () => {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  {
    await using target = targetOf({ host: "127.0.0.1", port, topics: [{ topic: "hall/+" }] });
    assert.ok((await target.run()).value("mqtt_round_trip_seconds") < 5);
    const say = (payload: string) =>
      new Promise<void>((resolve) => {
        broker.publish({ cmd: "publish", topic: "hall/light", payload, qos: 0, retain: false, dup: false }, () =>
          resolve(),
        );
      });
    await say("on");
    await say("off");
    await eventually(async () => {
      const found = await target.run();
      assert.equal(found.value("mqtt_topic_messages_total", { topic: "hall/light" }), 2);
      assert.equal(found.value("mqtt_topic_value", { topic: "hall/light" }), 0);
    });
    assert.equal(broker.connectedClients, 1, "one connection for all runs");
  }
  await eventually(() => assert.equal(broker.connectedClients, 0, "and none after the last"));
  await new Promise<void>((resolve) => broker.close(() => resolve()));
  server.close();
});

describe("a real mosquitto", { skip: withoutServer("mosquitto") }, () => {
  let server: Service;
  let publisher: mqtt.MqttClient;
  const on = (more: object = {}) => ({ host: "127.0.0.1", port: server.port, ...more });

  before(async () => {
    server = await startMosquitto("allow_anonymous true");
    publisher = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`);
    publisher.on("error", () => undefined);
  });
  after(async () => {
    publisher.end(true);
    await server[Symbol.asyncDispose]();
  });

  it("is reported as it is", async () => {
    await using target = targetOf(on());
    const found = await target.run();
    assert.deepEqual(found.rejected, []);
    assert.match(Object.keys(found.by("mqtt_info", "version"))[0] ?? "", /^mosquitto version \d/);
    assert.ok(found.value("mqtt_connect_seconds") > 0);
    // It counts every second.
    await eventually(async () => {
      const now = await target.run();
      assert.equal(now.value("mqtt_clients_connected"), 2);
      assert.ok(now.value("mqtt_uptime_seconds") > 0);
    });
  });

  it("counts ten messages as ten", async () => {
    await using target = targetOf(on());
    const published = async () => (await target.run()).value("mqtt_publish_received_total");
    const before = await eventually(published);
    for (let n = 0; n < 10; n++) await publisher.publishAsync("count/me", "x", { qos: 1 });
    await eventually(async () => assert.equal(await published(), before + 10));
    const found = await target.run();
    const absent = Object.keys(mqttMonitor.metrics).filter((metric) => !found.metrics.includes(metric));
    assert.deepEqual(
      absent.filter((metric) => !metric.startsWith("mqtt_topic_")),
      [],
    );
  });

  it("shows values that were retained, and those that come between two collections", async () => {
    await publisher.publishAsync("house/hall", '{"temperature":21.5,"contact":true}', { retain: true });
    const fields = ["temperature", "contact"].map((field) => ({ topic: "house/+", field }));
    await using target = targetOf(on({ broker_statistics: false, topics: [...fields, { topic: "door" }] }));
    const first = await target.run();
    assert.deepEqual(first.by("mqtt_topic_value", "field"), { temperature: 21.5, contact: 1 });
    // When it was sent, nobody tells.
    assert.ok(!first.metrics.includes("mqtt_topic_last_message_timestamp_seconds"));
    assert.ok(!first.metrics.includes("mqtt_clients_connected"));
    for (const payload of ['{"temperature":22}', '{"temperature":23.25,"contact":false}'])
      await publisher.publishAsync("house/hall", payload, { qos: 1 });
    await publisher.publishAsync("door", "ajar", { qos: 1 });
    const second = await eventually(async () => {
      const now = await target.run();
      assert.equal(now.value("mqtt_topic_messages_total", { topic: "door" }), 1);
      return now;
    });
    assert.deepEqual(second.by("mqtt_topic_value", "field"), { temperature: 23.25, contact: 0 });
    assert.equal(second.value("mqtt_topic_messages_total", { topic: "house/hall" }), 2);
    const at = second.value("mqtt_topic_last_message_timestamp_seconds", { topic: "house/hall" });
    assert.ok(Math.abs(at - Date.now() / 1000) < 30);
    assert.deepEqual(second.rejected, [{ reason: "not_a_number", detail: "the last message of door" }]);
  });

  it("with users is asked as one of them, who is told what is not granted", async () => {
    using folder = temporaryFolder();
    folder.write("acl", "user gleaner\ntopic read house/#\n");
    execFileSync("mosquitto_passwd", ["-b", "-c", folder.at("users"), "gleaner", PASSWORD], { stdio: "pipe" });
    await using closed = await startMosquitto(`password_file ${folder.at("users")}`, `acl_file ${folder.at("acl")}`);
    const there = { host: "127.0.0.1", port: closed.port };
    folder.write("password", `${PASSWORD}\n`);
    await using target = targetOf({
      ...there,
      user: "gleaner",
      password_file: folder.at("password"),
      topics: [{ topic: "house/hall" }],
    });
    const found = await target.run();
    assert.ok(found.value("mqtt_round_trip_seconds") > 0);
    assert.ok(!found.metrics.includes("mqtt_info"), "its access list hides the statistics");
    await fails(
      mqttMonitor,
      { ...there, user: "gleaner", password: "wr0ng" },
      "bad_data",
      /check user and password/,
      "wr0ng",
    );
    await fails(mqttMonitor, there, "bad_data", /check user and password/);
  });

  it("over TLS must prove who it is", async () => {
    using folder = temporaryFolder();
    const authority = makeAuthority(folder, "authority");
    const { file } = authority.issue("server", { host: "IP:127.0.0.1" });
    await using secure = await startMosquitto(
      "allow_anonymous true",
      `certfile ${file}`,
      `keyfile ${folder.at("server.key")}`,
    );
    const there = { host: "127.0.0.1", port: secure.port };
    await using target = targetOf({ ...there, tls: "on", tls_ca_file: authority.file });
    assert.ok((await target.run()).value("mqtt_round_trip_seconds") > 0);
    await using careless = targetOf({ ...there, tls: "unverified" });
    assert.ok((await careless.run()).value("mqtt_round_trip_seconds") > 0);
    await fails(mqttMonitor, { ...there, tls: "on" }, "unreachable", /certificate is not trusted.*tls_ca_file/);
    await fails(mqttMonitor, there, "unreachable", /closed the connection/);
  });

  it("that stands still ends with the deadline, and the connection with it; killed and back it is found again", async () => {
    await using target = targetOf(on({ topics: [{ topic: "house/hall", field: "temperature" }] }));
    await target.run();
    server.signal("SIGSTOP");
    const deadline = AbortSignal.timeout(100);
    await assert.rejects(collect(mqttMonitor, on(), { signal: deadline, state: target.state }), {
      name: "TimeoutError",
    });
    server.signal("SIGCONT");
    assert.ok((await target.run()).value("mqtt_round_trip_seconds") > 0);
    await server.kill();
    await assert.rejects(
      eventually(() => target.run(), 300),
      { kind: "unreachable" },
    );
    await server.start();
    const found = await eventually(() => target.run());
    // What was seen before is not lost with the connection.
    assert.equal(found.value("mqtt_topic_value", { topic: "house/hall" }), 21.5);
  });
});
