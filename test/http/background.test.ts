import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Application } from "../../src/http/app.ts";
import { application, problemOf, serve } from "./helpers.ts";

async function served(t: TestContext) {
  const asked: unknown[] = [];
  const app: Partial<Application> = {
    buffers(...args) {
      asked.push(args);
      return args[0] === "none" ? undefined : { target: args[0], jobs: [], memory: { used: 1, limit: 2 } };
    },
    health(component) {
      asked.push(component);
      if (component === "none") return undefined;
      return { overall: "healthy", trend: "stable", since: null, components: [], alerts: [] };
    },
  };
  const { url } = await serve(t, { app: application(app) });
  return { asked, get: (path: string) => fetch(url + path) };
}

describe("/api/buffers/:target", () => {
  it("asks for the newest ten, for so many, or for those since a time", async (t) => {
    const { asked, get } = await served(t);
    const since = Date.parse("2026-03-01T12:00:00Z");
    const cases: [string, unknown[]][] = [
      ["one", ["one", 10, undefined]],
      ["one?limit=1000", ["one", 1_000, undefined]],
      ["kit%3A1?limit=3", ["kit:1", 3, undefined]],
      ["one?since=2026-03-01T12:00:00Z", ["one", 1_000, since]],
      ["one?since=2026-03-01T12:00:00", ["one", 1_000, since]],
      ["one?since=2026-03-01T14:00:00%2B02:00&limit=7", ["one", 7, since]],
      [`one?since=${since / 1_000}.5`, ["one", 1_000, since + 500]],
    ];
    for (const [path] of cases) assert.equal((await get(`/api/buffers/${path}`)).status, 200, path);
    assert.deepEqual(
      asked,
      cases.map(([, args]) => args),
    );
  });

  it("says what it expects", async (t) => {
    const { asked, get } = await served(t);
    for (const limit of ["0", "1001", "-1", "ten", "1.5", "", "1e2", "1&limit=2"])
      assert.match(
        await problemOf(await get(`/api/buffers/one?limit=${limit}`), 400),
        /limit to be a whole number/,
        limit,
      );
    for (const since of ["yesterday", "", "2026-03-01", "2026-13-01T00:00:00Z", "-5", "1&since=2"])
      assert.match(await problemOf(await get(`/api/buffers/one?since=${since}`), 400), /since to be a time/, since);
    assert.match(await problemOf(await get("/api/buffers/one?count=5"), 400), /no query parameters but/);
    assert.deepEqual(asked, []);
    assert.match(await problemOf(await get("/api/buffers/none"), 404), /no target has this id/);
  });
});

describe("/api/health", () => {
  it("shows all components, or one", async (t) => {
    const { asked, get } = await served(t);
    assert.equal(((await (await get("/api/health")).json()) as { overall: string }).overall, "healthy");
    assert.equal((await get("/api/health?component=job/a/b")).status, 200);
    assert.deepEqual(asked, [undefined, "job/a/b"]);
    assert.match(await problemOf(await get("/api/health?component=none"), 404), /no component has this name/);
    assert.match(await problemOf(await get("/api/health?component=a&component=b"), 400), /component, once/);
    assert.match(await problemOf(await get("/api/health?state=critical"), 400), /component, once/);
  });
});
