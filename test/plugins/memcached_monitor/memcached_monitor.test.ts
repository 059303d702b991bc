// On real servers: a plain one, one with users, one over TLS, one that is full, and one that is killed.
import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { after, before, describe, it } from "node:test";
import { memcachedMonitor } from "../../../src/plugins/memcached_monitor.ts";
import { makeAuthority } from "../../faults/support/certificates.ts";
import { answering, collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { startMemcached } from "../../support/servers/memcached.ts";
import { freePort } from "../../support/servers/port.ts";
import { type Service, withoutServer } from "../../support/servers/service.ts";

const PASSWORD = "s3cret-of-the-test";

/** Sends lines as a client would and returns all that was answered. */
async function say(port: number, ...lines: readonly string[]): Promise<string> {
  const socket = createConnection(port, "127.0.0.1");
  socket.write([...lines, "quit", ""].join("\r\n"));
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

it("ends when it is aborted while a server is silent", () =>
  endsWhenAborted(memcachedMonitor, (port) => ({ host: "127.0.0.1", port })));

it("says where nothing listens", async () =>
  fails(
    memcachedMonitor,
    { host: "127.0.0.1", port: await freePort() },
    "unreachable",
    /^memcached at 127.*nothing listens/,
  ));

it("takes nothing for a memcached that is none", async () => {
  const cases: readonly [string | Uint8Array, "bad_data" | "unreachable", RegExp][] = [
    ["HTTP/1.1 400 Bad Request\r\n\r\n", "bad_data", /no memcached/],
    ["STAT pid\r\n", "bad_data", /no memcached/],
    ["STAT pid 1\r\n", "unreachable", /closed the connection/],
    ["STAT pid 1\r\n".repeat(2000), "bad_data", /no end of statistics/],
    ["ERROR\r\n", "bad_data", /^memcached at 127\.0\.0\.1:\d+: ERROR$/],
    ["SERVER_ERROR out of memory\r\n", "bad_data", /out of memory/],
    [new Uint8Array(100_000).fill(0), "bad_data", /a line is longer/],
  ];
  for (const [bytes, kind, message] of cases) {
    await using server = await answering(bytes);
    await fails(memcachedMonitor, { host: "127.0.0.1", port: server.port }, kind, message);
  }
});

it("wants user and password together", () => {
  for (const config of [{ user: "a" }, { password: "a" }, { password_file: "a" }])
    assert.match(memcachedMonitor.config.safeParse(config).error?.issues[0]?.message ?? "", /only make sense together/);
});

describe("a real memcached", { skip: withoutServer("memcached") }, () => {
  let server: Service;
  const on = (more: object = {}) => ({ host: "127.0.0.1", port: server.port, ...more });

  before(async () => {
    server = await startMemcached("-m", "8", "-c", "64");
  });
  after(() => server[Symbol.asyncDispose]());

  it("counts items, hits and misses as they were", async () => {
    const before = await collect(memcachedMonitor, on());
    const sets = Array.from({ length: 10 }, (_, n) => `set key${n} 0 0 5\r\nvalue`);
    const gets = Array.from({ length: 7 }, (_, n) => `get key${n}`);
    await say(server.port, ...sets, ...gets, "get none", "get none", "incr none 1");
    const found = await collect(memcachedMonitor, on());
    const grown = (metric: string, command?: string) =>
      found.value(metric, command ? { command } : {}) - before.value(metric, command ? { command } : {});
    assert.equal(found.value("memcached_items"), 10);
    assert.equal(grown("memcached_items_stored_total"), 10);
    assert.equal(grown("memcached_commands_total", "set"), 10);
    assert.equal(grown("memcached_commands_total", "get"), 9);
    assert.equal(grown("memcached_hits_total", "get"), 7);
    assert.equal(grown("memcached_misses_total", "get"), 2);
    assert.equal(grown("memcached_misses_total", "incr"), 1);
    // Who looked whether it was ready may be counted late.
    assert.ok(grown("memcached_connections_opened_total") >= 2);
    assert.ok(grown("memcached_receive_bytes_total") > 200);
    assert.equal(found.value("memcached_limit_bytes"), 8 * 1024 * 1024);
    assert.equal(found.value("memcached_used_ratio"), found.value("memcached_stored_bytes") / (8 * 1024 * 1024));
    assert.deepEqual(
      Object.keys(memcachedMonitor.metrics).filter((metric) => !found.metrics.includes(metric)),
      [],
    );
    const version = /VERSION (\S+)/.exec(await say(server.port, "version"))?.[1] ?? "";
    assert.equal(found.value("memcached_info", { version }), 1);
  });

  it("that runs over its memory counts what it drops", async () => {
    const value = "v".repeat(100_000);
    const sets = Array.from({ length: 150 }, (_, n) => `set big${n} 0 0 ${value.length}\r\n${value}`);
    await say(server.port, ...sets);
    const found = await collect(memcachedMonitor, on());
    assert.ok(found.value("memcached_evictions_total") > 50);
    assert.ok(found.value("memcached_used_ratio") > 0.5);
  });

  it("with users is asked as one of them", async () => {
    using folder = temporaryFolder();
    folder.write("users", `gleaner:${PASSWORD}\n`);
    folder.write("password", `${PASSWORD}\n`);
    await using closed = await startMemcached("-Y", folder.at("users"));
    const there = { host: "127.0.0.1", port: closed.port };
    await collect(memcachedMonitor, { ...there, user: "gleaner", password: PASSWORD });
    const found = await collect(memcachedMonitor, { ...there, user: "gleaner", password_file: folder.at("password") });
    assert.equal(found.value("memcached_authentication_failures_total"), 0);
    await fails(memcachedMonitor, there, "bad_data", /unauthenticated; check user and password/);
    const wrong = { ...there, user: "gleaner", password: "wr0ng" };
    await fails(memcachedMonitor, wrong, "bad_data", /authentication failure; check user and password/, "wr0ng");
  });

  it("over TLS must prove who it is", async () => {
    using folder = temporaryFolder();
    const authority = makeAuthority(folder, "authority");
    const { file } = authority.issue("server", { host: "IP:127.0.0.1" });
    const files = `ssl_chain_cert=${file},ssl_key=${folder.at("server.key")}`;
    await using secure = await startMemcached("-Z", "-o", files);
    const there = { host: "127.0.0.1", port: secure.port };
    const found = await collect(memcachedMonitor, { ...there, tls: "on", tls_ca_file: authority.file });
    assert.equal(found.value("memcached_accepting_connections"), 1);
    await fails(memcachedMonitor, { ...there, tls: "on" }, "unreachable", /certificate is not trusted/);
  });

  it("that is killed is unreachable, and is found again when it is back", async () => {
    await server.kill();
    await fails(memcachedMonitor, on(), "unreachable", /nothing listens/);
    await server.start();
    await eventually(async () => assert.equal((await collect(memcachedMonitor, on())).value("memcached_items"), 0));
  });
});
