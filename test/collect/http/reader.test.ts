import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createReader } from "../../../src/collect/http/reader.ts";
import { head, read, refused } from "./support.ts";

const MB = 1024 * 1024;

describe("reader of answers", () => {
  it("reads a body to its length, to its last chunk, or to the end of the connection", () => {
    const plain = read(head(["Content-Length: 2", "X-Two: a", "x-two:  b\t"], "HTTP/1.0 200 OK"), "{}");
    assert.deepEqual({ ...plain.headers }, { "content-length": "2", "x-two": "a, b" });
    assert.deepEqual([plain.status, plain.body.toString()], [200, "{}"]);
    const chunked = '5\r\nhello\r\n6;a=b;c="d"\r\n world\r\n000\r\nX-Sum: 1\r\n\r\n';
    assert.equal(read(head(["Transfer-Encoding: Chunked"]), chunked).body.toString(), "hello world");
    assert.equal(read(head(), "to ", "the ", "end").body.toString(), "to the end");
    assert.equal(read(head()).body.length, 0);
  });

  it("takes no body from 204 and 304, whatever their headers say", () => {
    for (const status of ["HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified"])
      for (const headers of [[], ["Content-Length: 9"], ["Transfer-Encoding: chunked"]])
        assert.equal(read(`${head(headers, status)}some body`).body.length, 0, status);
  });

  it("waits for the answer proper after 100 and 103", () => {
    const early = head(["Link: </x>"], "HTTP/1.1 103 Early Hints") + head([], "HTTP/1.1 100 Continue");
    const answer = read(`${early}${head(["Content-Length: 2"])}{}`);
    assert.deepEqual([answer.status, answer.body.toString(), answer.headers["link"]], [200, "{}", undefined]);
    assert.equal(read(early, head(["Content-Length: 1"]), "x").body.toString(), "x");
    refused(/another protocol/, head(["Upgrade: h2c"], "HTTP/1.1 101 Switching Protocols"));
    refused(/head is too long/, early.repeat(1_000));
  });

  it("reads status lines as servers write them, and no others", () => {
    for (const line of ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 200 OK", "HTTP/1.1 200 Ganz sch\xf6n"])
      assert.equal(read(head([], line)).status, 200, line);
    const bad = ["HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK"];
    const worse = ["http/1.1 200 OK", "HTTP/1.12 200 OK", "HTTP/1.1 099 X", "HTTP/1.1 200OK", " HTTP/1.1 200 OK", ""];
    for (const line of [...bad, ...worse, "HTTP/1.1 200 \0", "HTTP/1.1 200 O\rK", "HTTP/1.1 200 O\nK", "ICY 200 OK"])
      refused(/its first line|does not start/, head([], line));
  });

  it("refuses headers that can be read in two ways", () => {
    const twice = [
      ["Content-Length: 2", "Content-Length: 3"],
      ["Content-Length: 2", "content-length: 2"],
      ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ];
    for (const headers of twice) refused(/it has two headers/, head(headers), "{}");
    const lengths = ["+2", "-2", "0x2", "2,2", "2 2", "2.0", "", "1e1", "\u0662", "9".repeat(16), "2;"];
    for (const length of lengths) refused(/no length/, head([`Content-Length: ${length}`]), "{}");
    const both = [head(["Content-Length: 2", "Transfer-Encoding: chunked"]), "0\r\n\r\n"];
    refused(/a length and a transfer-encoding/, ...both);
    for (const coding of ["gzip", "gzip, chunked", "chunked, chunked", "xchunked", "chunked;q=1", "", "identity"])
      refused(/transfer-encoding is not known/, head([`Transfer-Encoding: ${coding}`]), "0\r\n\r\n");
    refused(/not known/, head(["Transfer-Encoding: chunked"], "HTTP/1.0 200 OK"), "0\r\n\r\n");
    const names = [
      "Content-Length : 2",
      " Content-Length: 2",
      "\tfolded",
      "no colon",
      ": nameless",
      "a b: c",
      "a\0: b",
    ];
    const values = ["X: a\0b", "X: a\rb", "X: a\nContent-Length: 2", "X: \x7f", "X: \x1b[31m"];
    for (const line of [...names, ...values]) refused(/characters that it must not/, head(["A: b", line]), "{}");
  });

  it("caps the head, in one piece and in many, also when it never ends", () => {
    assert.equal(read(head([`X: ${"y".repeat(16_000)}`])).status, 200);
    refused(/head is too long/, head([`X: ${"y".repeat(16_384)}`]));
    refused(/head is too long/, head(["A: b"]).slice(0, -2), ...Array.from({ length: 20_000 }, () => "x"));
    refused(/head is too long/, head(Array.from({ length: 5_000 }, (_, n) => `X-${n}: ${n}`)));
  });

  it("knows at once what does not speak HTTP", () => {
    const reader = createReader();
    assert.throws(() => reader.push(Buffer.from("SSH-2.0-OpenSSH_9.2p1\r\n")), { message: /does not start with HTTP/ });
    assert.equal(createReader().push(Buffer.from("HT")), undefined);
  });

  it("refuses chunks that are not as they say", () => {
    const chunked = head(["Transfer-Encoding: chunked"]);
    const sizes = [
      "",
      "x",
      "0x5",
      "-5",
      "+5",
      " 5",
      "5 ",
      "5 ;a",
      "5\t",
      "5,",
      "f".repeat(17),
      "5;\0",
      "5;a\rb",
      "5;",
      "5; a",
      "5;a=",
      '5;a="b',
      "5;a=[",
      "5;a;",
    ];
    for (const size of sizes) refused(/a chunk has no size/, chunked, `${size}\r\nhello\r\n0\r\n\r\n`);
    refused(/does not end in CRLF/, chunked, "5\nhello\r\n0\r\n\r\n");
    refused(/does not end in CRLF/, chunked, "5\r\nhello\n0\r\n\r\n");
    refused(/longer than its size/, chunked, "4\r\nhello\r\n0\r\n\r\n");
    refused(/ended after 5 bytes/, chunked, "6\r\nhello");
    refused(/ended after 5 bytes/, chunked, "5\r\nhello\r\n0\r\n");
    refused(/larger than/, chunked, `${(8 * MB + 1).toString(16)}\r\n`);
    for (const trailer of ["X: \0", ": 1", "a b: 1", "no colon", " folded"])
      refused(/a header has characters/, chunked, `0\r\n${trailer}\r\n\r\n`);
    refused(/too much around them/, chunked, `1;${"x".repeat(9_000)}\r\na\r\n`.repeat(2));
    refused(/too much around them/, chunked, "0\r\n", `X: ${"y".repeat(9_000)}\r\n`.repeat(2));
    refused(/too long/, chunked, ...Array.from({ length: 20_000 }, () => "1"));
  });

  it("stops at 8 MB, promised or come, and makes no room for what is only promised", () => {
    const block = Buffer.alloc(MB, "x");
    const eight = Array.from({ length: 8 }, () => block);
    assert.equal(read(head([`Content-Length: ${8 * MB}`]), ...eight).body.length, 8 * MB);
    refused(/larger than 8388608 bytes/, head([`Content-Length: ${8 * MB + 1}`]));
    refused(/larger than 8388608 bytes/, head(["Content-Length: 999999999999999"]));
    refused(/larger than 8388608 bytes/, head(), ...eight, "x");
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), block, Buffer.from("\r\n")]);
    refused(
      /larger than 8388608 bytes/,
      head(["Transfer-Encoding: chunked"]),
      ...Array.from({ length: 9 }, () => chunk),
    );
    const before = process.memoryUsage().arrayBuffers;
    const waiting = Array.from({ length: 500 }, () => createReader());
    for (const reader of waiting) reader.push(Buffer.from(`${head([`Content-Length: ${8 * MB}`])}x`));
    assert.ok(process.memoryUsage().arrayBuffers - before < 500 * 0.1 * MB, "0.1 MB each at most");
  });

  it("hands on no half of an answer", () => {
    refused(/ended after 3 bytes of its body/, head(["Content-Length: 4"]), "abc");
    refused(/ended within its head/, "HTTP/1.1 200 OK\r\nContent-Le");
    refused(/ended within its head/, head([], "HTTP/1.1 103 Early Hints"));
    const broken = Object.assign(new Error("reset"), { code: "ECONNRESET" });
    for (const sent of [head(), `${head()}all?`, `${head(["Content-Length: 9"])}some`]) {
      const reader = createReader();
      reader.push(Buffer.from(sent));
      assert.throws(() => reader.end(broken), { kind: "bad_data", message: /broke off/ });
    }
    assert.throws(() => createReader().end(), { kind: "unreachable", message: /without an answer/ });
    assert.throws(() => createReader().end(broken), broken);
  });

  it("offers a connection again only when the server does, and nothing came after the answer", () => {
    const keeps = (status: string, headers: readonly string[], body = "{}") =>
      read(head(["Content-Length: 2", ...headers], status) + body).keepsAlive;
    assert.equal(keeps("HTTP/1.1 200 OK", []), true);
    assert.equal(keeps("HTTP/1.1 200 OK", ["Connection: Keep-Alive"]), true);
    assert.equal(keeps("HTTP/1.1 200 OK", ["Connection: x, CLOSE"]), false);
    assert.equal(keeps("HTTP/1.1 200 OK", ["Connection: x", "Connection: close"]), false);
    assert.equal(keeps("HTTP/1.0 200 OK", []), false);
    assert.equal(keeps("HTTP/1.0 200 OK", ["Connection: keep-alive"]), true);
    assert.equal(keeps("HTTP/1.1 200 OK", [], "{}HTTP/1.1 200 OK\r\n"), false);
    assert.equal(read(head(), "{}").keepsAlive, false, "its end was the connection's");
    const chunked = head(["Transfer-Encoding: chunked"]);
    assert.equal(read(`${chunked}0\r\n\r\n`).keepsAlive, true);
    assert.equal(read(`${chunked}0\r\n\r\nH`).keepsAlive, false);
  });
});

/** Every byte that a server of Node answers with to one request. */
async function bytesOf(port: number, request: string): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.write(request);
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("reader beside Node's own server", () => {
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/).map((name) => `x-${name}`);
  const value = fc.stringMatching(/^[!-~]([ -~\u00e0-\u00ff]{0,20}[!-~])?$/);
  const answers = fc.record({
    status: fc.constantFrom(200, 204, 302, 304, 404, 429, 503),
    headers: fc.dictionary(token, value, { maxKeys: 4 }),
    writes: fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 4 }),
    withLength: fc.boolean(),
    early: fc.boolean(),
    version: fc.constantFrom("1.0", "1.1"),
  });

  it("reads every answer it gives, in whatever pieces it comes", async () => {
    let said: typeof answers extends fc.Arbitrary<infer T> ? T : never;
    const server = createServer((_request, response) => {
      if (said.early) response.writeEarlyHints({ link: "</x>; rel=preload" });
      response.shouldKeepAlive = false;
      for (const [name, text] of Object.entries(said.headers)) response.setHeader(name, text);
      const length = said.writes.reduce((sum, write) => sum + write.length, 0);
      if (said.withLength) response.setHeader("Content-Length", length);
      response.writeHead(said.status);
      for (const write of said.writes) response.write(write);
      response.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      await fc.assert(
        fc.asyncProperty(answers, fc.array(fc.nat(), { maxLength: 6 }), async (answer, cuts) => {
          said = answer;
          const bytes = await bytesOf(port, `GET / HTTP/${answer.version}\r\nHost: x\r\nConnection: close\r\n\r\n`);
          const isBare = answer.status === 204 || answer.status === 304;
          const body = isBare ? Buffer.alloc(0) : Buffer.concat(answer.writes);
          const check = (...pieces: Buffer[]) => {
            const whole = read(...pieces);
            assert.equal(whole.status, answer.status);
            assert.equal(whole.body, body.toString());
            for (const [name, text] of Object.entries(answer.headers)) assert.equal(whole.headers[name], text);
            assert.equal(whole.headers["link"], undefined);
          };
          for (let at = 0; at <= bytes.length; at++) check(bytes.subarray(0, at), bytes.subarray(at));
          check(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)));
          const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
          check(...ends.map((end, n) => bytes.subarray(ends[n - 1] ?? 0, end)));
        }),
        { numRuns: 60 },
      );
    } finally {
      server.close();
    }
  });

  it("takes no part of an answer for the whole of it, unless only the connection's end tells", () => {
    const length = Buffer.from(head(["Content-Length: 12"]).concat("hello, world"));
    const chunks = Buffer.from(head(["Transfer-Encoding: chunked"]).concat("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"));
    for (const bytes of [length, chunks])
      for (let at = 1; at < bytes.length; at++) refused(/ended/, bytes.subarray(0, at));
  });
});
