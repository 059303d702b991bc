import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpServer } from "../../src/http/server.ts";
import { application, memoryLog, open, raw, rawGet, serve, TOKENS } from "./helpers.ts";

const serverAt = (host: string, port: number, tokens = TOKENS.slice(0, 0)) =>
  createHttpServer({ app: application(), listen: { host, port }, tokens, allowedHosts: [], log: memoryLog() });

describe("listening", () => {
  it("says where", async (t) => {
    const server = serverAt("127.0.0.1", 0);
    t.after(() => server.close(0));
    const { host, port, url } = await server.listen();
    assert.equal(host, "127.0.0.1");
    assert.equal(url, `http://127.0.0.1:${port}/`);
    assert.equal((await fetch(url)).status, 200);
  });

  it("refuses every address of the network while there is no token, and says how to fix it", async () => {
    for (const host of ["0.0.0.0", "::", "", "192.0.2.1", "gleaner.example"]) {
      await assert.rejects(serverAt(host, 9470).listen(), (error: Error) => {
        assert.match(
          error.message,
          /^refusing to listen on \S+:9470: it is reachable from the network and no token is configured; /,
        );
        assert.match(error.message, /configure a token .* or set GLEANER_LISTEN=127\.0\.0\.1:9470/);
        return true;
      });
    }
  });

  it("listens to the network with a token", async (t) => {
    const server = serverAt("0.0.0.0", 0, [...TOKENS]);
    t.after(() => server.close(0));
    const { url, port } = await server.listen();
    assert.equal(url, `http://localhost:${port}/`);
    assert.equal((await rawGet(port, "/metrics")).status, 401);
  });

  it("explains what went wrong in one sentence", async (t) => {
    const other = createTcpServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    await assert.rejects(serverAt("127.0.0.1", port).listen(), {
      message: `cannot listen on 127.0.0.1:${port}: another process listens there; stop it, or set GLEANER_LISTEN to another address or port`,
    });
    await assert.rejects(serverAt("192.0.2.1", 0, [...TOKENS]).listen(), {
      message: /no such address; set GLEANER_LISTEN/,
    });
    await assert.rejects(serverAt("127.0.0.1", 70_000).listen(), {
      message: /a port is a number from 0 to 65535; set GLEANER_LISTEN/,
    });
  });
});

describe("closing", () => {
  /** Opens a kept-alive connection that has had an answer and is idle. */
  async function keptAlive(t: TestContext, port: number): Promise<void> {
    const socket = await open(port);
    t.after(() => socket.destroy());
    socket.write(`GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await once(socket, "data");
  }

  it("does not wait for idle kept-alive connections", async (t) => {
    const { port, server } = await serve(t);
    for (let n = 0; n < 5; n++) await keptAlive(t, port);
    const started = performance.now();
    await server.close(5_000);
    assert.ok(performance.now() - started < 1_000);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  });

  it("lets a request under way finish, then hangs up its connection", async (t) => {
    const finish = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const app = application({
      metrics: async () => {
        started.resolve();
        await finish.promise;
        return { contentType: "text/plain", body: Buffer.from("whole") };
      },
    });
    const { port, server } = await serve(t, { app });
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const request = httpRequest({ host: "127.0.0.1", port, path: "/metrics", agent }).end();
    await started.promise;
    const closing = server.close(5_000);
    finish.resolve();
    const [response] = await once(request, "response");
    assert.equal(Buffer.concat(await response.toArray()).toString(), "whole");
    const began = performance.now();
    await closing;
    assert.ok(performance.now() - began < 1_000);
  });

  it("hangs up after the grace on who does not finish, and may be asked twice or before listening", async (t) => {
    const app = application({ metrics: () => new Promise(() => {}) });
    const { url, server } = await serve(t, { app });
    const stuck = fetch(`${url}/metrics`).catch((error: Error) => error.name);
    await sleep(20);
    const began = performance.now();
    await Promise.all([server.close(100), server.close(100)]);
    assert.ok(performance.now() - began < 1_000);
    assert.equal(await stuck, "TypeError");
    await serverAt("127.0.0.1", 0).close();
  });
});

describe("hostile clients", () => {
  const problem = (answer: { status: number; headers: Readonly<Record<string, string>>; body: string }): number => {
    assert.equal(answer.headers["content-type"], "application/problem+json");
    assert.equal(answer.headers["connection"], "close");
    assert.equal(JSON.parse(answer.body).status, answer.status);
    return answer.status;
  };

  it("with a header of 1 MB get 431", async (t) => {
    const { port } = await serve(t);
    assert.equal(problem(await rawGet(port, "/metrics", { "X-Long": "a".repeat(1_048_576) })), 431);
    assert.equal(problem(await rawGet(port, `/${"a".repeat(20_000)}`)), 431);
    assert.equal((await rawGet(port, "/metrics", { "X-Long": "a".repeat(8_000) })).status, 200);
  });

  it("that do not read an answer are hung up on, and those that read it at once are not", async (t) => {
    const body = Buffer.alloc(24 * 1024 * 1024, "x");
    const app = application({ metrics: async () => ({ contentType: "text/plain", body }) });
    const { port, url } = await serve(t, { app, limits: { answerTimeout: 2_500 } });
    const slow = await open(port);
    t.after(() => slow.destroy());
    slow.on("error", () => undefined);
    slow.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await sleep(2_800);
    let got = 0;
    slow.on("data", (chunk: Buffer) => {
      got += chunk.length;
    });
    await once(slow, "close");
    assert.ok(got < body.length, "it was not given the rest");
    const whole = await (await fetch(`${url}/metrics`)).arrayBuffer();
    assert.equal(whole.byteLength, body.length);
  });

  it("that smuggle a second request get 400", async (t) => {
    const { port } = await serve(t);
    const smuggled = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const heads = [
      "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
      "Content-Length: 4\r\nContent-Length: 5\r\n",
      "Transfer-Encoding: chunked, identity\r\n",
      "Content-Length: +4\r\n",
      "Content-Length : 4\r\n",
    ];
    for (const head of heads) {
      const answer = await raw(port, `POST /metrics HTTP/1.1\r\nHost: localhost\r\n${head}\r\n0\r\n\r\n${smuggled}`);
      assert.equal(problem(answer), 400, head);
      assert.doesNotMatch(answer.body, /gleaner_up/);
    }
  });

  it("that speak no HTTP get 400", async (t) => {
    const { port } = await serve(t);
    for (const bytes of [
      "\x16\x03\x01\x02\x00\x01",
      "hello\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET /\0 HTTP/1.1\r\n\r\n",
    ]) {
      assert.equal(problem(await raw(port, bytes)), 400, JSON.stringify(bytes));
    }
    assert.equal((await raw(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).status, 400);
  });

  it("that send a byte at a time do not keep others waiting, and are hung up on", async (t) => {
    const limits = { headersTimeout: 400, requestTimeout: 400, connectionsCheckingInterval: 50 };
    const { url, port } = await serve(t, { limits });
    const slow = await Promise.all(Array.from({ length: 200 }, () => open(port)));
    t.after(() => slow.forEach((socket) => void socket.destroy()));
    const said: Promise<string>[] = slow.map(async (socket) => {
      socket.removeAllListeners("error").on("error", () => {});
      return Buffer.concat(await socket.toArray().catch(() => [])).toString();
    });
    const head = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
    let sent = 0;
    const drip = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write(head[sent % head.length] ?? "a");
      sent++;
    }, 10);
    t.after(() => clearInterval(drip));
    const times: number[] = [];
    for (let n = 0; n < 50; n++) {
      const began = performance.now();
      assert.equal((await fetch(`${url}/-/healthy`)).status, 200);
      times.push(performance.now() - began);
    }
    // The median: on a busy machine any single answer may be late for reasons of its own.
    const median = times.toSorted((a, b) => a - b)[25] as number;
    assert.ok(median < 200, `half of the answers took longer than ${median.toFixed(0)} ms`);
    for (const text of await Promise.all(said)) assert.match(text, /^HTTP\/1\.1 408 |^$/);
    assert.ok((await Promise.all(said)).some((text) => text.includes('"status":408')));
  });

  it("cannot hold more connections than the cap, and give them back", async (t) => {
    const { url, port } = await serve(t, { limits: { maxConnections: 3 } });
    const held = await Promise.all(Array.from({ length: 3 }, () => open(port)));
    await sleep(20);
    await assert.rejects(fetch(`${url}/-/healthy`));
    for (const socket of held) socket.destroy();
    await sleep(20);
    assert.equal((await fetch(`${url}/-/healthy`)).status, 200);
  });

  it("do not get an error mixed into an answer that is under way", async (t) => {
    const finish = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const app = application({
      metrics: async () => {
        started.resolve();
        await finish.promise;
        return { contentType: "text/plain", body: Buffer.from("whole") };
      },
    });
    const { port } = await serve(t, { app });
    const socket = await open(port);
    const answer = socket.toArray().catch(() => []);
    socket.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await started.promise;
    socket.write("\x16\x03 garbage \r\n\r\n");
    await sleep(20);
    finish.resolve();
    assert.equal(Buffer.concat(await answer).toString(), "");
  });
});
