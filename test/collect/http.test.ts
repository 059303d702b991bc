import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { createHttpClient } from "../../src/collect/http.ts";
import { CollectError } from "../../src/model/run.ts";

/** A server that writes exactly the bytes a test gives it, as kits and hostile hosts do. */
async function rawServer(
  answer: (socket: Socket, path: string) => void,
): Promise<{ url: string; server: Server; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.once("data", (data) => answer(socket, data.toString().split(" ")[1] ?? "/"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const http10 = (body: string | Buffer, headers = "") =>
  Buffer.concat([
    Buffer.from(`HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n${headers}\r\n`),
    Buffer.from(body),
  ]);

describe("HTTP client", () => {
  const client = createHttpClient();
  const answers: Record<string, (socket: Socket) => void> = {
    "/plain": (socket) => socket.end(http10('{"ok":true}', "Content-Length: 11\r\n")),
    "/nolength": (socket) => socket.end(http10('{"ok":true}')),
    "/404": (socket) => socket.end("HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\n"),
    "/gzip": (socket) => socket.end(http10(gzipSync('{"gzip":1}'), "Content-Encoding: gzip\r\n")),
    "/br": (socket) => socket.end(http10(brotliCompressSync('{"br":1}'), "Content-Encoding: br\r\n")),
    "/bomb": (socket) => socket.end(http10(gzipSync(Buffer.alloc(64 * 1024 * 1024)), "Content-Encoding: gzip\r\n")),
    "/endless": (socket) => {
      socket.write(http10(""));
      const chunk = Buffer.alloc(256 * 1024, 0x20);
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
        socket.once("drain", more);
      };
      more();
    },
    "/nested": (socket) => socket.end(http10(gzipSync(gzipSync("x")), "Content-Encoding: gzip, gzip\r\n")),
    "/constructor": (socket) => socket.end(http10("{}", "Content-Encoding: constructor\r\n")),
    "/hung": () => undefined,
    "/headers-only": (socket) => void socket.write("HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n"),
    "/drip": (socket) => {
      socket.write("HTTP/1.0 200 OK\r\n\r\n");
      const timer = setInterval(() => socket.write(" "), 20);
      socket.on("close", () => clearInterval(timer));
    },
    "/short": (socket) => socket.end(http10('{"half":', "Content-Length: 100\r\n")),
    "/reset": (socket) => {
      socket.write(http10('{"half":', "Content-Length: 100\r\n"));
      setTimeout(() => socket.resetAndDestroy(), 10);
    },
    "/redirect": (socket) => socket.end(`HTTP/1.0 302 Found\r\nLocation: ${canary.url}/stolen\r\n\r\n`),
    "/big-header": (socket) => socket.end(`HTTP/1.0 200 OK\r\nX-Big: ${"y".repeat(1_000_000)}\r\n\r\n{}`),
    "/rubbish": (socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"),
  };
  let kit: Awaited<ReturnType<typeof rawServer>>;
  let canary: Awaited<ReturnType<typeof rawServer>>;
  let canaryHits = 0;

  before(async () => {
    kit = await rawServer((socket, path) => answers[path]?.(socket));
    canary = await rawServer((socket) => {
      canaryHits++;
      socket.end();
    });
  });
  after(async () => {
    await client.close();
    await Promise.all([kit.close(), canary.close()]);
  });

  const get = (path: string, ms = 2_000) => client.get(kit.url + path, { signal: AbortSignal.timeout(ms) });
  const failure = async (path: string, ms?: number): Promise<CollectError> => {
    const error = await get(path, ms).then(
      () => assert.fail(`${path} was answered`),
      (thrown) => thrown,
    );
    assert.ok(error instanceof CollectError, String(error));
    return error;
  };

  it("reads HTTP/1.0 answers with and without a length, and answers without a body", async () => {
    assert.equal((await get("/plain")).body.toString(), '{"ok":true}');
    assert.equal((await get("/nolength")).body.toString(), '{"ok":true}');
    const missing = await get("/404");
    assert.equal(missing.status, 404);
    assert.equal(missing.body.length, 0);
  });

  it("decodes gzip and brotli, and refuses what it does not know", async () => {
    assert.equal((await get("/gzip")).body.toString(), '{"gzip":1}');
    assert.equal((await get("/br")).body.toString(), '{"br":1}');
    for (const path of ["/nested", "/constructor"]) assert.equal((await failure(path)).kind, "bad_data", path);
  });

  it("stops at 8 MB of decoded bytes, compressed or endless", async () => {
    for (const path of ["/bomb", "/endless"]) {
      const before = process.memoryUsage().rss;
      const error = await failure(path, 5_000);
      assert.equal(error.kind, "bad_data");
      assert.match(error.message, /larger than 8388608 bytes/);
      assert.ok(process.memoryUsage().rss - before < 150e6, `${path} took memory`);
    }
  });

  it("ends everything that never ends at one total deadline", async () => {
    for (const path of ["/hung", "/headers-only", "/drip"]) {
      const begun = performance.now();
      assert.equal((await failure(path, 80)).kind, "timeout", path);
      assert.ok(performance.now() - begun < 1_000);
    }
  });

  it("drops half an answer whole", async () => {
    assert.equal((await failure("/short")).kind, "bad_data");
    assert.equal((await failure("/reset")).kind, "bad_data");
    assert.equal((await failure("/big-header")).kind, "bad_data");
    assert.equal((await failure("/rubbish")).kind, "bad_data");
  });

  it("follows no redirect", async () => {
    assert.equal((await get("/redirect")).status, 302);
    assert.equal(canaryHits, 0);
  });

  it("calls a closed port unreachable", async () => {
    const gone = await rawServer(() => undefined);
    await gone.close();
    const error = await client.get(gone.url, { signal: AbortSignal.timeout(2_000) }).catch((thrown) => thrown);
    assert.equal(error.kind, "unreachable");
  });

  it("keeps connections to servers that keep alive", async (t) => {
    let connections = 0;
    const server = createHttp((_request, response) => response.end("{}"));
    server.on("connection", () => connections++);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    for (let i = 0; i < 10; i++) await client.get(url, { signal: AbortSignal.timeout(1_000) });
    // The second poll may start before the first connection is back in the pool.
    assert.ok(connections <= 2, `${connections} connections for 10 polls`);
  });
});
