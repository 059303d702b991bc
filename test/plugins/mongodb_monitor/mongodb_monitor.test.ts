// There is no MongoDB in Debian: a small server speaks the protocol, login and TLS included, and answers with what real ones
// said. serverStatus: the numbers of a primary of 6.0.3, uptime and lock times added. replSetGetStatus: a secondary of 4.2,
// and dbStats: of 4.4, both shortened.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import fc from "fast-check";
import { BSON } from "mongodb";
import { leftOpen } from "../../../src/contract/left-open.ts";
import { readDatabase, readReplicaSet, readStatus } from "../../../src/plugins/mongodb/answers.ts";
import { mongodbMonitor } from "../../../src/plugins/mongodb_monitor.ts";
import { makeAuthority } from "../../faults/support/certificates.ts";
import { answering, collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { type Answers, type MongoOptions, serveMongo } from "../../support/servers/mongo.ts";
import { freePort } from "../../support/servers/port.ts";

const PASSWORD = "s3cret of the test";

const recorded = (name: string) =>
  BSON.EJSON.parse(readFileSync(join(import.meta.dirname, "recorded", `${name}.json`), "utf8"), {
    relaxed: false,
  }) as Record<string, unknown>;

const STATUS = recorded("serverStatus");
const SET = recorded("replSetGetStatus");
const DATABASES = ["admin", "config", "local", "test"].map((name) => ({ name }));

const LONE: Answers = {
  hello: () => ({ isWritablePrimary: true }),
  serverStatus: () => STATUS,
  listDatabases: () => ({ databases: DATABASES }),
  dbStats: (_, db) => ({ ...recorded("dbStats"), db }),
};
const SECONDARY: Answers = {
  ...LONE,
  hello: () => ({ isWritablePrimary: false, secondary: true, setName: "replset" }),
  replSetGetStatus: () => SET,
};

async function withServer<T>(
  answers: Answers,
  work: (config: { host: string; port: number }) => Promise<T>,
  options?: MongoOptions,
): Promise<T> {
  await using server = await serveMongo(answers, options);
  return await work({ host: "127.0.0.1", port: server.port });
}

it("ends when it is aborted while a server is silent", async () => {
  await endsWhenAborted(mongodbMonitor, (port) => ({ host: "127.0.0.1", port }));
  await endsWhenAborted(mongodbMonitor, (port) => ({ host: "127.0.0.1", port, tls: "on" }));
});

it("ends when it is aborted while a command is under way, and leaves nothing open", async () => {
  const deadline = new AbortController();
  const answers: Answers = {
    ...LONE,
    serverStatus() {
      deadline.abort(new Error("over"));
      return undefined;
    },
  };
  await using server = await serveMongo(answers);
  const left = await leftOpen(() =>
    assert.rejects(
      collect(mongodbMonitor, { host: "127.0.0.1", port: server.port }, { signal: deadline.signal }),
      /^Error: over$/,
    ),
  );
  assert.deepEqual(left, []);
});

it("leaves nothing open whenever it is aborted on its way to a server", () =>
  withServer(LONE, async (config) => {
    const left = await leftOpen(async () => {
      for (let turns = 0; turns < 30; turns++) {
        const deadline = new AbortController();
        const run = collect(mongodbMonitor, config, { signal: deadline.signal }).catch((error: Error) => error.message);
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
        deadline.abort(new Error("over"));
        const end = await run;
        assert.ok(end === "over" || typeof end === "object", String(end));
      }
    });
    assert.deepEqual(left, []);
  }));

it("says where nothing listens, at once", async () => {
  const begun = performance.now();
  await fails(
    mongodbMonitor,
    { host: "127.0.0.1", port: await freePort() },
    "unreachable",
    /^MongoDB at 127.*nothing listens/,
  );
  assert.ok(performance.now() - begun < 2_000);
});

it("takes nothing for a MongoDB that is none", async () => {
  for (const bytes of [
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "",
    new Uint8Array([16, 0, 0, 0, ...new Array(12).fill(0)]),
    new Uint8Array(100).fill(255),
  ]) {
    await using server = await answering(bytes);
    await assert.rejects(collect(mongodbMonitor, { host: "127.0.0.1", port: server.port }), { name: "CollectError" });
  }
});

it("brings what a lone server told", () =>
  withServer(LONE, async (config) => {
    const found = await collect(mongodbMonitor, config);
    assert.deepEqual(found.rejected, []);
    const expected: readonly [string, number, Record<string, string>?][] = [
      ["mongodb_info", 1, { version: "6.0.3", process: "mongod" }],
      ["mongodb_uptime_seconds", 634117],
      ["mongodb_connections", 47, { state: "current" }],
      ["mongodb_connections", 838813, { state: "available" }],
      ["mongodb_connections", 12, { state: "active" }],
      ["mongodb_connections_used_ratio", 47 / 838860],
      ["mongodb_connections_opened_total", 647],
      ["mongodb_operations_total", 715, { operation: "query" }],
      ["mongodb_operations_total", 58604, { operation: "getmore" }],
      ["mongodb_documents_total", 19422, { operation: "returned" }],
      ["mongodb_latency_seconds_total", 471.510947, { kind: "commands" }],
      ["mongodb_timed_operations_total", 58671, { kind: "reads" }],
      ["mongodb_queued_operations", 0, { kind: "writers" }],
      ["mongodb_requests_total", 1582075],
      ["mongodb_transmit_bytes_total", 7874806560],
      ["mongodb_assertions_total", 2149, { kind: "user" }],
      ["mongodb_memory_resident_bytes", 195 * 1024 * 1024],
      ["mongodb_cache_bytes", 4682708],
      ["mongodb_cache_limit_bytes", 7854882816],
      ["mongodb_primary", 1],
    ];
    for (const [metric, value, labels] of expected)
      assert.ok(Math.abs(found.value(metric, labels) - value) < 1e-9, `${metric} ${found.value(metric, labels)}`);
    assert.ok(!found.metrics.some((metric) => metric.includes("member")), "it has no replica set");
  }));

it("brings the replica set as a secondary sees it", async () => {
  const found = await withServer(SECONDARY, (config) => collect(mongodbMonitor, config));
  assert.equal(found.value("mongodb_primary"), 0);
  assert.equal(found.value("mongodb_replication_lag_seconds"), 0);
  const members = found.by("mongodb_members", "state");
  assert.deepEqual([members["primary"], members["secondary"], members["arbiter"], members["down"]], [1, 2, 1, 0]);
  assert.equal(Object.keys(found.by("mongodb_member_up", "member")).length, 4);
});

it("tells lag and loss of members", () => {
  // As the driver hands it over: numbers are numbers.
  const { members } = BSON.deserialize(BSON.serialize(SET)) as { members: Record<string, unknown>[] };
  const [primary, , self, other] = members;
  assert.ok(primary && self && other);
  self["optimeDate"] = new Date((primary["optimeDate"] as Date).getTime() - 90_000);
  Object.assign(other, { health: 0, state: 8 });
  const found = readReplicaSet({ members });
  const of = (metric: string) => found.filter((one) => one.metric === metric).map(({ value }) => value);
  assert.deepEqual(of("mongodb_replication_lag_seconds"), [90]);
  assert.deepEqual(of("mongodb_member_lag_seconds"), [90]);
  assert.deepEqual(of("mongodb_member_up"), [1, 1, 1, 0]);
  // Without a primary nobody knows who is how far behind.
  primary["state"] = 2;
  const orphaned = readReplicaSet({ members });
  assert.ok(!orphaned.some(({ metric }) => metric.includes("lag")));
});

it("measures databases, and leaves out one that may not be looked at", () => {
  const answers: Answers = {
    ...LONE,
    dbStats: (command, db) =>
      db === "config"
        ? { code: 13, codeName: "Unauthorized", errmsg: "not authorized on config" }
        : { ...recorded("dbStats"), db, command: command["dbStats"] },
  };
  return withServer(answers, async (config) => {
    const found = await collect(mongodbMonitor, config, { job: "databases" });
    assert.equal(found.value("mongodb_databases"), 4);
    assert.deepEqual(Object.keys(found.by("mongodb_database_disk_bytes", "database")), ["admin", "local", "test"]);
    assert.equal(found.value("mongodb_database_disk_bytes", { database: "test" }), 99999);
    assert.equal(found.value("mongodb_database_data_bytes", { database: "test" }), 8708);
    assert.equal(found.value("mongodb_database_documents", { database: "test" }), 316);
    assert.deepEqual(found.rejected, [
      {
        reason: "part_failed",
        detail: `dbStats of config: MongoDB at 127.0.0.1:${config.port}: not authorized on config; log in as a user with the role clusterMonitor`,
      },
    ]);
  });
});

it("logs in, and says what is wrong with another password", () =>
  withServer(
    LONE,
    async (config) => {
      using folder = temporaryFolder();
      folder.write("password", `${PASSWORD}\n`);
      const user = { ...config, user: "gleaner" };
      assert.equal((await collect(mongodbMonitor, { ...user, password: PASSWORD })).value("mongodb_primary"), 1);
      assert.equal(
        (await collect(mongodbMonitor, { ...user, password_file: folder.at("password") })).value("mongodb_primary"),
        1,
      );
      await fails(
        mongodbMonitor,
        { ...user, password: "wr0ng" },
        "bad_data",
        /Authentication failed.*check user, password and auth_database/,
        "wr0ng",
      );
      await fails(mongodbMonitor, config, "bad_data", /requires authentication.*role clusterMonitor/);
    },
    { login: { user: "gleaner", password: PASSWORD } },
  ));

it("over TLS wants to know who the server is", async () => {
  using folder = temporaryFolder();
  const authority = makeAuthority(folder, "authority");
  const tls = authority.issue("server", { host: "IP:127.0.0.1" });
  await withServer(
    LONE,
    async (config) => {
      const trusted = { ...config, tls: "on", tls_ca_file: authority.file };
      assert.equal((await collect(mongodbMonitor, trusted)).value("mongodb_primary"), 1);
      assert.equal((await collect(mongodbMonitor, { ...config, tls: "unverified" })).value("mongodb_primary"), 1);
      await fails(mongodbMonitor, { ...config, tls: "on" }, "unreachable", /certificate is not trusted.*tls_ca_file/);
    },
    { tls },
  );
  const other = authority.issue("other", { host: "IP:127.0.0.2" });
  await withServer(
    LONE,
    (config) =>
      fails(
        mongodbMonitor,
        { ...config, tls: "on", tls_ca_file: authority.file },
        "unreachable",
        /certificate is for another host/,
      ),
    { tls: other },
  );
});

it("makes nothing but finite numbers of any answer", () => {
  const anything = fc.anything({ withDate: true, withBigInt: true });
  const member = fc.record(
    { name: anything, health: anything, state: anything, optimeDate: anything, self: anything },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.record({ connections: anything, mem: anything, opcounters: anything, wiredTiger: anything }),
      fc.array(member),
      (status, members) => {
        for (const { value } of [...readStatus(status), ...readReplicaSet({ members }), ...readDatabase("a", status)])
          assert.ok(Number.isFinite(value));
      },
    ),
    { examples: [[{ connections: [], mem: 0, opcounters: {}, wiredTiger: {} }, [{ name: [{ toString: 1 }] }]]] },
  );
});
