import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { createHttpClient } from "../../src/collect/http.ts";
import { CollectError } from "../../src/model/run.ts";
import { makeAuthority } from "../faults/support/certificates.ts";
import { temporaryFolder } from "../support/folder.ts";
import { withoutProgram } from "../support/program.ts";
import { type RawServer, rawServer } from "./http/support.ts";

const http10 = (body: string | Buffer, headers = "") =>
  Buffer.concat([
    Buffer.from(`HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n${headers}\r\n`),
    Buffer.from(body),
  ]);

const CHANNEL = "undici:request:create";

/** Both of its ways: sockets of its own, and undici, which it takes for https and while requests are traced. */
for (const way of ["sockets", "undici"] as const) {
  describe(`HTTP client over ${way}`, () => {
    const client = createHttpClient();
    let seen = 0;
    const onRequest = () => void seen++;
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
      "/cut-gzip": (socket) => socket.end(http10(gzipSync('{"gzip":1}').subarray(0, 20), "Content-Encoding: gzip\r\n")),
      "/bad-br": (socket) => socket.end(http10("this is not brotli", "Content-Encoding: br\r\n")),
      "/304": (socket) => socket.end("HTTP/1.0 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n"),
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
    let kit: RawServer;
    let canary: RawServer;
    let canaryHits = 0;

    before(async () => {
      if (way === "undici") subscribe(CHANNEL, onRequest);
      kit = await rawServer((socket, path) => answers[path]?.(socket));
      canary = await rawServer((socket) => {
        canaryHits++;
        socket.end();
      });
    });
    after(async () => {
      await client.close();
      unsubscribe(CHANNEL, onRequest);
      await Promise.all([kit, canary].map((server) => server[Symbol.asyncDispose]()));
      assert.equal(seen > 0, way === "undici");
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
      assert.equal((await get("/plain")).text, '{"ok":true}');
      assert.equal((await get("/nolength")).text, '{"ok":true}');
      const missing = await get("/404");
      assert.equal(missing.status, 404);
      assert.equal(missing.text, "");
    });

    it("decodes gzip and brotli, and refuses what it does not know", async () => {
      assert.equal((await get("/gzip")).text, '{"gzip":1}');
      assert.equal((await get("/br")).text, '{"br":1}');
      for (const path of ["/nested", "/constructor", "/cut-gzip", "/bad-br"])
        assert.equal((await failure(path)).kind, "bad_data", path);
      assert.equal((await get("/304")).text, "");
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
      await gone[Symbol.asyncDispose]();
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
}

describe("HTTP client over TLS", { skip: withoutProgram("openssl") }, () => {
  it("holds a server to the certificates it is given, keeps its connection, and never falls back", async () => {
    using folder = temporaryFolder();
    const authority = makeAuthority(folder, "own");
    const { cert, key } = authority.issue("kit", { host: "IP:127.0.0.1" });
    let connections = 0;
    const server = createHttps({ cert, key }, (_request, response) => response.end("{}"));
    server.on("secureConnection", () => connections++).on("tlsClientError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = createHttpClient();
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const get = (ca?: string) =>
        client.get(url, { signal: AbortSignal.timeout(5_000), ...(ca === undefined ? {} : { ca }) });
      for (let n = 0; n < 10; n++) assert.equal((await get(authority.cert)).text, "{}");
      // The second poll may start before the first connection is back in the pool.
      assert.ok(connections <= 2, `${connections} connections for 10 polls`);
      await assert.rejects(get(), { kind: "unreachable" });
      await assert.rejects(get(makeAuthority(folder, "other").cert), { kind: "unreachable" });
      const plain = url.replace("https:", "http:");
      await assert.rejects(client.get(plain, { signal: AbortSignal.timeout(5_000) }), { name: "CollectError" });
    } finally {
      await client.close();
      server.close();
      server.closeAllConnections();
    }
  });
});
