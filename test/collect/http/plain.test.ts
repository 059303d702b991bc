import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createPlain, type Keeping } from "../../../src/collect/http/plain.ts";
import { requestOf } from "../../../src/collect/http/request.ts";
import { eventually } from "../../support/eventually.ts";
import { head, type RawServer, rawServer } from "./support.ts";

const say = (body: string, headers: readonly string[] = []) =>
  head([`Content-Length: ${body.length}`, ...headers]).concat(body);

/** A client and a server for one test. */
async function both(answer: (socket: Socket, path: string, connection: number) => void, keeping?: Keeping) {
  const server = await rawServer(answer);
  const plain = createPlain(keeping);
  const get = (path = "/", signal = AbortSignal.timeout(2_000)) =>
    plain.get(requestOf(server.url + path, { signal })).then(({ body }) => body.toString());
  return {
    ...{ server, plain, get },
    async [Symbol.asyncDispose]() {
      plain.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const connections = ({ asked }: RawServer) => asked.map(({ connection }) => connection);
const LONG: Keeping = { ms: 60_000, most: 100, lookMs: 60_000 };

describe("HTTP over plain sockets", () => {
  it("asks as HTTP/1.1 wants it, and refuses a header that would be two", async () => {
    await using it = await both((socket) => socket.end(say("{}", ["Connection: close"])));
    const { server, plain } = it;
    const signal = AbortSignal.timeout(2_000);
    const url = `${server.url}/a%20b/c d?x=1&y=%C3%A4#part`;
    await plain.get(requestOf(url, { signal, headers: { "X-Api-Key": "abc", accept: "text/plain" } }));
    const [line, ...headers] = server.asked[0]?.text.split("\r\n") ?? [];
    assert.equal(line, "GET /a%20b/c%20d?x=1&y=%C3%A4 HTTP/1.1");
    const host = `host: 127.0.0.1:${server.port}`;
    assert.deepEqual(headers, [
      host,
      "connection: keep-alive",
      "accept: text/plain",
      "user-agent: gleaner",
      "X-Api-Key: abc",
      "",
      "",
    ]);
    for (const [name, value] of [
      ["x", "a\r\nb: c"],
      ["a: b\r\nc", "d"],
      ["", "x"],
      ["x", "\u20ac"],
    ] as const)
      await assert.rejects(plain.get(requestOf(url, { signal, headers: { [name]: value } })), TypeError);
    await it.get("/\r\nX: 1");
    assert.ok(server.asked.every(({ text }) => !text.includes("\nX: 1")));
    assert.equal(server.asked.length, 2);
  });

  it("reaches a server by its IPv6 address", async () => {
    await using it = await both((socket) => socket.end(say("six")));
    const url = `http://[::ffff:127.0.0.1]:${it.server.port}/`;
    const { body } = await it.plain.get(requestOf(url, { signal: AbortSignal.timeout(2_000) }));
    assert.equal(body.toString(), "six");
  });

  it("keeps one connection to each server that offers it", async () => {
    await using it = await both((socket, path) => void socket.write(say(path)), LONG);
    for (const path of ["/1", "/2", "/3"]) assert.equal(await it.get(path), path);
    assert.deepEqual(connections(it.server), [0, 0, 0]);
    assert.deepEqual(await Promise.all(["/4", "/5", "/6"].map((path) => it.get(path))), ["/4", "/5", "/6"]);
    assert.deepEqual(new Set(connections(it.server)), new Set([0, 1, 2]), "at once they have a connection each");
    await eventually(async () => assert.equal(it.server.open(), 1));
  });

  it("opens one for each poll where the server closes them, and leaves none behind", async () => {
    await using it = await both((socket, path) => {
      if (path === "/1.0") socket.end(head(["Content-Length: 2"], "HTTP/1.0 200 OK").concat("{}"));
      // Says that it closes, and does not.
      else socket.write(say("{}", ["Connection: close"]));
    });
    for (const path of ["/1.0", "/close", "/1.0", "/close"]) await it.get(path);
    assert.deepEqual(connections(it.server), [0, 1, 2, 3]);
    await eventually(async () => assert.equal(it.server.open(), 0));
  });

  it("forgets connections that nobody used for a while, and keeps no more than it may", async () => {
    await using it = await both((socket) => void socket.write(say("{}")), { ms: 80, most: 1, lookMs: 20 });
    await using other = await rawServer((socket) => void socket.write(say("{}")));
    await it.get();
    await it.plain.get(requestOf(other.url, { signal: AbortSignal.timeout(2_000) }));
    await eventually(async () => assert.equal(other.open(), 0, "there was room for one"));
    assert.equal(it.server.open(), 1);
    await eventually(async () => assert.equal(it.server.open(), 0, "it was not used"));
    await it.get();
    assert.deepEqual(connections(it.server), [0, 1]);
  });

  it("asks once more, and no oftener, when a kept connection turns out closed", async () => {
    await using it = await both((socket, _, connection) => {
      const again = socket.bytesWritten > 0;
      if (!again) socket.write(say(`from ${connection}`));
      // The first closes in good order, the second does not.
      else if (connection === 0) socket.end();
      else socket.resetAndDestroy();
    }, LONG);
    assert.deepEqual([await it.get(), await it.get(), await it.get()], ["from 0", "from 1", "from 2"]);
    assert.deepEqual(connections(it.server), [0, 0, 1, 1, 2]);
  });

  it("takes a connection that a server closed meanwhile for none", async () => {
    await using it = await both((socket) => {
      socket.write(say("{}"));
      setTimeout(() => socket.end(), 20);
    }, LONG);
    await it.get();
    await eventually(async () => assert.equal(it.server.open(), 0));
    await it.get();
    assert.deepEqual(connections(it.server), [0, 1]);
  });

  it("does not ask again when the first bytes of an answer came, nor on a connection of its own", async () => {
    await using it = await both((socket, path) => {
      if (path === "/good") socket.write(say("{}"));
      else if (path === "/half") socket.end("HTTP/1.1 2");
      else socket.end();
    }, LONG);
    await assert.rejects(it.get("/gone"), { kind: "unreachable" });
    await it.get("/good");
    await assert.rejects(it.get("/half"), { kind: "bad_data" });
    assert.equal(it.server.asked.length, 3);
  });

  it("never takes what came unasked for an answer", async () => {
    const forged = say('{"forged":true}');
    await using it = await both((socket, path) => {
      socket.write(path === "/with" ? say("{}").concat(forged) : say(path));
      if (path === "/after") setTimeout(() => socket.write(forged), 10);
    }, LONG);
    assert.equal(await it.get("/with"), "{}");
    assert.equal(await it.get("/2"), "/2");
    assert.equal(await it.get("/after"), "/after");
    await sleep(50);
    assert.equal(await it.get("/4"), "/4");
    assert.deepEqual(connections(it.server), [0, 1, 1, 2]);
  });

  it("keeps answers apart that come at the same time, a few bytes each", async () => {
    const count = 100;
    await using it = await both((socket, path) => {
      const bytes = say(path.repeat(500), ["Connection: close"]);
      let at = 0;
      const more = () => {
        socket.write(bytes.slice(at, at + 400), () => (at < bytes.length ? setImmediate(more) : undefined));
        at += 400;
      };
      more();
    });
    const paths = Array.from({ length: count }, (_, n) => `/kit-${n}`);
    const signal = AbortSignal.timeout(20_000);
    const bodies = await Promise.all(paths.map((path) => it.get(path, signal)));
    for (const [n, path] of paths.entries()) assert.equal(bodies[n], path.repeat(500));
  });

  it("ends at once when the signal says so, and its connection with it", async () => {
    await using it = await both((socket, path) => {
      if (path === "/headers") socket.write("HTTP/1.1 200 OK\r\nContent-");
      if (path === "/body") socket.write(head(["Content-Length: 100"]).concat("half"));
      if (path === "/drip") {
        socket.write(head());
        const timer = setInterval(() => socket.write(" "), 5);
        socket.on("close", () => clearInterval(timer));
      }
    }, LONG);
    for (const path of ["/silent", "/headers", "/body", "/drip"]) {
      const stop = new AbortController();
      const got = it.get(path, stop.signal);
      await eventually(async () => assert.equal(it.server.open(), 1));
      const reason = new Error("enough");
      stop.abort(reason);
      await assert.rejects(got, reason);
      await eventually(async () => assert.equal(it.server.open(), 0, path));
    }
    const before = it.server.asked.length;
    const reason = new Error("before");
    await assert.rejects(it.get("/", AbortSignal.abort(reason)), reason);
    assert.equal(it.server.asked.length, before, "nothing is asked after the deadline");
  });

  it("leaves nothing open when it is closed", async () => {
    await using it = await both((socket, path) => void (path === "/silent" || socket.write(say("{}"))), LONG);
    await it.get();
    const [silent] = await Promise.allSettled([it.get("/silent"), sleep(20).then(() => it.plain.close())]);
    assert.match(String(silent.status === "rejected" && silent.reason), /the HTTP client was closed/);
    await eventually(async () => assert.equal(it.server.open(), 0));
  });
});
