import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Application } from "../../src/http/app.ts";
import { application, bearer, plugin, SECRETS, serve, TOKENS } from "./helpers.ts";

const VIEW = plugin();

async function served(t: TestContext, answer: Awaited<ReturnType<Application["changePlugin"]>>) {
  const asked: unknown[] = [];
  const app = application({
    plugins: () => [VIEW],
    changePlugin: async (...args) => {
      asked.push(args);
      return answer;
    },
  });
  const { url } = await serve(t, { app, tokens: TOKENS });
  const send = async (method: string, path: string, body: unknown, token = SECRETS.admin) => {
    const response = await fetch(url + path, {
      method,
      body: JSON.stringify(body),
      headers: { ...bearer(token), "Content-Type": "application/json" },
    });
    return { status: response.status, body: (await response.json()) as { detail?: string } };
  };
  return { url, asked, send };
}

describe("/api/plugins", () => {
  it("lists plugins for readers, and changes them for administrators only", async (t) => {
    const { url, send, asked } = await served(t, { status: "changed", plugin: VIEW });
    const list = await fetch(`${url}/api/plugins`, { headers: bearer(SECRETS.read) });
    assert.deepEqual(await list.json(), { plugins: [VIEW] });
    const change = (token: string) => send("POST", "/api/plugins/thing/enable", { enabled: false }, token);
    assert.equal((await change(SECRETS.read)).status, 403);
    assert.equal((await fetch(`${url}/api/plugins/thing/enable`, { method: "POST" })).status, 401);
    assert.deepEqual(asked, []);
    assert.deepEqual(await change(SECRETS.admin), { status: 200, body: VIEW });
    assert.deepEqual(asked, [["thing", { enabled: false }]]);
    assert.equal((await send("PUT", "/api/plugins/thing/config", { config: { interval: 5 } })).status, 200);
    assert.deepEqual(asked[1], ["thing", { config: { interval: 5 } }]);
  });

  it("takes just what it expects", async (t) => {
    const { send, asked } = await served(t, { status: "changed", plugin: VIEW });
    for (const body of [null, [], {}, { enabled: "yes" }, { enabled: true, more: 1 }, 7])
      assert.equal((await send("POST", "/api/plugins/thing/enable", body)).status, 400, JSON.stringify(body));
    for (const body of [null, {}, { config: [] }, { config: null }, { config: {}, enabled: true }])
      assert.equal((await send("PUT", "/api/plugins/thing/config", body)).status, 400, JSON.stringify(body));
    assert.equal((await send("PUT", "/api/plugins/thing/config", { config: { a: "x".repeat(102_400) } })).status, 413);
    assert.deepEqual(asked, []);
  });

  it("says what became of a change", async (t) => {
    const cases = [
      [{ status: "unknown" }, 404, /no plugin has this id/],
      [{ status: "no_database" }, 503, /database cannot be reached/],
      [{ status: "refused", problems: ["one", "two"] }, 400, /^one; two$/],
    ] as const;
    for (const [answer, status, said] of cases) {
      const { send } = await served(t, answer);
      const got = await send("POST", "/api/plugins/thing/enable", { enabled: true });
      assert.equal(got.status, status);
      assert.match(got.body.detail ?? "", said);
    }
  });
});
