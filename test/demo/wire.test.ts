import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { type KitSim, startKits } from "../../src/demo/kit-sim.ts";
import { rawGet, rawText } from "./raw-client.ts";

interface Capture {
  readonly request: string;
  readonly status: number;
  readonly http_version: string;
  readonly headers: Readonly<Record<string, string>>;
}

const fixture = (name: string) => readFile(new URL(`../fixtures/demo/${name}`, import.meta.url), "latin1");
const captures = JSON.parse(await fixture("http_meta.json")) as Record<string, Capture>;

let now = 1_795_318_204_969;
let sim: KitSim;
before(async () => {
  const faults = { "kit-002": "empty", "kit-003": "booting", "kit-004": "rate_limited" } as const;
  sim = await startKits({ count: 6, faults, clock: () => now });
});
after(() => sim.close());

/** A capture, the kit that is in its state, and the file its body must equal where that does not depend on the world. */
const CASES: readonly (readonly [capture: string, kit: number, body?: string])[] = [
  ["v2head_status_gps_fix", 0],
  ["v2head_drones_mixed_drone_and_aircraft", 0],
  ["v2head_signals_fpv_and_sik_mixed", 0],
  ["v2head_config", 0],
  ["v2head_update_check", 0, "update_check.json"],
  ["v2head_unknown_path_404", 0],
  ["v2head_head_status_501", 0],
  ["v2head_post_drones_501", 0, "post_drones_501.html"],
  ["v2head_drones_empty", 1, "drones_empty.json"],
  ["v2head_signals_empty_or_404", 1],
  ["v2head_status_503_cold_start", 2, "status_503_cold_start.json"],
  ["v2head_rate_limited_429", 3, "rate_limited_429.json"],
  ["v2head_rate_limited_429_status", 3, "rate_limited_429.json"],
];

for (const [name, kit, body] of CASES) {
  test(`is on the wire like ${name}`, async () => {
    const capture = captures[name];
    assert.ok(capture);
    const [method = "", path = ""] = capture.request.split(" ");
    const answer = await rawGet(sim.kits[kit]?.url ?? "", path, { method });
    assert.match(answer.statusLine, new RegExp(`^${capture.http_version} ${capture.status} `));
    assert.equal(answer.end, "closed", "the kit closes though keep-alive was asked for");
    // Python's http.server sends Date after Server on every answer; the captures leave it out because it changes.
    assert.equal(answer.headers[1]?.[0], "Date");
    assert.equal(Date.parse(answer.headers[1]?.[1] ?? ""), Math.floor(now / 1000) * 1000);
    const headers = answer.headers.filter(([header]) => header !== "Date");
    assert.deepEqual(
      headers.map(([header]) => header),
      Object.keys(capture.headers),
    );
    const fixed = headers.filter(([header]) => header !== "Content-Length");
    assert.deepEqual(
      fixed,
      Object.entries(capture.headers).filter(([header]) => header !== "Content-Length"),
    );
    const length = headers.find(([header]) => header === "Content-Length")?.[1];
    if (method !== "HEAD" && length !== undefined) assert.equal(Number(length), answer.body.length);
    if (length === undefined && capture.status === 404) assert.equal(answer.body.length, 0);
    if (body) assert.equal(answer.body.toString("latin1"), await fixture(body));
  });
}

test("status lines say what Python says", async () => {
  const url = sim.kits[0]?.url ?? "";
  assert.equal((await rawGet(url, "/status")).statusLine, "HTTP/1.0 200 OK");
  assert.equal((await rawGet(url, "/nope")).statusLine, "HTTP/1.0 404 Not Found");
  assert.equal((await rawGet(url, "/x", { method: "HEAD" })).statusLine, "HTTP/1.0 501 Unsupported method ('HEAD')");
  assert.equal((await rawGet(url, "/x", { method: "HEAD" })).body.length, 0);
  assert.equal((await rawGet(sim.kits[3]?.url ?? "", "/status")).statusLine, "HTTP/1.0 429 Too Many Requests");
});

test("a path is compared by its beginning, and its query is ignored", async () => {
  const url = sim.kits[0]?.url ?? "";
  const drones = await rawText(url, "/drones");
  assert.equal(await rawText(url, "/drones?since=1&limit=2"), drones);
  assert.equal(await rawText(url, "/dronesfoo"), drones);
  assert.equal((await rawGet(url, "/x/drones")).statusLine, "HTTP/1.0 404 Not Found");
});

test("the 101st answer within 60 s is refused, all paths together, refusals not counted", async () => {
  const url = sim.kits[4]?.url ?? "";
  const ask = async (path: string) => Number((await rawGet(url, path)).statusLine.split(" ")[1]);
  const paths = ["/status", "/drones", "/nope", "/signals"];
  const statuses = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(paths[i % 4] ?? "")));
  assert.deepEqual([...new Set(statuses)].sort(), [200, 404]);
  now += 59_999;
  assert.equal(await ask("/status"), 429);
  now += 1;
  assert.equal(await ask("/status"), 200, "the window slides by when answers were given, not by refusals");
  // HEAD is refused before anything is counted.
  assert.equal((await rawGet(url, "/status", { method: "HEAD" })).statusLine.split(" ")[1], "501");
});

test("the limit can be switched off", async () => {
  await using free = await startKitsDisposable();
  const answers = await Promise.all(Array.from({ length: 105 }, () => rawGet(free.url, "/nope")));
  assert.deepEqual([...new Set(answers.map((answer) => answer.statusLine))], ["HTTP/1.0 404 Not Found"]);
});

async function startKitsDisposable() {
  const one = await startKits({ count: 1, rateLimit: false });
  return { url: one.kits[0]?.url ?? "", [Symbol.asyncDispose]: () => one.close() };
}
