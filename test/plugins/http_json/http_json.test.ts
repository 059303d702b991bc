import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { mapping } from "../../../src/plugins/http_json/mapping.ts";
import { at, PathError, parsePath, select } from "../../../src/plugins/http_json/path.ts";
import { readDocument } from "../../../src/plugins/http_json/read.ts";
import { httpJson } from "../../../src/plugins/http_json.ts";
import { makeAuthority } from "../../faults/support/certificates.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { withoutProgram } from "../../support/program.ts";
import { type Nginx, startNginx } from "../../support/servers/nginx.ts";
import { freePort } from "../../support/servers/port.ts";
import { withoutServer } from "../../support/servers/service.ts";

const metric = { metric: "x_celsius", path: "a" };

describe("paths", () => {
  const found = (document: unknown, path: string) => select(document, parsePath(path), 100).map(({ value }) => value);

  it("lead to fields, elements, and through lists and maps", () => {
    const document = { a: { "b c": [1, { d: 2 }, { d: 3, kind: "x" }] }, $: 4, "": 5, 'q"': 6 };
    const cases: Record<string, unknown[]> = {
      $: [document],
      '$.a."b c"[0]': [1],
      'a."b c"[-1].d': [3],
      'a."b c"[].d': [undefined, 2, 3],
      'a."b c"[kind=x].d': [3],
      'a."b c"["kind"="x"].d': [3],
      '{name}."b c"[9]': [undefined, undefined, undefined, undefined],
      '"$"': [4],
      '""': [5],
      '"q\\""': [6],
      "a.b.c": [undefined],
      "a[]": [],
    };
    for (const [path, expected] of Object.entries(cases)) assert.deepEqual(found(document, path), expected, path);
    assert.deepEqual(found([[1, 2], [3]], "[][0]"), [1, 3]);
    assert.deepEqual(found([{ k: true }, { k: 1 }], "[k=true].k"), [true]);
  });

  it("never lead into what JavaScript adds", () => {
    for (const path of ["constructor", "__proto__", "a.toString", "[0].length", "length"])
      assert.deepEqual(found({ a: "text" }, path).filter(Boolean), [], path);
  });

  it("that cannot be read are refused with the place", () => {
    const bad = { "a..b": 2, "a.": 2, "": 1, "a[": 2, "a[x]": 2, "a b": 2, "a.{B}": 2, "$.$.": 4, "a'": 2, '"a': 1 };
    for (const [path, place] of Object.entries(bad))
      assert.throws(() => parsePath(path), new RegExp(`cannot be read from character ${place} on`), path);
    assert.throws(() => parsePath('"\\x"'), PathError);
    assert.throws(() => parsePath(Array.from({ length: 40 }, () => "a").join(".")), PathError);
  });

  it("are read or refused, whatever they are", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'a.[]{}"\\=0-$') })), (text) => {
        try {
          assert.ok(Array.isArray(parsePath(text)));
        } catch (error) {
          assert.ok(error instanceof PathError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("of quoted names lead to any field of any object", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), fc.jsonValue(), (names, value) => {
        const document = names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
        // Made so, a field __proto__ is none.
        fc.pre(!names.includes("__proto__"));
        assert.deepEqual(at(document, parsePath(names.map((name) => JSON.stringify(name)).join("."))), value);
      }),
    );
  });
});

describe("documents", () => {
  const mappings = [
    { ...metric, path: "{a}[].b", labels: { c: "{a}[].c" } },
    { ...metric, metric: "y", path: "[].{a}", values: { x: 1 } },
    { ...metric, metric: "z", path: "$", states: ["a", "b"] },
    { ...metric, metric: "t_timestamp_seconds", path: "{a}.{b}", time: true, max_series: 2 },
  ].map((one) => mapping.parse(one));

  it("of any kind give numbers or faults, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (document) => {
        const { samples, rejected, missing } = readDocument(document, mappings);
        for (const { value, labels } of samples) {
          assert.ok(Number.isFinite(value));
          for (const text of Object.values(labels ?? {})) assert.equal(typeof text, "string");
        }
        for (const { count } of rejected) assert.ok((count ?? 0) > 0);
        const series = samples.map(({ metric, labels }) => JSON.stringify([metric, labels]));
        assert.equal(new Set(series).size, series.length, "no series twice");
        assert.ok(missing <= mappings.length);
      }),
      { numRuns: 300 },
    );
  });

  it("of millions of elements are cut off in time", () => {
    const one = mapping.parse({ ...metric, path: "[]", max_series: 10 });
    const document = Array.from({ length: 2_000_000 }, () => 1);
    const begun = performance.now();
    const { samples, rejected } = readDocument(document, [one]);
    assert.equal(samples.length, 1);
    assert.deepEqual(
      rejected.map(({ reason }) => reason),
      ["too_many_series", "duplicate"],
    );
    assert.ok(performance.now() - begun < 500);
  });
});

describe("the settings of http_json", () => {
  const problem = (...metrics: object[]) =>
    httpJson.config
      .safeParse({ url: "http://127.0.0.1/", metrics })
      .error?.issues.map(({ message }) => message)
      .join();

  it("are refused with what was expected", () => {
    const cases: [object, RegExp][] = [
      [{ metric: "X", path: "a" }, /snake_case/],
      [{ metric: "gleaner_x", path: "a" }, /without the prefix/],
      [{ metric: "x", path: "a b" }, /cannot be read from character 2/],
      [{ metric: "x", path: "a", type: "counter" }, /end in _total/],
      [{ metric: "x_total", path: "a" }, /without _total, or the type counter/],
      [{ metric: "x", path: "a", from: "ms" }, /ends in _seconds/],
      [{ metric: "x", path: "a", time: true }, /ends in _timestamp_seconds/],
      [{ metric: "x", path: "a", info: true }, /ends in _info/],
      [{ metric: "x", path: "a", values: { a: 1 }, states: ["a", "b"] }, /at most one of/],
      [{ metric: "x_bytes", path: "a", from: "KiB", scale: 2 }, /at most one of from and scale/],
      [{ metric: "x", path: "{room}.a", labels: { room: "b" } }, /each label once/],
      [{ metric: "x", path: "a", states: ["a", "b"], labels: { state: "b" } }, /each label once/],
      [{ metric: "x", path: "a", labels: { job: "b" } }, /another label than job/],
      [{ metric: "x", path: "{target}.a" }, /another label than target/],
      [{ metric: "x", path: "a[].b", labels: { c: "d[].e" } }, /goes through the same lists/],
      [{ metric: "http_json_missing_paths", path: "a" }, /other names than/],
    ];
    for (const [settings, expected] of cases) assert.match(problem(settings) ?? "accepted", expected);
    assert.match(problem(metric, metric) ?? "", /each metric once/);
    assert.equal(
      problem({ metric: "x_seconds_total", path: "a[].b", type: "counter", from: "ms", labels: { c: "a[].c" } }),
      undefined,
    );
  });
});

describe("http_json against nginx", { skip: withoutServer("nginx") || withoutProgram("openssl") }, () => {
  const folder = temporaryFolder();
  let nginx: Nginx;
  let authority: string;

  before(async () => {
    const root = makeAuthority(folder, "root");
    authority = root.file;
    const { file, keyFile } = root.issue("server", { host: "IP:127.0.0.1" });
    folder.write("users", "reader:{PLAIN}s3cret\n");
    folder.write("now.json", `{"outside":{"t":21.5},"padding":"${"x".repeat(5_000)}"}`);
    nginx = await startNginx(
      2,
      ([port, tlsPort]) => `server { listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl;
        ssl_certificate ${file}; ssl_certificate_key ${keyFile}; gzip on; gzip_types *; root ${folder.path};
        location /closed/ { auth_basic x; auth_basic_user_file ${folder.at("users")}; alias ${folder.path}/; }
        location /busy { add_header Retry-After 7 always; return 503; } location /moved { return 302 /now.json; } }`,
    );
  });
  after(async () => {
    await nginx?.stop();
    folder[Symbol.dispose]();
  });

  const config = (path: string, settings: object = {}) => ({
    url: `http://127.0.0.1:${nginx.ports[0]}${path}`,
    metrics: [{ metric: "outside_celsius", path: "outside.t" }],
    ...settings,
  });
  const value = async (settings: object) => (await collect(httpJson, settings)).value("outside_celsius");

  it("reads a document that is sent compressed, behind a password, and over TLS", async () => {
    assert.equal(await value(config("/now.json")), 21.5);
    const login = { username: "reader", password_file: folder.write("password", "s3cret\n") };
    assert.equal(await value(config("/closed/now.json", login)), 21.5);
    const url = `https://127.0.0.1:${nginx.ports[1]}/now.json`;
    assert.equal(await value(config("", { url, tls_ca_file: authority })), 21.5);
    await fails(httpJson, config("", { url }), "unreachable", /./);
  });

  it("says what is wrong, and no secret", async () => {
    const wrong = { username: "reader", password: "hush" };
    await fails(
      httpJson,
      config("/closed/now.json?key=hush", wrong),
      "http_status",
      /HTTP 401 .*closed\/now.json: are user/,
      "hush",
    );
    await fails(httpJson, config("/users"), "bad_data", /not JSON/, "s3cret");
    await fails(httpJson, config("/moved"), "http_status", /redirect, which is not followed/);
    await fails(httpJson, config("/none"), "http_status", /HTTP 404/);
    await fails(httpJson, config("/now.json", { tls_ca_file: folder.at("gone") }), "bad_data", /does not exist/);
    await fails(httpJson, config("", { url: `http://127.0.0.1:${await freePort()}/` }), "unreachable", /ECONNREFUSED/);
    await assert.rejects(value(config("/busy")), { kind: "http_status", status: 503, retryAfter: 7_000 });
  });

  it("ends at once when its run does, with nothing left open", () =>
    endsWhenAborted(httpJson, (port) => config("", { url: `http://127.0.0.1:${port}/` })));
});
