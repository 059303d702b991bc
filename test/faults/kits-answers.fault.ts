import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, constants as zlib } from "node:zlib";
import type { Reader } from "../support/rows.ts";
import { kitState, type Series } from "../support/scrape.ts";
import { type Beside, failures, MEMORY_MB, startBeside } from "./support/beside.ts";
import { type Figures, fault } from "./support/fault.ts";
import { head, rawKits, type Speak, say, track, wellBehaved } from "./support/raw-kit.ts";

const MB = 1024 * 1024;
const HTTP_11 = "HTTP/1.1 200 OK";

/** What the runs of a kit's job failed with, by message. */
async function messages(db: Reader, id: string, job = "drones"): Promise<string[]> {
  const where = `target_id = '${id}' and job = '${job}'`;
  const rows = await db.query(`select distinct error_message from plugin_executions where ${where}`);
  return rows.map((row) => String(row["error_message"]));
}

async function assertFailed(db: Reader, ids: readonly string[], message: RegExp): Promise<void> {
  for (const id of ids) {
    const all = await messages(db, id);
    assert.ok(all.length > 0, `${id} has failed runs`);
    for (const one of all) assert.match(one, message, id);
  }
}

function assertGrowth(before: number, { peakRssMb = Number.POSITIVE_INFINITY }: Figures): void {
  assert.ok(peakRssMb - before <= MEMORY_MB, `${before} MB became ${peakRssMb} MB`);
}

/** Turns simulated kits bad once gleaner is warm. */
async function turn(it: Beside, fault: "huge" | "gzip_bomb" | "deep"): Promise<void> {
  for (const kit of it.bad) await it.sim.setFault(kit, fault);
}

/** Goes on as long as it is read. */
function pour(socket: Socket, block: Buffer): void {
  const more = () => {
    while (socket.writable && socket.write(block));
  };
  socket.on("drain", more);
  more();
}

const chunk = (block: Buffer) =>
  Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from("\r\n")]);
const blanks = Buffer.alloc(64 * 1024, " ");

fault("K4", "bodies without an end, and of 2 GB", { quick: false }, async () => {
  let isBad = false;
  const sent = { bytes: 0 };
  const bad =
    (speak: Speak): Speak =>
    (...request) => {
      if (!isBad) return wellBehaved({})(...request);
      const [socket] = request;
      socket.once("close", () => {
        sent.bytes = Math.max(sent.bytes, socket.bytesWritten);
      });
      speak(...request);
    };
  await using kits = await rawKits({
    chunked: bad((socket) => {
      socket.write(head(["Transfer-Encoding: chunked"], HTTP_11));
      pour(socket, chunk(blanks));
    }),
    "two-gigabytes": bad((socket) => {
      socket.write(head(["Content-Length: 2147483648"], HTTP_11));
      pour(socket, blanks);
    }),
    "one-string": bad((socket) => {
      socket.write(`${head()}{"drones": [{"id": "`);
      pour(socket, Buffer.alloc(64 * 1024, "x"));
    }),
  });
  await using it = await startBeside({ faults: ["healthy", "healthy"], kits: kits.list });
  isBad = true;
  await turn(it, "huge");
  await it.watch(8_000);
  const ids = [...it.bad, ...kits.list.map(({ id }) => id)];
  for (const id of ids) assert.equal(kitState(await it.series(), id), "error", id);
  const figures = await it.finish((db) => assertFailed(db, ids, /larger than 8388608 bytes/));
  assertGrowth(it.baseRssMb, figures);
  assert.ok(sent.bytes < 32 * MB, `${sent.bytes} bytes were taken of one answer`);
  return { ...figures, note: `${it.baseRssMb} MB before; ${Math.round(sent.bytes / MB)} MB sent at most` };
});

fault("K5", "bombs: gzip, deflate, brotli, and bombs in bombs", { quick: true }, async () => {
  const zeros = Buffer.alloc(256 * MB);
  const gzip = gzipSync(zeros);
  const brotli = brotliCompressSync(zeros, { params: { [zlib.BROTLI_PARAM_QUALITY]: 3 } });
  let isBad = false;
  const encoded =
    (body: Buffer, encoding: string): Speak =>
    (...request) =>
      isBad ? say(request[0], body, [`Content-Encoding: ${encoding}`], HTTP_11) : wellBehaved({})(...request);
  await using kits = await rawKits({
    gzip: encoded(gzip, "gzip"),
    deflate: encoded(deflateSync(zeros), "deflate"),
    brotli: encoded(brotli, "br"),
    upper: encoded(gzip, "GZIP"),
    nested: encoded(gzipSync(gzip), "gzip, gzip"),
    inside: encoded(gzipSync(gzip), "gzip"),
    two: encoded(brotli, "br, identity"),
    nameless: encoded(gzip, "constructor"),
    unpacked: encoded(gzip, "identity"),
    damaged: encoded(gzip.subarray(100), "gzip"),
  });
  await using it = await startBeside({ faults: ["healthy", "healthy"], kits: kits.list });
  isBad = true;
  await turn(it, "gzip_bomb");
  await it.watch(8_000);
  const ids = [...it.bad, ...kits.list.map(({ id }) => id)];
  const series = await it.series();
  for (const id of ids) {
    assert.equal(kitState(series, id), "error", id);
    assert.ok(failures(series, id, "bad_data") > 0, id);
  }
  const figures = await it.finish(async (db) => {
    const bombs = ["gzip", "deflate", "brotli", "upper"];
    // Simulated kits make their bomb when they are first asked for it, and a busy machine may unpack for too long.
    await assertFailed(db, [...it.bad, ...bombs], /larger than 8388608 bytes|no answer within/);
    for (const id of bombs) assert.match((await messages(db, id)).join(), /larger than 8388608 bytes/, id);
    await assertFailed(db, ["nested", "two", "nameless"], /content-encoding ".*" is not supported/);
    await assertFailed(db, ["inside", "unpacked"], /not JSON/);
  });
  assertGrowth(it.baseRssMb, figures);
  return { ...figures, note: `${it.baseRssMb} MB before` };
});

const one = (id: string, fields = {}) => JSON.stringify({ drones: [track(id, fields)] });

/** In order at first, and then what the test is about. */
const firstGood = (id: string, later: (n: number) => string | Buffer): Speak =>
  wellBehaved({ drones: (n) => (n < 6 ? [track(`${id}-good`)] : later(n)) });

const gauge = (series: Series, id: string) => series.get(`gleaner_kit_drones{kit="${id}",track_type="drone"}`);

fault("K6", "bodies that are no JSON, and JSON in disguise", { quick: false }, async () => {
  const bodies: Readonly<Record<string, (id: string) => string | Buffer>> = {
    invalid: () => '{"drones": [{"id": "a",}]}',
    python: () => "{'drones': []}",
    truncated: (id) => one(`${id}-lost`).slice(0, -20),
    twice: (id) => one(`${id}-lost`).repeat(2),
    utf16: (id) => Buffer.from(`\ufeff${one(`${id}-lost`)}`, "utf16le"),
    empty: () => "",
    blank: () => "   \n",
    html: () => "<!DOCTYPE html><html><body>Please sign in</body></html>",
    text: () => '"drones"',
    nothing: () => "null",
    "other-list": (id) => one(`${id}-lost`).replace('"drones"', '"aircraft"'),
    zeros: () => Buffer.alloc(1_000),
    binary: () => Buffer.from(Array.from({ length: 4_096 }, (_, i) => (i * 89) % 256)),
  };
  const bad = Object.entries(bodies).map(([id, body]) => [id, firstGood(id, () => body(id))] as const);
  await using kits = await rawKits({
    ...Object.fromEntries(bad),
    bom: wellBehaved({ drones: () => `\ufeff${one("bom")}` }),
    latin1: wellBehaved({ drones: () => Buffer.from(one("latin1", { description: "caf\u00e9" }), "latin1") }),
  });
  await using it = await startBeside({ faults: ["garbage", "html", "empty_body"], kits: kits.list });
  await it.watch(8_000);
  const series = await it.series();
  for (const id of it.bad) assert.ok(failures(series, id, "bad_data") > 0, id);
  for (const [id] of bad) {
    assert.equal(kitState(series, id), "error", id);
    assert.ok(failures(series, id, "bad_data") > 0, id);
    assert.equal(gauge(series, id), 1, `${id}: what was last known is kept`);
  }
  for (const id of ["bom", "latin1"]) assert.equal(kitState(series, id), "online", id);
  return await it.finish(async (db) => {
    for (const [id] of bad) {
      const rows = await db.query(`select distinct drone_id from drones where kit_id = '${id}'`);
      assert.deepEqual(rows, [{ drone_id: `${id}-good` }], id);
    }
    await assertFailed(db, ["html"], /not JSON .* the body starts with "<!DOCTYPE html>/);
    await assertFailed(db, ["truncated"], /the body starts with "\{/);
    await assertFailed(db, ["empty"], /the body is empty/);
    const kept = await db.query("select distinct kit_id, description from drones where kit_id in ('bom', 'latin1')");
    assert.deepEqual(kept.map((row) => row["description"]).sort(), [null, "caf\ufffd"].sort());
  });
});

const nested = (depth: number, open = "[", close = "]") => `${open.repeat(depth)}${close.repeat(depth)}`;

fault("K8", "answers nested a million deep", { quick: false }, async () => {
  const within = (id: string, what: string) => `{"drones": [${JSON.stringify(track(id)).slice(0, -1)}, "x": ${what}}]}`;
  const million = nested(1_000_000);
  const objects = nested(300_000, '{"a":', "}").replace(":}", ":1}");
  await using kits = await rawKits({
    list: firstGood("list", () => `{"drones": ${million}}`),
    field: firstGood("field", () => within("field-lost", million)),
    bare: firstGood("bare", () => million),
    unclosed: firstGood("unclosed", () => "[".repeat(2_000_000)),
    objects: firstGood("objects", () => within("objects-lost", objects)),
    // The list, its entry and the object around them are three levels of the 32.
    edge: firstGood("edge", () => within("edge-kept", nested(29))),
    over: firstGood("over", () => within("over-lost", nested(30))),
    quoted: firstGood("quoted", () => within("quoted-kept", JSON.stringify("[".repeat(400)))),
  });
  await using it = await startBeside({ faults: ["healthy", "healthy"], kits: kits.list });
  await turn(it, "deep");
  await it.watch(8_000);
  const series = await it.series();
  const deep = ["list", "field", "bare", "unclosed", "objects", "over"];
  for (const id of [...it.bad, ...deep]) {
    assert.equal(kitState(series, id), "error", id);
    assert.ok(failures(series, id, "bad_data") > 0, id);
  }
  for (const id of ["edge", "quoted"]) assert.equal(kitState(series, id), "online", id);
  return await it.finish(async (db) => {
    await assertFailed(db, [...it.bad, ...deep], /nested deeper than 32 levels/);
    const ids = (await db.query("select distinct drone_id from drones")).map((row) => String(row["drone_id"]));
    assert.deepEqual(
      ids.filter((id) => id.endsWith("-lost")),
      [],
    );
    assert.deepEqual(ids.filter((id) => id.endsWith("-kept")).sort(), ["edge-kept", "quoted-kept"]);
  });
});

fault("K16", "answers that break off, lie about their length, or are none", { quick: true }, async () => {
  const half = (id: string) => one(id).slice(0, 60);
  const reset = (socket: Socket, text: string) => void socket.write(text, () => socket.resetAndDestroy());
  const broken: Readonly<Record<string, Speak>> = {
    "chunk-abort": (socket) => {
      const start = head(["Transfer-Encoding: chunked"], HTTP_11);
      socket.write(start.concat(chunk(Buffer.from(one("chunk-abort"))).toString()), () => socket.destroy());
    },
    "chunk-lies": (socket) =>
      socket.end(head(["Transfer-Encoding: chunked"], HTTP_11).concat("fffffffffffffffffff\r\n{}")),
    "reset-body": (socket) => reset(socket, head(["Content-Length: 4000"]).concat(one("reset-body"))),
    "reset-headers": (socket) => reset(socket, "HTTP/1.0 200 OK\r\nContent-"),
    "too-long": (socket) => socket.end(head(["Content-Length: 4000"]).concat(one("too-long"))),
    "too-short": (socket) => socket.end(head(["Content-Length: 50"]).concat(one("too-short"))),
    "no-length": (socket) => socket.end(head().concat(half("no-length"))),
    "204": (socket) => socket.end(head([], "HTTP/1.1 204 No Content").concat(one("204"))),
    "304": (socket) => socket.end(head([], "HTTP/1.1 304 Not Modified").concat(one("304"))),
    "206": (socket) => say(socket, half("206"), ["Content-Range: bytes 0-59/900"], "HTTP/1.1 206 Partial Content"),
    "two-lengths": (socket) =>
      socket.end(head(["Content-Length: 5000", `Content-Length: ${one("x").length}`]).concat(one("x"))),
    "length-and-chunks": (socket) =>
      socket.end(head(["Content-Length: 4", "Transfer-Encoding: chunked"], HTTP_11).concat(one("length-and-chunks"))),
    "negative-length": (socket) => socket.end(head(["Content-Length: -1"]).concat(one("negative-length"))),
    "big-header": (socket) => say(socket, one("big-header"), [`X-Big: ${"x".repeat(1_000_000)}`]),
    "many-headers": (socket) =>
      say(
        socket,
        one("many-headers"),
        Array.from({ length: 20_000 }, (_, n) => `X-${n}: ${n}`),
      ),
    "no-http": (socket) => socket.end("SSH-2.0-OpenSSH_9.2p1\r\n"),
    "http-2": (socket) => socket.end(Buffer.from("000000040000000000", "hex")),
    silence: (socket) => socket.end(),
    gone: (socket) => socket.destroy(),
  };
  const fine: Readonly<Record<string, Speak>> = {
    "double-headers": (socket) => say(socket, one("double-headers"), ["Content-Type: a/b", "Content-Type: text/html"]),
    pipelined: (socket) => {
      const answer = head([`Content-Length: ${one("pipelined").length}`], HTTP_11).concat(one("pipelined"));
      socket.end(answer.concat(head(["Content-Length: 2"], HTTP_11), "{}"));
    },
  };
  await using kits = await rawKits({ ...broken, ...fine });
  await using it = await startBeside({ faults: ["reset", "truncated"], kits: kits.list });
  await it.watch(6_000);
  const series = await it.series();
  for (const id of [...it.bad, ...Object.keys(broken)]) {
    assert.ok(["error", "offline"].includes(kitState(series, id) ?? ""), `${id} is ${kitState(series, id)}`);
    assert.equal(failures(series, id, "bug"), 0, `${id}: the failure is the kit's`);
  }
  return await it.finish(async (db) => {
    const stored = await db.query("select distinct kit_id from drones where kit_id not like 'kit-%' order by kit_id");
    assert.deepEqual(
      stored.map((row) => row["kit_id"]),
      Object.keys(fine).sort(),
    );
  });
});
