// On real servers: a primary with a password and over TLS, its replica, one that cannot save, and one that is killed.
import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { parseInfo, samplesOfInfo } from "../../../src/plugins/redis/info.ts";
import { encodeCommand } from "../../../src/plugins/redis/resp.ts";
import { redisMonitor } from "../../../src/plugins/redis_monitor.ts";
import { makeAuthority } from "../../faults/support/certificates.ts";
import { answering, collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { freePort } from "../../support/servers/port.ts";
import { startRedis } from "../../support/servers/redis.ts";
import { type Service, withoutServer } from "../../support/servers/service.ts";

/** Every byte that a line-based encoding of the password would trip over. */
const PASSWORD = "s3cret of \"the\" 'test'\\ with $5 %41 and ü";

/** Sends commands as a client would and waits for as many answers. */
async function command(port: number, ...commands: readonly (readonly string[])[]): Promise<string> {
  const socket = createConnection(port, "127.0.0.1");
  socket.write(commands.map((one) => encodeCommand(...one)).join(""));
  socket.write(encodeCommand("QUIT"));
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

it("ends when it is aborted while a server is silent", async () => {
  await endsWhenAborted(redisMonitor, (port) => ({ host: "127.0.0.1", port }));
  await endsWhenAborted(redisMonitor, (port) => ({ host: "127.0.0.1", port, tls: "on" }));
});

it("says where nothing listens", async () => {
  const port = await freePort();
  await fails(redisMonitor, { host: "127.0.0.1", port }, "unreachable", /^Redis at 127\.0\.0\.1:\d+: nothing listens/);
  await fails(
    redisMonitor,
    { host: "/nonexistent.sock" },
    "unreachable",
    /\/nonexistent\.sock: there is no such socket/,
  );
});

it("takes nothing for a Redis that is none", async () => {
  const cases: readonly [string | Uint8Array, "bad_data" | "unreachable", RegExp][] = [
    ["HTTP/1.1 400 Bad Request\r\n\r\n", "bad_data", /no Redis/],
    ["$-1\r\n", "bad_data", /no Redis/],
    ["$99999999999\r\n", "bad_data", /no Redis/],
    ["$2000000\r\n", "bad_data", /no Redis/],
    ["*1\r\n$4\r\nPING\r\n", "bad_data", /no Redis/],
    ["$5\r\nab", "unreachable", /closed the connection/],
    ["", "unreachable", /closed the connection/],
    ["+OK\r\n", "bad_data", /no Redis/],
    [new Uint8Array(200_000).fill(0x61), "bad_data", /a line is longer/],
    [new Uint8Array([0xff, 0xfe, 0x0d, 0x0a]), "bad_data", /no Redis/],
  ];
  for (const [bytes, kind, message] of cases) {
    await using server = await answering(bytes);
    await fails(redisMonitor, { host: "127.0.0.1", port: server.port }, kind, message);
  }
});

it("reads any INFO without throwing, and never anything but finite numbers", () => {
  const field = fc.oneof(
    fc.constantFrom("used_memory", "maxmemory", "db0", "db99999", "role", "__proto__", "constructor", "redis_version"),
    fc.string(),
  );
  const value = fc.oneof(fc.string(), fc.double().map(String), fc.constantFrom("keys=1,expires=2", "NaN", "1e999", ""));
  fc.assert(
    fc.property(fc.array(fc.tuple(field, value)), (lines) => {
      const text = lines.map(([key, text]) => `${key}:${text}`).join("\r\n");
      for (const { value: number } of samplesOfInfo(parseInfo(text))) assert.ok(Number.isFinite(number), text);
    }),
  );
});

it("takes Valkey's own version", () => {
  // As answered by Valkey 8.0.1.
  const info = parseInfo(
    "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\nserver_mode:standalone\r\n",
  );
  assert.equal(samplesOfInfo(info)[0]?.labels?.["version"], "8.0.1");
});

it("refuses two passwords", () => {
  const { error } = redisMonitor.config.safeParse({ password: "a", password_file: "b" });
  assert.match(error?.issues[0]?.message ?? "", /only one of password and password_file/);
});

describe("a real Redis", { skip: withoutServer("redis-server") }, () => {
  let server: Service;
  const on = (more: object = {}) => ({ host: "127.0.0.1", port: server.port, ...more });

  before(async () => {
    server = await startRedis(
      "--maxmemory",
      "50mb",
      "--enable-protected-configs",
      "local",
      "--repl-diskless-sync-delay",
      "0",
    );
  });
  after(() => server[Symbol.asyncDispose]());

  it("counts keys, hits, misses and commands as they were", async () => {
    const before = await collect(redisMonitor, on());
    const sets = Array.from({ length: 10 }, (_, n) => ["SET", `key${n}`, "value"]);
    const gets = Array.from({ length: 7 }, (_, n) => ["GET", `key${n}`]);
    await command(server.port, ...sets, ...gets, ["GET", "none"], ["EXPIRE", "key0", "1000"], ["NONSENSE"]);
    const found = await collect(redisMonitor, on());
    const grown = (metric: string) => found.value(metric) - before.value(metric);
    assert.deepEqual(found.rejected, []);
    assert.equal(found.value("redis_keys", { database: "0" }), 10);
    assert.equal(found.value("redis_keys_expiring", { database: "0" }), 1);
    assert.equal(grown("redis_keyspace_hits_total"), 7);
    assert.equal(grown("redis_keyspace_misses_total"), 1);
    assert.equal(grown("redis_error_replies_total"), 1);
    // The two connections are ours and the collection's own.
    assert.equal(grown("redis_connections_received_total"), 2);
    assert.ok(grown("redis_commands_total") >= 19);
    assert.ok(grown("redis_receive_bytes_total") > 500);
    assert.equal(found.value("redis_changes_since_last_save"), 11);
  });

  it("is reported as it is", async () => {
    const found = await collect(redisMonitor, on());
    const version = /redis_version:(\S+)/.exec(await command(server.port, ["INFO"]))?.[1] ?? "";
    assert.equal(found.value("redis_info", { version, mode: "standalone" }), 1);
    assert.equal(found.value("redis_memory_max_bytes"), 50 * 1024 * 1024);
    assert.equal(
      found.value("redis_memory_limit_used_ratio"),
      found.value("redis_memory_used_bytes") / found.value("redis_memory_max_bytes"),
    );
    assert.equal(found.value("redis_max_clients"), 10_000);
    assert.equal(found.value("redis_primary"), 1);
    assert.equal(found.value("redis_last_save_ok"), 1);
    assert.equal(found.value("redis_connected_clients"), 1);
    assert.ok(found.value("redis_cpu_seconds_total", { mode: "user" }) >= 0);
    // Everything but what only a replica has.
    const absent = Object.keys(redisMonitor.metrics).filter((metric) => !found.metrics.includes(metric));
    assert.deepEqual(absent, ["redis_primary_link_up", "redis_primary_last_heard_seconds"]);
  });

  it("that cannot save says so", async () => {
    await command(server.port, ["CONFIG", "SET", "dir", "/proc"], ["SET", "a", "b"], ["BGSAVE"]);
    await eventually(async () => assert.equal((await collect(redisMonitor, on())).value("redis_last_save_ok"), 0));
    await command(server.port, ["CONFIG", "SET", "dir", server.folder], ["BGSAVE"]);
    await eventually(async () => assert.equal((await collect(redisMonitor, on())).value("redis_last_save_ok"), 1));
  });

  it("and its replica tell of each other", async () => {
    await using replica = await startRedis("--replicaof", `127.0.0.1 ${server.port}`);
    await eventually(async () => {
      assert.equal((await collect(redisMonitor, on())).value("redis_replicas"), 1);
      const found = await collect(redisMonitor, { host: "127.0.0.1", port: replica.port });
      assert.equal(found.value("redis_primary"), 0);
      assert.equal(found.value("redis_primary_link_up"), 1);
      assert.ok(found.value("redis_primary_last_heard_seconds") < 20);
    });
    await command(replica.port, ["REPLICAOF", "127.0.0.1", `${await freePort()}`]);
    const lost = await collect(redisMonitor, { host: "127.0.0.1", port: replica.port });
    assert.equal(lost.value("redis_primary_link_up"), 0);
  });

  it("that has no place left says so", async () => {
    await command(server.port, ["CONFIG", "SET", "maxclients", "1"]);
    const holder = createConnection(server.port, "127.0.0.1");
    holder.write(encodeCommand("PING"));
    await new Promise((resolve) => holder.once("data", resolve));
    await fails(redisMonitor, on(), "unreachable", /max number of clients reached/);
    holder.end(encodeCommand("CONFIG", "SET", "maxclients", "100"));
    for await (const _ of holder);
  });

  it("lets a user who may do only INFO see what INFO tells", async () => {
    await command(server.port, ["ACL", "SETUSER", "few", "on", `>${PASSWORD}`, "+info"]);
    await command(server.port, ["ACL", "SETUSER", "none", "on", `>${PASSWORD}`]);
    const few = await collect(redisMonitor, on({ user: "few", password: PASSWORD }));
    assert.equal(few.value("redis_primary"), 1);
    assert.equal(few.rejected.length, 1);
    assert.match(few.rejected[0]?.detail ?? "", /NOPERM.*allow the user `\+info \+slowlog\|len`/);
    await fails(redisMonitor, on({ user: "none", password: PASSWORD }), "bad_data", /NOPERM.*allow the user/, PASSWORD);
  });

  it("with a password is asked with it, and says what is wrong with another", async () => {
    using folder = temporaryFolder();
    folder.write("password", `${PASSWORD}\n`);
    await fails(redisMonitor, on({ password: PASSWORD }), "bad_data", /check user and password/, PASSWORD);
    await command(server.port, ["CONFIG", "SET", "requirepass", PASSWORD]);
    await collect(redisMonitor, on({ password: PASSWORD }));
    await collect(redisMonitor, on({ password_file: join(folder.path, "password") }));
    await fails(redisMonitor, on(), "bad_data", /NOAUTH.*set a password/);
    await fails(redisMonitor, on({ password: "wr0ng" }), "bad_data", /WRONGPASS.*check user and password/, "wr0ng");
  });

  it("over TLS must prove who it is", async () => {
    using folder = temporaryFolder();
    const authority = makeAuthority(folder, "authority");
    authority.issue("server", { host: "IP:127.0.0.1" });
    authority.issue("other", { host: "DNS:other.example" });
    const tlsPort = await freePort();
    const files = (name: string) => [
      "--tls-cert-file",
      folder.at(`${name}.pem`),
      "--tls-key-file",
      folder.at(`${name}.key`),
    ];
    const args = ["--tls-port", `${tlsPort}`, "--tls-ca-cert-file", authority.file, "--tls-auth-clients", "no"];
    await using secure = await startRedis(...args, ...files("server"));
    const there = { host: "127.0.0.1", port: tlsPort };
    const trusted = { ...there, tls: "on", tls_ca_file: authority.file };
    assert.equal((await collect(redisMonitor, trusted)).value("redis_primary"), 1);
    assert.equal((await collect(redisMonitor, { ...there, tls: "unverified" })).value("redis_primary"), 1);
    await fails(redisMonitor, { ...there, tls: "on" }, "unreachable", /certificate is not trusted.*tls_ca_file/);
    await fails(redisMonitor, there, "unreachable", /closed the connection/);
    await command(secure.port, [
      "CONFIG",
      "SET",
      "tls-cert-file",
      folder.at("other.pem"),
      "tls-key-file",
      folder.at("other.key"),
    ]);
    await fails(redisMonitor, trusted, "unreachable", /certificate is for another host name/);
  });

  it("over its unix socket is the same", async () => {
    using folder = temporaryFolder();
    await using local = await startRedis("--unixsocket", folder.at("redis.sock"));
    const found = await collect(redisMonitor, { host: folder.at("redis.sock") });
    assert.equal(found.value("redis_primary"), 1);
    assert.ok(local.port > 0);
  });

  it("that stands still ends with the deadline, and one that is killed is unreachable", async () => {
    server.signal("SIGSTOP");
    const deadline = AbortSignal.timeout(100);
    await assert.rejects(collect(redisMonitor, on({ password: PASSWORD }), { signal: deadline }), {
      name: "TimeoutError",
    });
    server.signal("SIGCONT");
    await server.kill();
    await fails(redisMonitor, on({ password: PASSWORD }), "unreachable", /nothing listens/, PASSWORD);
    await server.start();
    assert.equal((await collect(redisMonitor, on())).value("redis_primary"), 1);
  });
});
