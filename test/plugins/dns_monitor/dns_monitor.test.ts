// On real servers: dnsmasq over UDP and TCP, unbound over TLS and its control channel; a datagram server for what none sends.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { parseUnbound } from "../../../src/plugins/dns/unbound.ts";
import { dnsMonitor } from "../../../src/plugins/dns_monitor.ts";
import { makeAuthority } from "../../faults/support/certificates.ts";
import { collect, fails, type Harvest } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { contextOf } from "../../support/plugins.ts";
import { startDnsmasq, startUnbound, type TestServer } from "../../support/servers/dns.ts";
import { freePort } from "../../support/servers/port.ts";
import { withoutServer } from "../../support/servers/service.ts";

const ask = (port: number, queries: readonly object[], more: object = {}): Promise<Harvest> =>
  collect(dnsMonitor, { server: "127.0.0.1", port, queries, ...more });

/** 2,400 characters: more than a datagram is let hold. */
const LONG = Array.from({ length: 12 }, (_, i) => `${i}`.padEnd(200, "x"));

/** The one result of a query that is 1. */
const resultOf = (harvest: Harvest, query: string, record = "A"): string => {
  const results = "ok no_answer unexpected nxdomain servfail refused other malformed timeout unreachable".split(" ");
  const told = results.filter((result) => harvest.value("dns_query_result", { query, record, result }) === 1);
  assert.equal(told.length, 1);
  assert.equal(harvest.value("dns_query_success", { query, record }), Number(told[0] === "ok"));
  return told[0] ?? "";
};

describe("dnsmasq", { skip: withoutServer("dnsmasq") }, () => {
  const folder = temporaryFolder();
  let server: TestServer;
  before(async () => {
    server = await startDnsmasq(folder, [
      "--address=/kit.test/192.0.2.7",
      "--address=/kit.test/2001:db8::7",
      "--address=/gone.test/",
      "--mx-host=kit.test,mail.kit.test,10",
      `--txt-record=big.test,${LONG.join(",")}`,
      "--local=/plain.test/",
      "--host-record=plain.test,192.0.2.1",
      "--srv-host=_gleaner._tcp.kit.test,kit.test,9470",
    ]);
  });
  after(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });

  it("answers as expected", async () => {
    const harvest = await ask(server.port, [
      { name: "kit.test", expect: ["192.0.2.7"] },
      { name: "kit.test", record: "AAAA", expect: ["2001:db8::7"] },
      { name: "kit.test", record: "MX", expect: ["MAIL.kit.test."] },
      { name: "_gleaner._tcp.kit.test", record: "SRV", expect: ["kit.test"] },
    ]);
    assert.equal(resultOf(harvest, "kit.test"), "ok");
    assert.equal(resultOf(harvest, "kit.test", "AAAA"), "ok");
    assert.equal(resultOf(harvest, "kit.test", "MX"), "ok");
    assert.equal(resultOf(harvest, "_gleaner._tcp.kit.test", "SRV"), "ok");
    assert.equal(harvest.value("dns_answers", { query: "kit.test", record: "A" }), 1);
    const took = harvest.value("dns_query_seconds", { query: "kit.test", record: "A" });
    assert.ok(took > 0 && took < 2, `${took}`);
  });

  it("says how a query fails", async () => {
    const harvest = await ask(server.port, [
      { name: "kit.test", expect: ["192.0.2.8"] },
      { name: "gone.test" },
      { name: "plain.test", record: "TXT" },
      { name: "elsewhere.example" },
    ]);
    assert.equal(resultOf(harvest, "kit.test"), "unexpected");
    assert.equal(resultOf(harvest, "gone.test"), "nxdomain");
    assert.equal(resultOf(harvest, "plain.test", "TXT"), "no_answer");
    assert.equal(resultOf(harvest, "elsewhere.example"), "refused");
  });

  it("turns to TCP for an answer that fits no datagram, and asks over TCP when told", async () => {
    const expect = [LONG.join("")];
    for (const transport of ["udp", "tcp"])
      assert.equal(
        resultOf(
          await ask(server.port, [{ name: "big.test", record: "TXT", expect }], { transport }),
          "big.test",
          "TXT",
        ),
        "ok",
      );
  });
});

describe("unbound", { skip: withoutServer("unbound") }, () => {
  const folder = temporaryFolder();
  const authority = makeAuthority(folder, "authority");
  const certificate = authority.issue("unbound", { host: "IP:127.0.0.1" });
  let server: Awaited<ReturnType<typeof startUnbound>>;
  before(async () => {
    server = await startUnbound(folder, [
      `tls-service-key: "${certificate.file.replace(/\.pem$/, ".key")}"`,
      `tls-service-pem: "${certificate.file}"`,
      "local-zone: test. static",
      'local-data: "kit.test. A 192.0.2.9"',
    ]);
  });
  after(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });

  const control = () => collect(dnsMonitor, { software: "unbound", control: server.control }, { job: "server" });

  it("counts what it is asked", async () => {
    const first = await control();
    const queries = [{ name: "kit.test" }, { name: "none.test" }];
    for (let i = 0; i < 5; i++) await ask(server.port, queries);
    const second = await control();
    assert.equal(second.value("dns_queries_total") - first.value("dns_queries_total"), 10);
    const codes = second.by("dns_responses_total", "rcode");
    assert.deepEqual([codes["noerror"], codes["nxdomain"]], [5, 5]);
    assert.ok(second.value("dns_server_uptime_seconds") > 0);
    assert.ok((second.by("dns_cache_bytes", "cache")["rrset"] ?? 0) > 0);
  });

  it("is asked over TLS, and only when its certificate is right", async () => {
    const over = (more: object) =>
      ask(server.tlsPort, [{ name: "kit.test", expect: ["192.0.2.9"] }], { transport: "tls", ...more });
    assert.equal(resultOf(await over({ tls_ca_file: authority.file }), "kit.test"), "ok");
    assert.equal(resultOf(await over({}), "kit.test"), "unreachable");
  });

  it("that is gone is a failure of the statistics and a result of the queries", async () => {
    const gone = { software: "unbound", control: `${server.control}.gone` };
    await fails(
      { ...dnsMonitor, jobs: { server: dnsMonitor.jobs.server } },
      gone,
      "unreachable",
      /control channel at .*no such socket/,
    );
    assert.equal(resultOf(await ask(await freePort(), [{ name: "kit.test" }]), "kit.test"), "unreachable");
  });
});

describe("a server that sends what none should", () => {
  const silent = createSocket("udp4");
  let answer: (query: Buffer) => Buffer | undefined = () => undefined;
  silent.on("message", (query, { port }) => {
    const packet = answer(query);
    if (packet) silent.send(packet, port, "127.0.0.1");
  });
  before(async () => once(silent.bind(0, "127.0.0.1"), "listening"));
  after(() => silent.close());
  const query = { name: "kit.test" };

  it("says nothing: a timeout", async () => {
    const harvest = await ask(silent.address().port, [query], { query_timeout_seconds: 0.1 });
    assert.equal(resultOf(harvest, "kit.test"), "timeout");
    assert.ok(!harvest.metrics.includes("dns_query_seconds"));
  });

  it("says something else: malformed; another id is not our answer", async () => {
    answer = () => Buffer.from("no DNS");
    assert.equal(resultOf(await ask(silent.address().port, [query]), "kit.test"), "malformed");
    answer = (asked) => Buffer.concat([Buffer.from([asked.readUInt8(0) ^ 1]), asked.subarray(1)]);
    const harvest = await ask(silent.address().port, [query], { query_timeout_seconds: 0.1 });
    assert.equal(resultOf(harvest, "kit.test"), "timeout");
    answer = () => undefined;
  });

  it("is left at once when the run ends", async () => {
    const stop = new AbortController();
    const reason = new Error("over");
    const config = { server: "127.0.0.1", port: silent.address().port, query_timeout_seconds: 30 };
    const run = collect(dnsMonitor, config, { signal: stop.signal });
    const verdict = run.catch((error: unknown) => error);
    await delay(50);
    stop.abort(reason);
    assert.equal(await Promise.race([verdict, delay(100, "late")]), reason);
  });
});

it("keeps Pi-hole's session, logs in again when it ended, and gives the seat back", async () => {
  const asked: string[] = [];
  let valid = "one";
  const server = createServer((request: IncomingMessage, response) => {
    const sid = String(request.headers["x-ftl-sid"] ?? "");
    asked.push(`${request.method} ${request.url} ${sid}`);
    const path = request.url ?? "";
    response.statusCode = path === "/api/auth" || sid === valid ? 200 : 401;
    const session = { session: { valid: true, sid: valid } };
    response.end(JSON.stringify(path === "/api/auth" ? session : { queries: { total: 1 }, blocking: "disabled" }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const api_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { state } = contextOf();
    const run = () => collect(dnsMonitor, { software: "pihole", api_url, password: "x" }, { job: "server", state });
    assert.equal((await run()).value("dns_blocking_enabled"), 0);
    await run();
    valid = "two";
    await run();
    await dnsMonitor.close?.(state);
    const logins = asked.filter((line) => line.startsWith("POST"));
    assert.equal(logins.length, 2);
    assert.equal(asked.at(-1), "DELETE /api/auth two");
  } finally {
    server.close();
  }
});

it("needs an address where there is an API, and asks nothing twice", () => {
  const problem = (config: object) => dnsMonitor.config.safeParse(config).error?.issues[0]?.message;
  assert.match(String(problem({ software: "pihole" })), /api_url is needed/);
  assert.match(String(problem({ queries: [{ name: "a.test" }, { name: "a.test" }] })), /asked for twice/);
  assert.match(String(problem({ software: "pihole", api_url: "http://u:p@pi.hole" })), /without user/);
});

it("reads any text of a control channel without throwing", () => {
  fc.assert(fc.property(fc.string(), (text) => assert.ok(Array.isArray(parseUnbound(text)))));
  const twice = parseUnbound("time.up=1\ntime.up=2\nmem.cache.__proto__=1\nconstructor=3\n");
  assert.deepEqual(twice, [
    { metric: "dns_server_uptime_seconds", value: 1 },
    { metric: "dns_cache_bytes", value: 1, labels: { cache: "__proto__" } },
  ]);
});
