import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sample } from "../../../src/model/sample.ts";
import { tellChange } from "../../../src/plugins/web/harvest.ts";
import { webServiceMonitor } from "../../../src/plugins/web_service_monitor.ts";
import { type Certificate, makeAuthority, selfSigned } from "../../faults/support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { contextOf, undeclared } from "../../support/plugins.ts";
import { withoutProgram } from "../../support/program.ts";
import { type Nginx, startNginx } from "../../support/servers/nginx.ts";
import { freePort } from "../../support/servers/port.ts";
import { withoutServer } from "../../support/servers/service.ts";

const NOW = new Date("2026-01-02T03:04:05Z");

interface Asking {
  readonly endpoints: readonly object[];
  readonly signal?: AbortSignal;
}

async function collect({ endpoints, signal = new AbortController().signal }: Asking) {
  const config = webServiceMonitor.config.parse({ endpoints });
  const collected = await webServiceMonitor.jobs.endpoints.collect(
    { id: "web", config, tags: {} },
    contextOf({ signal, now: () => NOW }),
  );
  assert.deepEqual(undeclared(webServiceMonitor, collected), []);
  return collected;
}

/** Values of one endpoint by metric; of states the one that is 1. */
function read(samples: readonly Sample[], endpoint: string) {
  const own = samples.filter(({ labels }) => labels?.["endpoint"] === endpoint);
  const value = (metric: string) => own.find((sample) => sample.metric === metric)?.value;
  return {
    up: value("http_up"),
    failure: own.find((sample) => sample.metric === "http_failure" && sample.value === 1)?.labels?.["reason"],
    status: value("http_status_code"),
    bytes: value("http_response_size_bytes"),
    match: value("http_content_match"),
    redirects: value("http_redirects"),
    trusted: value("http_tls_trusted"),
    expires: value("http_tls_expiry_timestamp_seconds"),
    left: value("http_tls_expiry_seconds"),
    duration: value("http_duration_seconds") ?? Number.NaN,
    phases: Object.fromEntries(
      own
        .filter(({ metric }) => metric === "http_response_seconds")
        .map(({ labels, value }) => [labels?.["phase"] ?? "", value]),
    ),
  };
}

/** Asks one endpoint. */
async function ask(settings: object) {
  const { samples, rejected } = await collect({ endpoints: [{ ...settings, name: "it" }] });
  assert.deepEqual(rejected, []);
  return read(samples, "it");
}

/** A server that writes what a test gives it, and remembers what it was asked. */
async function rawServer(answer: (socket: Socket, asked: string) => void) {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on("error", () => undefined)
      .once("data", (data) => {
        heard.push(data.toString());
        answer(socket, data.toString().split(" ")[1] ?? "");
      });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    open: () => [...sockets].filter((socket) => !socket.destroyed).length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const answered = (body: string, headers = "") =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;

describe("web_service_monitor against nginx", { skip: withoutServer("nginx") || withoutProgram("openssl") }, () => {
  const folder = temporaryFolder();
  let nginx: Nginx;
  let ca: string;
  let base: string;
  const secure: Record<string, string> = {};

  before(async () => {
    const authority = makeAuthority(folder, "authority");
    ca = authority.file;
    const expiry = { from: "20200101000000Z", to: "20200601000000Z" };
    const certificates: Record<string, Certificate> = {
      good: authority.issue("good", { host: "DNS:localhost", to: "20991231235959Z" }),
      expired: authority.issue("expired", { host: "DNS:localhost", ...expiry }),
      wrong: authority.issue("wrong", { host: "DNS:other.example" }),
      own: selfSigned(folder, "own", "-addext", "subjectAltName=DNS:localhost"),
    };
    folder.write("users", "reader:{PLAIN}s3cret\n");
    nginx = await startNginx(5, ([port, ...tlsPorts]) =>
      [
        `server { listen 127.0.0.1:${port}; server_name localhost;
           location / { default_type text/html; return 200 "<h1>Welcome</h1>\nversion 7\n"; }
           location /moved { return 302 /; }
           location /elsewhere { return 302 http://127.0.0.1:${port}/echo; }
           location /to-tls { return 301 https://localhost:${tlsPorts[0]}/; }
           location /loop { return 302 /loop; }
           location /out { return 302 ftp://127.0.0.1/; }
           location /echo { return 200 "auth=$http_authorization x=$http_x_key method=$request_method\n"; }
           location /teapot { return 418 "no"; }
           location /broken { return 500 "oops"; }
           location /private { auth_basic "x"; auth_basic_user_file ${folder.at("users")}; return 204; }
           location /private/page { auth_basic "x"; auth_basic_user_file ${folder.at("users")}; alias ${folder.at("users")}; }
         }`,
        ...Object.entries(certificates).map(
          ([, { file, keyFile }], index) =>
            `server { listen 127.0.0.1:${tlsPorts[index]} ssl;
               ssl_certificate ${file}; ssl_certificate_key ${keyFile};
               location / { return 200 "secret for $http_x_key"; } }`,
        ),
      ].join("\n"),
    );
    base = `http://localhost:${nginx.ports[0]}`;
    Object.keys(certificates).forEach((name, index) => {
      secure[name] = `https://localhost:${nginx.ports[index + 1]}/`;
    });
  });
  after(async () => {
    await nginx?.stop();
    folder[Symbol.dispose]();
  });

  it("says that a page answers, how large it is, and where the time went", async () => {
    const found = await ask({ url: `${base}/`, content: "^version \\d$" });
    const { up, failure, status, bytes, match, redirects, trusted, phases, duration } = found;
    assert.deepEqual(
      { up, failure, status, bytes, match, redirects, trusted },
      { up: 1, failure: undefined, status: 200, bytes: 27, match: 1, redirects: 0, trusted: undefined },
    );
    assert.deepEqual(Object.keys(phases), ["resolve", "connect", "processing", "transfer"]);
    const sum = Object.values(phases).reduce((total, seconds) => total + seconds, 0);
    assert.ok(sum > 0 && sum <= duration && duration < 5, `${sum} of ${duration}`);
    assert.deepEqual(Object.keys((await ask({ url: `http://127.0.0.1:${nginx.ports[0]}/` })).phases)[0], "connect");
  });

  it("judges status and content as it is told", async () => {
    const teapot = { url: `${base}/teapot` };
    const failed = await ask(teapot);
    assert.deepEqual([failed.up, failed.failure, failed.status], [0, "status", 418]);
    assert.equal((await ask({ ...teapot, expected_status: [204, "410-420"] })).up, 1);
    assert.equal((await ask({ ...teapot, expected_status: ["5xx"] })).up, 0);
    const missing = await ask({ url: `${base}/`, content: "Goodbye" });
    assert.deepEqual([missing.up, missing.failure, missing.match], [0, "content", 0]);
    assert.equal((await ask({ url: `${base}/`, content_absent: "Welcome" })).failure, "content");
    assert.equal((await ask({ url: `${base}/`, content_absent: "Error" })).match, 1);
    assert.equal((await ask({ url: `${base}/broken` })).failure, "status");
  });

  it("follows redirects, but not for ever and not out of the web, and tells no other origin who asks", async () => {
    const moved = await ask({ url: `${base}/moved` });
    assert.deepEqual([moved.up, moved.redirects, moved.status], [1, 1, 200]);
    const unmoved = await ask({ url: `${base}/moved`, max_redirects: 0, expected_status: [302] });
    assert.deepEqual([unmoved.up, unmoved.redirects, unmoved.status], [1, 0, 302]);
    const loop = await ask({ url: `${base}/loop`, max_redirects: 3 });
    assert.deepEqual([loop.failure, loop.redirects], ["redirect", 3]);
    assert.equal((await ask({ url: `${base}/out` })).failure, "redirect");
    const tls = await ask({ url: `${base}/to-tls`, tls_ca_file: ca });
    assert.deepEqual([tls.up, tls.trusted, tls.redirects], [1, 1, 1]);

    const who = { headers: { "X-Key": "k" }, bearer_token: "t0ken" };
    const same = `http://127.0.0.1:${nginx.ports[0]}`;
    assert.equal((await ask({ url: `${same}/echo`, ...who, content: "^auth=Bearer t0ken x=k method=GET$" })).up, 1);
    assert.equal((await ask({ url: `${same}/elsewhere`, ...who, content: "^auth=Bearer t0ken x=k " })).up, 1);
    // The same server by another name is another origin.
    assert.equal((await ask({ url: `${base}/elsewhere`, ...who, content: "^auth= x= method=GET$" })).up, 1);
    assert.equal((await ask({ url: `${base}/echo`, method: "POST", body: "x", content: "method=POST" })).up, 1);
  });

  it("logs in with a password out of the settings or a file, and counts a file that is not there without naming secrets", async () => {
    const page = { url: `${base}/private/page`, username: "reader" };
    assert.equal((await ask({ url: page.url })).status, 401);
    assert.equal((await ask({ ...page, password: "wrong" })).status, 401);
    assert.equal((await ask({ ...page, password: "s3cret" })).status, 200);
    assert.equal((await ask({ ...page, password_file: folder.write("password", "s3cret\n") })).status, 200);
    const { samples, rejected } = await collect({
      endpoints: [
        { ...page, name: "keyless", password_file: folder.at("gone") },
        { url: `${base}/`, name: "other" },
      ],
    });
    assert.deepEqual(rejected, [
      { reason: "settings", detail: `keyless: the file ${folder.at("gone")}, named by password_file, does not exist` },
    ]);
    assert.deepEqual([read(samples, "keyless").up, read(samples, "other").up], [undefined, 1]);
  });

  it("knows a certificate it can trust, and sends nothing to a server with another", async () => {
    const good = await ask({ url: secure["good"], tls_ca_file: ca });
    assert.deepEqual([good.up, good.trusted], [1, 1]);
    assert.equal(good.expires, Date.parse("2099-12-31T23:59:59Z") / 1000);
    assert.equal(good.left, (Date.parse("2099-12-31T23:59:59Z") - NOW.getTime()) / 1000);
    assert.ok((good.phases["tls"] ?? 0) > 0);

    const unknown = await ask({ url: secure["good"] });
    assert.deepEqual([unknown.up, unknown.failure, unknown.trusted, unknown.status], [0, "tls", 0, undefined]);
    for (const name of ["wrong", "expired", "own"]) {
      const found = await ask({ url: secure[name], tls_ca_file: ca });
      assert.deepEqual([found.failure, found.trusted, found.status], ["tls", 0, undefined], name);
    }
    const expired = await ask({ url: secure["expired"], verify_tls: false, content: "^secret" });
    assert.deepEqual([expired.up, expired.trusted, expired.status], [1, 0, 200]);
    assert.ok((expired.left ?? 0) < 0);
    const plain = await ask({ url: `https://localhost:${nginx.ports[0]}/` });
    assert.deepEqual([plain.failure, plain.trusted], ["tls", undefined]);
  });

  it("asks many at the same time", async () => {
    const endpoints = Array.from({ length: 100 }, (_, i) => ({ url: `${base}/`, name: `page ${i}` }));
    const { samples } = await collect({ endpoints });
    assert.equal(samples.filter(({ metric, value }) => metric === "http_up" && value === 1).length, 100);
  });
});

describe("web_service_monitor against servers that misbehave", () => {
  it("tells apart why there is no answer", async () => {
    await using server = await rawServer((socket, path) => {
      if (path === "/rubbish") socket.end("SSH-2.0-OpenSSH_9.2\r\n");
      if (path === "/short") socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
      if (path === "/reset") socket.resetAndDestroy();
      if (path === "/headers") socket.end(`HTTP/1.1 200 OK\r\nX-Big: ${"y".repeat(100_000)}\r\n\r\n`);
      if (path === "/large") socket.end(answered("x".repeat(8 * 1024 * 1024 + 1)));
      if (path === "/cookie") socket.end(answered("ok", "Set-Cookie: a=b\r\n"));
      // "/silent" hears nothing at all.
    });
    const failure = async (path: string) => (await ask({ url: server.url + path, timeout_seconds: 2 })).failure;
    for (const path of ["/rubbish", "/short", "/reset", "/headers"])
      assert.equal(await failure(path), "protocol", path);
    assert.equal(await failure("/large"), "too_large");
    assert.equal(await failure("/cookie"), undefined);
    const begun = performance.now();
    assert.equal((await ask({ url: `${server.url}/silent`, timeout_seconds: 0.2 })).failure, "timeout");
    assert.ok(performance.now() - begun < 1_000);
    const closed = await ask({ url: `http://127.0.0.1:${await freePort()}/` });
    assert.deepEqual([closed.up, closed.failure], [0, "connect"]);
    // Too long for a name: known to be none without asking anybody.
    assert.equal((await ask({ url: `http://${"x".repeat(64)}.invalid/` })).failure, "resolve");
    await eventually(() => assert.equal(server.open(), 0, "no connection is left"));
  });

  it("ends at once when its run does, with nothing left open", async () => {
    await using server = await rawServer(() => undefined);
    const controller = new AbortController();
    const run = collect({ endpoints: [{ url: `${server.url}/` }], signal: controller.signal });
    while (server.heard.length === 0) await sleep(5);
    const begun = performance.now();
    controller.abort(new Error("over"));
    await assert.rejects(run, /over/);
    assert.ok(performance.now() - begun < 100);
    await eventually(() => assert.equal(server.open(), 0));
  });

  it("keeps what may be a key in a query out of its labels", async () => {
    await using server = await rawServer((socket) => socket.end(answered("")));
    const { samples } = await collect({ endpoints: [{ url: `${server.url}/health?key=hush` }] });
    assert.match(server.heard[0] ?? "", /^GET \/health\?key=hush HTTP\/1\.1\r\n/);
    assert.equal(samples[0]?.labels?.["endpoint"], `${server.url}/health`);
    assert.doesNotMatch(JSON.stringify(samples), /hush/);
  });
});

describe("the log", () => {
  it("says once that a thing is not well, and once that it is again", () => {
    const said: string[] = [];
    const say = (fields: object, text: string) => void said.push(`${Object.values(fields).join()}: ${text}`);
    const context = contextOf({ log: { debug: say, info: say, warn: say, error: say } });
    const refused = { reason: "connect", detail: "refused" };
    const late = { reason: "timeout", detail: "late" };
    for (const trouble of [undefined, refused, refused, late, undefined, undefined])
      tellChange(context, "shop", trouble);
    assert.deepEqual(said, ["shop,connect,refused: not well", "shop,timeout,late: not well", "shop: well again"]);
  });
});

describe("the settings of web_service_monitor", () => {
  const problem = (...endpoints: object[]) =>
    webServiceMonitor.config
      .safeParse({ endpoints })
      .error?.issues.map(({ message }) => message)
      .join();
  const url = "http://127.0.0.1/";

  it("are refused with what was expected", () => {
    for (const bad of ["ftp://a/", "http://u:p@a/", "http://@a/", "http://a/#x", "a", "http://", "http://a b/", 5])
      assert.ok(problem({ url: bad }), String(bad));
    assert.match(problem({ url, expected_status: ["6xx"] }) ?? "", /expected HTTP statuses/);
    assert.match(problem({ url, expected_status: ["299-200"] }) ?? "", /expected HTTP statuses/);
    assert.match(problem({ url, content: "(" }) ?? "", /expected a regular expression/);
    assert.match(problem({ url, headers: { "X-A": "a\r\nX-B: b" } }) ?? "", /on one line/);
    assert.match(problem({ url, headers: { "X A": "a" } }) ?? "", /./);
    assert.match(problem({ url }, { url: `${url}?b` }) ?? "", /each endpoint once/);
    assert.match(problem({ url, password: "x" }) ?? "", /expected a username/);
    assert.match(problem({ url, username: "u", password: "x", password_file: "y" }) ?? "", /only one of password/);
    assert.match(problem({ url, bearer_token: "u", bearer_token_file: "y" }) ?? "", /only one of bearer/);
    assert.match(problem({ url, username: "u", bearer_token: "t" }) ?? "", /either a username or a bearer/);
    assert.equal(problem({ url, expected_status: [200, "3xx", "400-404"] }), undefined);
  });
});
