import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { application, bearer, kit, overview, problemOf, rawGet, SECRETS, serve, TEXT, TOKENS } from "./helpers.ts";

const EVIL: readonly Record<string, string>[] = [
  { Host: "evil.example" },
  { Origin: "http://evil.example" },
  { "Sec-Fetch-Site": "cross-site" },
];

describe("/metrics", () => {
  it("hands the two request headers over and the exposition back", async (t) => {
    const asked: unknown[] = [];
    const body = Buffer.from("gleaner_up 1\n");
    const metrics = async (...headers: unknown[]) => {
      asked.push(headers);
      return {
        contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
        body: gzipSync(body),
        encoding: "gzip" as const,
      };
    };
    const { port } = await serve(t, { app: application({ metrics }) });
    const accept = "application/openmetrics-text;version=1.0.0,*/*;q=0.1";
    const answer = await rawGet(port, "/metrics", { Accept: accept, "Accept-Encoding": "gzip" });
    assert.equal(answer.status, 200);
    assert.equal(
      answer.headers["content-type"],
      "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
    );
    assert.equal(answer.headers["content-encoding"], "gzip");
    assert.equal(answer.headers["vary"], "Accept, Accept-Encoding");
    assert.equal(answer.headers["etag"], undefined);
    assert.equal(gunzipSync(Buffer.from(answer.body, "latin1")).toString(), body.toString());
    await rawGet(port, "/metrics");
    assert.deepEqual(asked, [
      [accept, "gzip"],
      [undefined, undefined],
    ]);
  });

  it("answers HEAD with the same headers and no body", async (t) => {
    const { port } = await serve(t);
    const [get, head] = [await rawGet(port, "/metrics"), await rawGet(port, "/metrics", {}, "HEAD")];
    const { date: _a, ...ofGet } = get.headers;
    const { date: _b, ...ofHead } = head.headers;
    assert.deepEqual(ofHead, ofGet);
    assert.equal(ofHead["content-length"], "13");
    assert.equal(ofHead["content-type"], TEXT);
    assert.equal(get.body, "gleaner_up 1\n");
    assert.equal(head.body, "");
  });

  it("passes another status on, and turns a failure into a 500 that says nothing", async (t) => {
    const failing = application({
      metrics: async () => ({ status: 503, contentType: TEXT, body: Buffer.from("# not yet\n") }),
      otelMetrics: async () => {
        throw new Error("password=hunter2");
      },
    });
    const { url, log } = await serve(t, { app: failing });
    assert.equal((await fetch(`${url}/metrics`)).status, 503);
    const detail = await problemOf(await fetch(`${url}/metrics/otel?token=s3cret`), 500);
    assert.equal(detail, "internal error; the log has the details");
    assert.equal(log.lines.length, 1);
    assert.match(log.lines[0] ?? "", /"route":"\/metrics\/otel"/);
    assert.doesNotMatch(log.lines[0] ?? "", /s3cret/);
  });
});

describe("/-/healthy and /-/ready", () => {
  it("are text, for anyone, and tell the reasons", async (t) => {
    const state = { ready: false, reasons: ["the store does not answer", "no job has run yet"] };
    const { url, port } = await serve(t, {
      app: application({ ready: () => state }),
      tokens: TOKENS,
      listen: { host: "0.0.0.0", port: 0 },
    });
    assert.equal(await (await fetch(`${url}/-/healthy`)).text(), "gleaner is healthy\n");
    const ready = await fetch(`${url}/-/ready`);
    assert.equal(ready.status, 503);
    assert.equal(ready.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(await ready.text(), "gleaner is not ready\nthe store does not answer\nno job has run yet\n");
    assert.equal((await rawGet(port, "/-/ready", {}, "HEAD")).status, 503);
    Object.assign(state, { ready: true, reasons: [] });
    assert.equal((await fetch(`${url}/-/ready`)).status, 200);
  });
});

describe("/sd/kits", () => {
  it("is Prometheus' http_sd, empty when there are no kits", async (t) => {
    const groups = [{ targets: ["127.0.0.1:9470"], labels: { __param_target: "kit-001", kit: "kit-001" } }];
    const { url } = await serve(t, { app: application({ serviceDiscovery: () => groups }) });
    const answer = await fetch(`${url}/sd/kits`);
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.deepEqual(await answer.json(), groups);
    const none = await serve(t);
    assert.equal(await (await fetch(`${none.url}/sd/kits`)).text(), "[]");
  });

  it("is a 500 and never an empty list when the kits cannot be told", async (t) => {
    const app = application({
      serviceDiscovery: () => {
        throw new Error("no");
      },
    });
    const { url } = await serve(t, { app });
    await problemOf(await fetch(`${url}/sd/kits`), 500);
  });
});

describe("/api", () => {
  it("tells jobs and targets as JSON, times in ISO 8601", async (t) => {
    const at = new Date("2026-11-22T12:00:00Z");
    const job = {
      target: "kit-001",
      plugin: "dragonsync",
      job: "drones",
      trigger: "every 5s",
      nextRun: at,
      lastRun: null,
      lastOutcome: null,
      reason: null,
      lastDurationMs: null,
    };
    const state = overview({ kits: [kit({ lastSuccess: at })] });
    const { url } = await serve(t, { app: application({ jobs: () => [job], describe: () => state }) });
    const jobs = await fetch(`${url}/api/jobs`);
    assert.equal(jobs.headers.get("content-type"), "application/json");
    assert.deepEqual(await jobs.json(), { jobs: [{ ...job, nextRun: at.toISOString() }] });
    assert.deepEqual(await (await fetch(`${url}/api/targets`)).json(), JSON.parse(JSON.stringify(state)));
  });
});

describe("everything else", () => {
  it("is a problem document", async (t) => {
    const { url, port } = await serve(t, { tokens: TOKENS });
    for (const path of [
      "/nothing",
      "/Metrics",
      "/metrics/",
      "//metrics",
      "/favicon.ico",
      "/api",
      "/%2e%2e/etc/passwd",
    ]) {
      assert.equal(await problemOf(await fetch(url + path), 404), "nothing is served at this path");
    }
    for (const path of ["/", "/metrics", "/-/healthy"]) {
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        const answer = await fetch(url + path, { method });
        assert.equal(answer.headers.get("allow"), "GET, HEAD");
        assert.equal(answer.headers.get("access-control-allow-origin"), null);
        await problemOf(answer, 405);
      }
    }
    const unauthorized = await fetch(`${url}/metrics`, { headers: bearer("wrong") });
    assert.equal(unauthorized.headers.get("www-authenticate"), 'Bearer realm="gleaner", error="invalid_token"');
    await problemOf(unauthorized, 401);
    await problemOf(await fetch(`${url}/`, { headers: bearer(SECRETS.metrics) }), 403);
    const malformed = await rawGet(port, "/%zz");
    assert.ok([400, 404].includes(malformed.status));
    assert.equal(malformed.headers["content-type"], "application/problem+json");
  });

  it("refuses another Host and another Origin with 403", async (t) => {
    const { port } = await serve(t, { tokens: TOKENS });
    for (const path of ["/", "/metrics", "/api/targets", "/sd/kits", "/probe?target=kit-001"]) {
      for (const headers of EVIL) {
        const answer = await rawGet(port, path, headers);
        assert.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`);
        assert.equal(answer.headers["content-type"], "application/problem+json");
      }
      assert.equal((await rawGet(port, path, { Host: `localhost:${port}` })).status, 200);
    }
    const relayed = await rawGet(port, "/metrics", { "X-Forwarded-For": "127.0.0.1" });
    assert.equal(relayed.status, 401);
  });

  it("carries security headers, and none that tell about us", async (t) => {
    const { url } = await serve(t);
    for (const path of ["/", "/metrics", "/nothing", "/-/healthy"]) {
      const { headers } = await fetch(url + path);
      assert.match(
        headers.get("content-security-policy") ?? "",
        /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-/,
      );
      assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
      assert.doesNotMatch(headers.get("content-security-policy") ?? "", /unsafe/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("referrer-policy"), "no-referrer");
      assert.equal(headers.get("cache-control"), "no-store");
      assert.equal(headers.get("x-powered-by"), null);
      assert.equal(headers.get("etag"), null);
    }
  });

  it("answers 429 with Retry-After to an address that guesses", async (t) => {
    const { url, log } = await serve(t, { tokens: TOKENS });
    for (let n = 0; n < 20; n++) await fetch(`${url}/metrics`, { headers: bearer(`guess-${n}`) });
    const answer = await fetch(`${url}/metrics`, { headers: bearer(SECRETS.admin) });
    assert.match(answer.headers.get("retry-after") ?? "", /^(59|60)$/);
    await problemOf(answer, 429);
    assert.equal(log.lines.length, 1);
  });

  it("never repeats a secret in an answer or a log line", async (t) => {
    const app = application({
      describe: () => {
        throw new Error("describe failed");
      },
    });
    const { url, port, log } = await serve(t, { app, tokens: TOKENS });
    const seen: string[] = [];
    for (const path of [
      "/",
      "/metrics",
      "/nothing",
      "/probe",
      "/api/targets",
      `/${SECRETS.admin}`,
      `/probe?target=${SECRETS.admin}`,
    ]) {
      for (const secret of [...Object.values(SECRETS), `${SECRETS.admin}x`]) {
        for (const method of ["GET", "POST", "HEAD"]) {
          const answer = await rawGet(port, path, { ...bearer(secret), Cookie: secret, "X-Api-Key": secret }, method);
          seen.push(JSON.stringify(answer));
        }
      }
    }
    for (let n = 0; n < 25; n++) seen.push(await (await fetch(url, { headers: bearer(`${SECRETS.read}!`) })).text());
    assert.ok(log.lines.length > 0);
    assert.doesNotMatch([...seen, ...log.lines].join("\n"), /canary-/);
  });
});
