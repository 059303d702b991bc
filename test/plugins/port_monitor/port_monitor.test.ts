import assert from "node:assert/strict";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { createServer as createTls } from "node:tls";
import { portMonitor } from "../../../src/plugins/port_monitor.ts";
import { selfSigned } from "../../faults/support/certificates.ts";
import { collect, endsWhenAborted } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { withoutProgram } from "../../support/program.ts";
import { freePort } from "../../support/servers/port.ts";

describe("port_monitor", { skip: withoutProgram("openssl") }, () => {
  const folder = temporaryFolder();
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const udp: UdpSocket[] = [];
  const ports: Record<string, number> = {};

  async function serve(name: string, server: Server): Promise<void> {
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    servers.push(server);
    ports[name] = (server.address() as AddressInfo).port;
  }

  before(async () => {
    const { cert, key } = selfSigned(folder, "own");
    await serve("silent", createServer());
    await serve(
      "ssh",
      createServer((socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")),
    );
    // As a server of memcached or Redis does: it speaks when it is spoken to, in pieces.
    await serve(
      "echo",
      createServer((socket) =>
        socket.on("data", (data) => {
          socket.write(`you ${"said"}: `);
          setTimeout(() => socket.write(data), 10);
        }),
      ),
    );
    await serve(
      "hasty",
      createServer((socket) => socket.end()),
    );
    await serve(
      "brute",
      createServer((socket) => socket.resetAndDestroy()),
    );
    await serve(
      "chatty",
      createServer((socket) => socket.write("x".repeat(100_000))),
    );
    await serve(
      "tls",
      createTls({ cert, key }, (socket) => socket.on("error", () => undefined).write("+OK\r\n")),
    );
    const answering = createSocket("udp4").on("message", (message, { port, address }) =>
      answering.send(`re: ${message}`, port, address),
    );
    const deaf = createSocket("udp4");
    for (const [name, socket] of Object.entries({ answering, deaf })) {
      await once(socket.bind(0, "127.0.0.1"), "listening");
      udp.push(socket);
      ports[name] = socket.address().port;
    }
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of [...servers, ...udp]) server.close();
    folder[Symbol.dispose]();
  });

  async function knock(name: string, settings: object = {}) {
    const entry = { name: "it", host: "127.0.0.1", port: ports[name], timeout_seconds: 2, ...settings };
    const { value, by, metrics } = await collect(portMonitor, { ports: [entry] });
    const failure = Object.entries(by("port_failure", "reason")).find(([, holds]) => holds === 1)?.[0];
    assert.equal(value("port_up"), failure === undefined ? 1 : 0);
    const maybe = (metric: string) => (metrics.includes(metric) ? value(metric) : undefined);
    return { failure, connect: maybe("port_connect_seconds"), answer: maybe("port_answer_seconds") };
  }
  const failure = async (name: string, settings?: object) => (await knock(name, settings)).failure;

  it("finds a port open, and says how long that took", async () => {
    const { failure, connect, answer } = await knock("silent");
    assert.equal(failure, undefined);
    assert.ok(connect !== undefined && connect > 0 && connect < 1);
    assert.equal(answer, undefined);
    assert.equal((await knock("silent", { host: "localhost" })).failure, undefined);
  });

  it("reads what it says, and says something first", async () => {
    const ssh = await knock("ssh", { expect: "^SSH-2\\.0-" });
    assert.equal(ssh.failure, undefined);
    assert.ok((ssh.answer ?? -1) >= 0);
    assert.equal(await failure("echo", { send: "PING\r\n", expect: "said: PING" }), undefined);
    assert.equal(await failure("echo", { send: "PING\r\n" }), undefined);
    assert.equal(await failure("tls", { tls: true, expect: "^\\+OK" }), undefined);
    assert.equal(await failure("tls", { tls: true }), undefined);
  });

  it("tells apart why not", async () => {
    assert.equal(await failure("free", { port: await freePort() }), "refused");
    assert.equal(await failure("silent", { host: `${"x".repeat(64)}.invalid` }), "resolve");
    assert.equal(await failure("silent", { expect: "x", timeout_seconds: 0.1 }), "timeout");
    assert.equal(await failure("ssh", { expect: "HTTP", timeout_seconds: 0.2 }), "timeout");
    assert.equal(await failure("chatty", { expect: "y" }), "answer");
    assert.equal(await failure("hasty", { expect: "x" }), "closed");
    assert.equal(await failure("brute", { expect: "x" }), "closed");
    assert.equal(await failure("ssh", { tls: true }), "tls");
    assert.equal(await failure("silent", { tls: true, timeout_seconds: 0.1 }), "timeout");
  });

  it("asks over UDP, where only an answer is an answer", async () => {
    const udp = { protocol: "udp", send: "hello" };
    const answered = await knock("answering", { ...udp, expect: "^re: hello$" });
    assert.deepEqual([answered.failure, answered.connect], [undefined, undefined]);
    assert.ok((answered.answer ?? -1) >= 0);
    assert.equal(await failure("answering", udp), undefined);
    assert.equal(await failure("answering", { ...udp, expect: "bye" }), "answer");
    assert.equal(await failure("deaf", { ...udp, timeout_seconds: 0.1 }), "timeout");
    assert.equal(await failure("free", { ...udp, port: await freePort() }), "refused");
  });

  it("tries many at the same time", async () => {
    const begun = performance.now();
    const entry = { host: "127.0.0.1", port: ports["silent"], expect: "x", timeout_seconds: 0.3 };
    const entries = Array.from({ length: 100 }, (_, i) => ({ ...entry, name: `port ${i}` }));
    const harvest = await collect(portMonitor, { ports: entries });
    assert.equal(Object.keys(harvest.by("port_up", "endpoint")).length, 100);
    assert.ok(performance.now() - begun < 3_000);
  });

  it("ends at once when its run does, with nothing left open", async () => {
    await endsWhenAborted(portMonitor, (port) => ({ ports: [{ host: "127.0.0.1", port, expect: "x" }] }));
    await endsWhenAborted(portMonitor, (port) => ({ ports: [{ host: "127.0.0.1", port, tls: true }] }));
  });

  it("refuses settings that cannot be meant", () => {
    const problem = (...ports: object[]) => portMonitor.config.safeParse({ ports }).error?.issues[0]?.message;
    const entry = { host: "db", port: 5432 };
    assert.match(problem({ ...entry, protocol: "udp" }) ?? "", /expected `send` with udp/);
    assert.match(problem({ ...entry, protocol: "udp", send: "", tls: true }) ?? "", /expected tcp with `tls`/);
    assert.match(problem(entry, entry) ?? "", /each port once/);
    assert.match(problem({ ...entry, expect: "(" }) ?? "", /regular expression/);
    assert.equal(problem(entry, { ...entry, protocol: "udp", send: "" }), undefined);
  });
});
