import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { createServer as createTls } from "node:tls";
import fc from "fast-check";
import { readPem, verdictOf } from "../../../src/plugins/certificate/facts.ts";
import { certificateMonitor } from "../../../src/plugins/certificate_monitor.ts";
import { type Authority, type Certificate, makeAuthority, selfSigned } from "../../faults/support/certificates.ts";
import { collect, endsWhenAborted } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { contextOf } from "../../support/plugins.ts";
import { withoutProgram } from "../../support/program.ts";
import { freePort } from "../../support/servers/port.ts";

const DAY = 86_400;
/** Certificates are judged by OpenSSL with the real clock: dates are relative to now, and the test is a minute ahead of those it makes. */
const NOW = new Date(Date.now() + 60_000);
const inDays = (days: number) => new Date(Math.floor(NOW.getTime() / 1000) * 1000 + days * DAY * 1000);
/** YYYYMMDDHHMMSSZ */
const stamp = (date: Date) => `${date.toISOString().replace(/\D/g, "").slice(0, 14)}Z`;

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

describe("certificate_monitor against TLS servers", { skip: withoutProgram("openssl") }, () => {
  const folder = temporaryFolder();
  const servers: Server[] = [];
  const ports: Record<string, number> = {};
  let root: Authority;

  before(async () => {
    root = makeAuthority(folder, "root");
    const between = root.intermediate("between");
    const host = "DNS:localhost";
    const leaf = between.issue("leaf", { host, to: stamp(inDays(30)) });
    const certificates: Record<string, Pick<Certificate, "cert" | "key">> = {
      good: { ...leaf, cert: leaf.cert + between.cert },
      incomplete: leaf,
      along: { ...leaf, cert: leaf.cert + between.cert + root.cert },
      soon: root.issue("soon", { host, to: stamp(inDays(2)) }),
      expired: root.issue("expired", { host, from: stamp(inDays(-20)), to: stamp(inDays(-10)) }),
      early: root.issue("early", { host, from: stamp(inDays(5)), to: stamp(inDays(50)) }),
      wrong: root.issue("wrong", { host: "DNS:other.example" }),
      address: root.issue("address", { host: "IP:127.0.0.1" }),
      own: selfSigned(folder, "own", "-addext", "subjectAltName=DNS:localhost"),
    };
    for (const [name, { cert, key }] of Object.entries(certificates)) {
      const server = createTls({ cert, key });
      servers.push(server);
      ports[name] = await listening(server);
    }
  });
  after(() => {
    for (const server of servers) server.close();
    folder[Symbol.dispose]();
  });

  /** Looks at one server that holds the test's root to be trusted, unless told otherwise. */
  async function look(name: string, settings: object = {}) {
    const server = { name: "it", host: "localhost", port: ports[name], tls_ca_file: root.file, ...settings };
    const { by, value, metrics } = await collect(certificateMonitor, { servers: [server] }, { now: () => NOW });
    const problems = Object.entries(by("certificate_problem", "reason")).filter(([, holds]) => holds === 1);
    const maybe = (metric: string) => (metrics.includes(metric) ? value(metric) : undefined);
    return {
      problems: problems.map(([reason]) => reason),
      up: value("certificate_up"),
      chain: maybe("certificate_chain_valid"),
      host: maybe("certificate_host_valid"),
      own: maybe("certificate_self_signed"),
      left: maybe("certificate_expiry_seconds"),
      until: maybe("certificate_not_after_timestamp_seconds"),
      from: maybe("certificate_not_before_timestamp_seconds"),
    };
  }

  it("says until when a good one is good", async () => {
    const { left, until, from, ...rest } = await look("good");
    assert.deepEqual(rest, { problems: [], up: 1, chain: 1, host: 1, own: 0 });
    assert.equal(until, inDays(30).getTime() / 1000);
    assert.equal(left, (inDays(30).getTime() - NOW.getTime()) / 1000);
    assert.equal(from, Date.parse("2020-01-01T00:00:00Z") / 1000);
    // An address is in the certificate, too.
    assert.deepEqual((await look("address", { host: "127.0.0.1" })).problems, []);
    assert.deepEqual((await look("good", { host: "127.0.0.1", server_name: "localhost" })).problems, []);
  });

  it("says who it is from", async () => {
    const servers = [{ host: "localhost", port: ports["good"], tls_ca_file: root.file }];
    const config = certificateMonitor.config.parse({ servers });
    const target = { id: "t", config, tags: {} };
    const { samples } = await certificateMonitor.jobs.certificates.collect(target, contextOf({ now: () => NOW }));
    const { labels } = samples.find(({ metric }) => metric === "certificate_info") ?? {};
    const { serial, ...info } = labels ?? {};
    const certificate = `localhost:${ports["good"]}`;
    assert.deepEqual(info, { certificate, subject: "leaf", issuer: "between", version: "TLSv1.3" });
    assert.match(serial ?? "", /^[0-9A-F]{8,40}$/);
  });

  it("counts the days of one that soon expires, and those since one has", async () => {
    const soon = await look("soon");
    assert.deepEqual([soon.problems, soon.chain], [[], 1]);
    assert.ok(soon.left !== undefined && soon.left < 2 * DAY && soon.left > 2 * DAY - 2);
    const expired = await look("expired");
    assert.deepEqual([expired.problems, expired.chain, expired.host], [["expired"], 0, 1]);
    assert.ok(expired.left !== undefined && expired.left < -10 * DAY + 1);
    const early = await look("early");
    assert.deepEqual([early.problems, early.chain], [["not_yet_valid"], 0]);
  });

  it("tells apart what is wrong with the others", async () => {
    const wrong = await look("wrong");
    assert.deepEqual([wrong.problems, wrong.chain, wrong.host], [["wrong_host"], 1, 0]);
    const own = await look("own");
    assert.deepEqual([own.problems, own.chain, own.own], [["self_signed"], 0, 1]);
    const incomplete = await look("incomplete");
    assert.deepEqual([incomplete.problems, incomplete.chain, incomplete.host], [["unknown_issuer"], 0, 1]);
    const unknown = await look("along", { tls_ca_file: undefined });
    assert.deepEqual([unknown.problems, unknown.chain], [["untrusted_root"], 0]);
    // Several things may be wrong at once.
    const both = await look("expired", { server_name: "other.example" });
    assert.deepEqual(both.problems, ["expired", "wrong_host"]);
    // One that is trusted by name is not held against its server.
    assert.deepEqual((await look("own", { tls_ca_file: folder.at("own.pem") })).problems, []);
  });

  it("says why there is none", async () => {
    assert.deepEqual((await look("good", { port: await freePort() })).problems, ["unreachable"]);
    assert.deepEqual((await look("good", { host: `${"x".repeat(64)}.invalid` })).problems, ["unreachable"]);
    const peers = new Set<Socket>();
    const silent = createServer((peer) => void peers.add(peer));
    const http = createServer((peer) => void peer.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    try {
      const port = await listening(silent);
      assert.deepEqual((await look("good", { port, timeout_seconds: 0.1 })).problems, ["timeout"]);
      const none = await look("good", { port: await listening(http) });
      assert.deepEqual([none.problems, none.up, none.left], [["no_tls"], 0, undefined]);
    } finally {
      for (const peer of peers) peer.destroy();
      for (const server of [silent, http]) server.close();
    }
  });

  it("ends at once when its run does, with nothing left open", () =>
    endsWhenAborted(certificateMonitor, (port) => ({ servers: [{ host: "127.0.0.1", port }] })));

  it("reads the files that paths and patterns name", async () => {
    folder.write("bundle.crt", `a comment\n${folderText("leaf")}${folderText("soon")}`);
    folder.write("own.crt", folderText("own"));
    folder.write("key.crt", "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n");
    folder.write("torn.crt", `${folderText("leaf")}-----BEGIN CERTIFICATE-----\nMII`);
    const files = [folder.at("*.crt"), folder.at("gone.pem"), folder.at("no/*.pem")];
    const { by, value, rejected } = await collect(certificateMonitor, { files }, { now: () => NOW });
    const path = (name: string) => folder.at(name);
    assert.deepEqual(by("certificate_up", "certificate"), {
      [path("bundle.crt")]: 1,
      [path("gone.pem")]: 0,
      [path("key.crt")]: 0,
      [path("own.crt")]: 1,
      [path("torn.crt")]: 1,
    });
    const bundle = { certificate: path("bundle.crt") };
    const until = value("certificate_not_after_timestamp_seconds", bundle);
    assert.equal(until, inDays(30).getTime() / 1000);
    const left = value("certificate_expiry_seconds", bundle);
    assert.ok(left < 2 * DAY, "the first of them to expire");
    assert.equal(value("certificate_self_signed", { certificate: path("own.crt") }), 1);
    for (const name of ["key.crt", "gone.pem", "torn.crt"])
      assert.equal(value("certificate_problem", { certificate: path(name), reason: "unreadable" }), 1, name);
    assert.deepEqual(rejected, [{ reason: "no_files", detail: `no further file matches ${path("no/*.pem")}` }]);
  });

  const folderText = (name: string) => root && readText(folder.at(`${name}.pem`));
});

function readText(path: string): string {
  return process.getBuiltinModule("node:fs").readFileSync(path, "utf8");
}

describe("parts of certificate_monitor", () => {
  it("know OpenSSL's verdicts, and take any other for a refusal", () => {
    assert.deepEqual(verdictOf(undefined), []);
    assert.deepEqual(verdictOf("CERT_REVOKED"), ["revoked"]);
    for (const code of ["EE_KEY_TOO_SMALL", "constructor", ""]) assert.deepEqual(verdictOf(code), ["refused"]);
  });

  it("take any text for a PEM file, in time that grows with its length", () => {
    const part = fc.constantFrom("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "MII=\n", "\0", "ä");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const { certificates, broken } = readPem(parts.join(""));
        assert.equal(certificates.length, 0);
        assert.ok(broken <= parts.filter((text) => text.includes("BEGIN")).length);
      }),
    );
    const begun = performance.now();
    assert.equal(readPem("-----BEGIN CERTIFICATE-----".repeat(38_000)).broken, 1);
    assert.ok(performance.now() - begun < 500);
  });

  it("refuse settings with nothing to look at, or the same server twice", () => {
    const problem = (config: object) => certificateMonitor.config.safeParse(config).error?.issues[0]?.message;
    assert.match(problem({}) ?? "", /at least one server or file/);
    const server = { host: "localhost" };
    assert.match(problem({ servers: [server, server] }) ?? "", /each server once/);
    assert.equal(problem({ servers: [server, { ...server, port: 8443 }] }), undefined);
  });
});
