import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { Application } from "../../src/http/app.ts";
import { isDeeper } from "../../src/http/body.ts";
import { createRate } from "../../src/http/rate.ts";
import { alertWebhookRoute } from "../../src/http/routes/alerts.ts";
import { application, bearer, SECRETS, serve, TOKENS } from "./helpers.ts";

const PATH = "/api/alerts/webhook";
const KEPT = { status: "kept", accepted: 1, rejected: {} } as const;
const MIB = 1_048_576;

/** A server whose webhook answers what `receive` says, and what reached it. */
async function webhook(t: TestContext, receive: Application["receiveAlerts"] = () => KEPT) {
  const received: unknown[] = [];
  const receiveAlerts: Application["receiveAlerts"] = (body) => {
    received.push(body);
    return receive(body);
  };
  const server = await serve(t, { app: application({ receiveAlerts }), tokens: TOKENS });
  const post = async (body: string | Uint8Array | ReadableStream, headers: Record<string, string> = {}) => {
    const answer = await fetch(server.url + PATH, {
      method: "POST",
      body: body as string,
      headers: { ...bearer(SECRETS.alerts), "Content-Type": "application/json", ...headers },
      ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
    } as RequestInit);
    return { status: answer.status, type: answer.headers.get("content-type"), body: await answer.json(), answer };
  };
  return { ...server, received, post };
}
const detail = (answer: { body: unknown; type: string | null }) => {
  assert.equal(answer.type, "application/problem+json");
  return (answer.body as { detail: string }).detail;
};

describe("the webhook", () => {
  it("hands on what was sent, and says what became of it", async (t) => {
    const { post, received } = await webhook(t, () => ({ status: "kept", accepted: 2, rejected: { alert_time: 1 } }));
    const answer = await post('{"alerts":[1,2,3]}');
    assert.deepEqual([answer.status, answer.body], [200, { accepted: 2, rejected: { alert_time: 1 } }]);
    assert.deepEqual(received, [{ alerts: [1, 2, 3] }]);
    assert.equal((await post("{}", { "Content-Type": "application/json; charset=utf-8" })).status, 200);
  });

  it("says so when it is no notification, when no alert can be used, and when nothing can be kept", async (t) => {
    for (const [receipt, status, said] of [
      [{ status: "unreadable" }, 400, /^expected a notification of Grafana or Alertmanager/],
      [
        { status: "kept", accepted: 0, rejected: { alert_time: 2, alert_labels: 1 } },
        400,
        /: 2 alert_time, 1 alert_labels$/,
      ],
      [{ status: "not_kept" }, 503, /^the alerts cannot be kept at the moment$/],
    ] as const) {
      const { post } = await webhook(t, () => receipt);
      const answer = await post("{}");
      assert.equal(answer.status, status);
      assert.match(detail(answer), said);
      assert.equal(answer.answer.headers.get("retry-after"), status === 503 ? "10" : null);
    }
  });

  it("takes an empty notification", async (t) => {
    const { post } = await webhook(t, () => ({ status: "kept", accepted: 0, rejected: {} }));
    assert.equal((await post('{"alerts":[]}')).status, 200);
  });

  it("refuses what is no JSON, before anybody looks at it", async (t) => {
    const { post, received } = await webhook(t);
    const deep = "[".repeat(100_000);
    for (const [body, headers, status, said] of [
      ["{", {}, 400, "expected JSON"],
      ["", {}, 400, "expected JSON"],
      [deep, {}, 400, "expected JSON of at most 32 levels"],
      [new Uint8Array([0x22, 0xff, 0x22]), {}, 400, "expected UTF-8 text"],
      ["{}", { "Content-Type": "text/plain" }, 415, "expected Content-Type: application/json"],
      ["{}", { "Content-Type": "application/json-seq" }, 415, "expected Content-Type: application/json"],
      [gzipSync("{}"), { "Content-Encoding": "gzip" }, 415, "expected a body that is not compressed"],
    ] as const) {
      const answer = await post(body, headers);
      assert.deepEqual([answer.status, detail(answer)], [status, said]);
    }
    assert.deepEqual(received, []);
  });

  it("takes a megabyte and not a byte more, announced or not", async (t) => {
    const { post, received } = await webhook(t);
    const text = (size: number) => JSON.stringify("x".repeat(size - 2));
    assert.equal((await post(text(MIB))).status, 200);
    const announced = await post(text(MIB + 1));
    assert.deepEqual([announced.status, detail(announced)], [413, "expected a body of at most 1048576 bytes"]);
    const chunked = await post(new Blob([text(MIB + 1)]).stream());
    assert.equal(chunked.status, 413);
    assert.equal(received.length, 1);
  });

  it("answers before a body that is too large has come, and hangs up", async (t) => {
    const { port } = await webhook(t);
    const socket = connect(port, "127.0.0.1");
    t.after(() => socket.destroy());
    const head = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${SECRETS.alerts}\r\n`;
    socket.write(`${head}Content-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{`);
    let answer = "";
    for await (const chunk of socket) answer += chunk;
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /\r\nConnection: close\r\n/i);
  });

  it("lets so many come in a minute, and says when to come again", async (t) => {
    let now = 0;
    const routes = [
      alertWebhookRoute(
        application(),
        createRate(2, 60_000, () => now),
      ),
    ];
    const { url } = await serve(t, { routes, tokens: TOKENS });
    const post = () =>
      fetch(url + PATH, {
        method: "POST",
        body: "{}",
        headers: { ...bearer(SECRETS.alerts), "Content-Type": "application/json" },
      });
    assert.deepEqual([(await post()).status, (await post()).status], [200, 200]);
    now = 15_500;
    const refused = await post();
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "45"]);
    now = 60_001;
    assert.equal((await post()).status, 200);
  });

  it("tells a page of another site nothing, whatever it sends", async (t) => {
    const { post, received } = await webhook(t);
    assert.equal((await post("{}", { Origin: "https://evil.example" })).status, 403);
    assert.deepEqual(received, []);
  });
});

describe("the depth of JSON", () => {
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  it("is told from the text alone", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.nat(10), (json, limit) => {
        assert.equal(isDeeper(json, limit), depthOf(JSON.parse(json)) > limit);
      }),
    );
  });

  it("does not count what is quoted", () => {
    assert.equal(isDeeper('["[[[", "\\"[[[", "\\\\"]', 1), false);
  });
});

describe("a rate", () => {
  it("never lets more than its limit into any window", () => {
    const steps = fc.array(fc.nat(50), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (waits, limit) => {
        let now = 0;
        const rate = createRate(limit, 100, () => now);
        const allowed: number[] = [];
        for (const wait of waits) {
          now += wait;
          const left = rate.take();
          if (left === 0) allowed.push(now);
          else {
            now += left;
            assert.equal(rate.take(), 0, "it may come when it was told to");
            allowed.push(now);
          }
        }
        allowed.forEach((at, index) => {
          const before = allowed[index - limit];
          assert.ok(before === undefined || at - before >= 100);
        });
      }),
    );
  });
});
