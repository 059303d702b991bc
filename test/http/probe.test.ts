import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { probeDeadline } from "../../src/http/routes/probe.ts";
import { application, bearer, problemOf, serve, TEXT } from "./helpers.ts";

describe("/probe", () => {
  it("takes its deadline from Prometheus' timeout", () => {
    const table: [string | undefined, number][] = [
      ["2", 1_500],
      ["10.25", 9_750],
      ["0.4", 200],
      ["600", 59_500],
      [undefined, 9_500],
      ["", 9_500],
      ["0", 9_500],
      ["-3", 9_500],
      ["NaN", 9_500],
      ["Infinity", 9_500],
      ["soon", 9_500],
    ];
    for (const [header, expected] of table) assert.equal(probeDeadline(header), expected, header);
  });

  it("collects the target with that deadline and answers with the exposition", async (t) => {
    const asked: unknown[] = [];
    const app = application({
      probe: async (id, deadline, signal) => {
        asked.push([id, deadline, signal.aborted]);
        return { contentType: TEXT, body: Buffer.from("probe_success 0\n") };
      },
    });
    const { url } = await serve(t, { app });
    const headers = { "X-Prometheus-Scrape-Timeout-Seconds": "2" };
    const answer = await fetch(`${url}/probe?target=kit%20001&module=x`, { headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), TEXT);
    assert.equal(await answer.text(), "probe_success 0\n");
    assert.deepEqual(asked, [["kit 001", 1_500, false]]);
  });

  it("has a content type on every path", async (t) => {
    const probe = async (id: string) => {
      if (id === "kit-001") return { contentType: TEXT, body: Buffer.from("") };
      if (id === "broken") throw new Error("broken");
      return "unknown_target" as const;
    };
    const { url } = await serve(t, { app: application({ probe }) });
    assert.equal((await fetch(`${url}/probe?target=kit-001`)).headers.get("content-type"), TEXT);
    assert.match(await problemOf(await fetch(`${url}/probe?target=kit-999`), 404), /no target has this id/);
    for (const query of ["", "?target=", "?target=a&target=b", "?module=x"]) {
      assert.match(await problemOf(await fetch(`${url}/probe${query}`), 400), /target is needed/);
    }
    await problemOf(await fetch(`${url}/probe?target=broken`), 500);
    await problemOf(await fetch(`${url}/probe?target=kit-001`, { method: "POST" }), 405);
    await problemOf(await fetch(`${url}/probe?target=kit-001`, { headers: bearer("wrong") }), 401);
  });

  it("gives up a probe that overstays its deadline, and tells it", async (t) => {
    const aborted = Promise.withResolvers<void>();
    const app = application({
      probe: (_id, _deadline, signal) => {
        signal.addEventListener("abort", () => aborted.resolve());
        return new Promise(() => {});
      },
    });
    const { url } = await serve(t, { app });
    const headers = { "X-Prometheus-Scrape-Timeout-Seconds": "0.1" };
    await problemOf(await fetch(`${url}/probe?target=kit-001`, { headers }), 504);
    await aborted.promise;
  });

  it("stops the collection when the client goes away, without an error in the log", async (t) => {
    const started = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const app = application({
      probe: (_id, _deadline, signal) => {
        started.resolve();
        const { promise, reject } = Promise.withResolvers<never>();
        signal.addEventListener("abort", () => {
          reject(signal.reason);
          aborted.resolve();
        });
        return promise;
      },
    });
    const { url, log } = await serve(t, { app });
    const client = new AbortController();
    const answer = fetch(`${url}/probe?target=kit-001`, { signal: client.signal });
    await started.promise;
    client.abort();
    await assert.rejects(answer, { name: "AbortError" });
    await aborted.promise;
    assert.deepEqual(log.lines, []);
  });
});
