import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { retryAfterMs, urlOf } from "../../../src/plugins/dragonsync/http.ts";
import { dragonsync } from "../../../src/plugins/dragonsync.ts";
import { type Answer, captured, collect, giving, json, NOW, rejected, startKit } from "./support.ts";

describe("configuration", () => {
  const check = (value: unknown) => dragonsync.config.safeParse(value);

  it("is the kit's base URL, http or https", () => {
    for (const api_url of [
      "http://10.0.0.7:8088",
      "https://kit.example/a/b/",
      "http://kit-7.local",
      "http://[fd00::1]:1/",
    ]) {
      assert.deepEqual(check({ api_url }).data, { api_url });
    }
  });

  it("refuses anything else, without repeating credentials", () => {
    const wrong = [
      "",
      "kit",
      "ftp://a/",
      "file:///etc/passwd",
      "http://",
      "http://a/?x=1",
      "http://a/#x",
      7,
      null,
      "javascript:1",
    ];
    for (const api_url of wrong) assert.equal(check({ api_url }).success, false, String(api_url));
    const secret = check({ api_url: "http://user:hunter2@10.0.0.7" });
    assert.equal(secret.success, false);
    assert.match(String(secret.error), /without user, password/);
    assert.doesNotMatch(String(secret.error), /hunter2/);
    assert.equal(check({ api_url: "http://a", token: "x" }).success, false);
    assert.equal(check({}).success, false);
  });
});

describe("requests", () => {
  it("keep a path prefix and tolerate slashes at its end", async () => {
    assert.equal(urlOf("http://a:1", "/drones"), "http://a:1/drones");
    assert.equal(urlOf("http://a:1//", "/drones"), "http://a:1/drones");
    await using kit = await startKit({ "/kits/7/drones": json({ drones: [] }) });
    await collect("drones", { http: kit.http, url: `${kit.url}/kits/7/` });
    assert.deepEqual(kit.paths, ["/kits/7/drones"]);
  });

  it("turn every status but 2xx into http_status, redirects included", async () => {
    for (const status of [301, 302, 304, 307, 400, 401, 403, 404, 418, 500, 501, 502, 503, 504]) {
      await using kit = await startKit({ "/drones": { status, headers: { location: "/signals" }, body: "" } });
      await assert.rejects(collect("drones", kit), {
        name: "CollectError",
        kind: "http_status",
        status,
        retryAfter: undefined,
      });
      assert.deepEqual(kit.paths, ["/drones"], "no redirect followed");
    }
  });

  it("pass on what the client says about time and reach", async () => {
    await using kit = await startKit({});
    const { url } = kit;
    await kit[Symbol.asyncDispose]();
    await using other = await startKit({});
    await assert.rejects(collect("drones", { http: other.http, url }), { kind: "unreachable" });
    const aborted = { http: other.http, url: other.url, signal: AbortSignal.abort() };
    for (const job of ["drones", "signals", "status", "about"] as const) {
      await assert.rejects(collect(job, aborted), { name: "CollectError", kind: "timeout" });
    }
  });

  it("do not take an answer that came after the deadline: its rows were never given", async () => {
    const state = new Map<string, unknown>();
    const late = { http: giving('{"drones":[{"id":"a"}]}'), state };
    await assert.rejects(collect("drones", { ...late, signal: AbortSignal.abort() }), { kind: "timeout" });
    assert.equal(state.size, 0);
    assert.equal((await collect("drones", late)).rows?.length, 1);
  });
});

describe("Retry-After", () => {
  it("is seconds or an HTTP date, at most 5 minutes; anything else is nothing", () => {
    const inAMinute = new Date(NOW.getTime() + 60_000).toUTCString();
    const cases: readonly [string | undefined, number | undefined][] = [
      ["60", 60_000],
      [" 7 ", 7_000],
      ["0", 0],
      ["300", 300_000],
      ["1000000000", 300_000],
      ["9".repeat(400), 300_000],
      [inAMinute, 60_000],
      ["Fri, 31 Dec 2199 23:59:59 GMT", 300_000],
      ["Wed, 21 Oct 2015 07:28:00 GMT", undefined],
      ["-5", undefined],
      ["1.5", undefined],
      ["1e9", undefined],
      ["soon", undefined],
      ["2099", 300_000],
      ["Mon", undefined],
      ["", undefined],
      [undefined, undefined],
    ];
    for (const [header, expected] of cases) assert.equal(retryAfterMs(header, NOW), expected, header);
  });

  it("counts on a 503 too, of /status also: a kit that boots says nothing of when", async () => {
    const busy = { status: 503, headers: { "retry-after": "60" } };
    await using kit = await startKit({ "/drones": busy, "/status": busy });
    await assert.rejects(collect("drones", kit), { status: 503, retryAfter: 60_000 });
    await assert.rejects(collect("status", kit), { status: 503, retryAfter: 60_000 });
  });

  it("is of no account on other statuses", async () => {
    await using kit = await startKit({ "/drones": { status: 500, headers: { "retry-after": "60" } } });
    await assert.rejects(collect("drones", kit), { status: 500, retryAfter: undefined });
  });
});

describe("about", () => {
  const about = async (config: Answer, update: Answer) => {
    await using kit = await startKit({ "/config": config, "/update/check": update });
    return await collect("about", kit);
  };
  const CONFIG = captured("v2head_config");

  it("one document that is missing is no failure of the other", async () => {
    for (const status of [404, 500, 503]) {
      const first = await about(CONFIG, { status });
      assert.deepEqual([first.documents?.map((d) => d.name), rejected(first)], [["config"], {}]);
      const second = await about({ status }, json({ ok: false, error: "no git" }));
      assert.deepEqual([second.documents?.map((d) => d.name), rejected(second)], [["update_check"], {}]);
    }
  });

  it("both missing is nothing here", async () => {
    await assert.rejects(about({ status: 404 }, { status: 503 }), { name: "NothingHere" });
  });

  it("one that breaks is counted beside the other, and is the failure when alone", async () => {
    for (const broken of [{ status: 429 }, json([1]), json({ a: "x".repeat(70_000) }), { status: 200, body: "{" }]) {
      const half = await about(CONFIG, broken);
      assert.deepEqual([half.documents?.length, rejected(half)], [1, { document_failed: 1 }]);
      await assert.rejects(about({ status: 404 }, broken), { name: "CollectError" });
    }
    await assert.rejects(about({ status: 500 }, { status: 429, headers: { "retry-after": "9" } }), {
      retryAfter: 9_000,
    });
  });

  it("stores what any json column takes", async () => {
    const { documents } = await about(
      { status: 200, body: '{"a":"\\u0000\\ud800","__proto__":{"x":1},"n":NaN}' },
      { status: 404 },
    );
    assert.equal(JSON.stringify(documents?.[0]?.body), '{"a":"\u2400\ufffd","__proto__":{"x":1},"n":null}');
  });
});
