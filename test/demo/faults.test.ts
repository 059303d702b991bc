import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createGunzip } from "node:zlib";
import { demoHelp } from "../../src/demo/demo.ts";
import { FAULTS, type FaultText, parseFault } from "../../src/demo/faults.ts";
import { type KitSim, startKits } from "../../src/demo/kit-sim.ts";
import { rawGet, rawJson, rawText } from "./raw-client.ts";

const START = 1_795_318_204_969;
let now = START;
let sim: KitSim;
let url: string;
before(async () => {
  sim = await startKits({
    count: 2,
    drones: 20,
    aircraft: 4,
    signals: 5,
    fresh: true,
    rateLimit: false,
    clock: () => now,
  });
  url = sim.kits[0]?.url ?? "";
});
after(() => sim.close());

const tested = new Set<string>(["healthy"]);

/** One mode, seen from a plain socket; the kit is healthy again afterwards. */
function mode(fault: FaultText, what: string, check: () => Promise<void>): void {
  tested.add(parseFault(fault).mode);
  test(`${fault}: ${what}`, async () => {
    await sim.setFault("kit-001", fault);
    try {
      await check();
    } finally {
      await sim.setFault("kit-001", "healthy");
    }
    assert.match((await rawGet(url, "/status")).statusLine, / 200 OK$/, "healthy again");
  });
}

const ids = async () => ((await rawJson(url, "/drones")) as { drones: { id: string }[] }).drones.map(({ id }) => id);
const statusOf = async (path: string) => Number((await rawGet(url, path)).statusLine.split(" ")[1]);

mode("slow:60", "answers whole, and late", async () => {
  const start = performance.now();
  const answer = await rawGet(url, "/drones");
  assert.ok(performance.now() - start >= 58);
  assert.equal(JSON.parse(answer.body.toString()).drones.length, 24);
});

mode("hung", "takes the request and says nothing", async () => {
  const answer = await rawGet(url, "/drones", { patience: 60 });
  assert.deepEqual([answer.statusLine, answer.end], ["", "gave up"]);
});

mode("hung_body", "sends its headers and no body", async () => {
  const answer = await rawGet(url, "/drones", { linger: 40 });
  assert.equal(answer.statusLine, "HTTP/1.0 200 OK");
  assert.ok(Number(answer.headers.at(-1)?.[1]) > 1_000);
  assert.deepEqual([answer.body.length, answer.end], [0, "gave up"]);
});

mode("drip:5", "sends a byte at a time", async () => {
  const start = performance.now();
  const some = await rawGet(url, "/drones", { linger: 60 });
  const most = Math.ceil((performance.now() - start) / 5);
  assert.equal(some.end, "gave up");
  assert.ok(some.body.length >= 1 && some.body.length <= most, `${some.body.length} bytes of at most ${most}`);
  await sim.setFault("kit-001", "drip:1");
  assert.deepEqual((await rawText(url, "/update/check")).slice(-2), "e}", "the whole of a short body arrives");
});

mode("refused", "has its port closed", async () => {
  const answer = await rawGet(url, "/drones");
  assert.deepEqual([answer.end, answer.code], ["error", "ECONNREFUSED"]);
});

mode("reset", "resets in the middle of the body", async () => {
  const answer = await rawGet(url, "/drones");
  assert.deepEqual([answer.end, answer.code], ["error", "ECONNRESET"]);
});

mode("truncated", "closes before Content-Length is reached", async () => {
  const answer = await rawGet(url, "/drones");
  assert.equal(answer.end, "closed");
  assert.equal(answer.body.length, Math.floor(Number(answer.headers.at(-1)?.[1]) / 2));
});

for (const [fault, body] of [
  ["http_503", '{"error": "drone manager unavailable"}'],
  ["http_500", '{"error": "drones unavailable"}'],
] as const)
  mode(fault, "fails on every path", async () => {
    for (const path of ["/status", "/drones", "/signals", "/config", "/update/check"])
      assert.equal(await statusOf(path), Number(fault.slice(-3)));
    assert.equal(await rawText(url, "/drones"), body);
  });

mode("booting:30", "has no status for as long as said", async () => {
  assert.deepEqual([await statusOf("/status"), await statusOf("/drones"), await statusOf("/signals")], [503, 200, 200]);
  now += 29_999;
  assert.equal(await statusOf("/status"), 503);
  now += 1;
  assert.equal(await statusOf("/status"), 200);
});

mode("rate_limited", "refuses every path with the same wait", async () => {
  const answer = await rawGet(url, "/signals");
  assert.match(answer.statusLine, / 429 /);
  assert.deepEqual(answer.headers.at(-1), ["Retry-After", "60"]);
});

mode("garbage", "is no JSON", async () => {
  const answer = await rawGet(url, "/drones");
  assert.match(answer.statusLine, / 200 OK$/);
  assert.throws(() => JSON.parse(answer.body.toString()), SyntaxError);
  assert.equal(Number(answer.headers.at(-1)?.[1]), answer.body.length);
});

mode("html", "is a page", async () => {
  const answer = await rawGet(url, "/status");
  assert.match(answer.statusLine, / 200 OK$/);
  assert.ok(answer.headers.some(([name, value]) => name === "Content-Type" && value === "text/html"));
  assert.match(answer.body.toString(), /^<!DOCTYPE html>/);
});

mode("nan", "has one track without numbers", async () => {
  const text = await rawText(url, "/drones");
  assert.throws(() => JSON.parse(text), SyntaxError);
  assert.match(text, /"lat": NaN, "lon": Infinity, "alt": -Infinity/);
  assert.equal(JSON.parse(text.replaceAll(/: (NaN|-?Infinity)/g, ": null")).drones.length, 24);
  assert.equal(text.match(/NaN/g)?.length, 1);
});

mode("empty", "lists nothing", async () => {
  assert.deepEqual(await rawJson(url, "/drones"), { drones: [] });
  assert.deepEqual(await rawJson(url, "/signals"), { signals: [] });
  assert.equal(await statusOf("/status"), 200);
});

mode("empty_body", "has no body", async () => {
  const answer = await rawGet(url, "/drones");
  assert.match(answer.statusLine, / 200 OK$/);
  assert.deepEqual([answer.headers.at(-1), answer.body.length], [["Content-Length", "0"], 0]);
});

mode("no_signals", "does not know the path", async () => {
  const answer = await rawGet(url, "/signals");
  assert.equal(answer.statusLine, "HTTP/1.0 404 Not Found");
  assert.deepEqual([answer.headers.map(([name]) => name), answer.body.length], [["Server", "Date"], 0]);
  assert.equal(await statusOf("/drones"), 200);
});

mode("frozen_status", "answers with a status that stands still", async () => {
  const before = await rawJson(url, "/status");
  const drones = await rawText(url, "/drones");
  now += 120_000;
  assert.deepEqual(await rawJson(url, "/status"), before);
  assert.notEqual(await rawText(url, "/drones"), drones);
});

mode("identity_change", "is another kit by its own account", async () => {
  const { uid } = await rawJson(url, "/status");
  assert.match(uid, /^wardragon-/);
  assert.notEqual(uid, sim.kits[0]?.uid);
  const { drones } = await rawJson(url, "/drones");
  assert.equal(drones[0].seen_by, uid);
});

mode("unknown_identity", "does not know its serial number", async () => {
  assert.equal((await rawJson(url, "/status")).uid, "wardragon-unknown");
});

for (const [fault, seconds] of [
  ["clock_ahead", 3_600],
  ["clock_behind", -3_600],
] as const)
  mode(fault, "tells times an hour off", async () => {
    const { drones } = await rawJson(url, "/drones");
    const { signals } = await rawJson(url, "/signals");
    const times = [
      drones[0].last_update_time,
      signals[0].observed_at,
      (await rawJson(url, "/status")).last_update_time,
    ];
    const date = (await rawGet(url, "/status")).headers.find(([name]) => name === "Date")?.[1] ?? "";
    times.push(Date.parse(date) / 1000);
    for (const time of times) assert.ok(Math.abs(time - now / 1000 - seconds) <= 30, `${time - now / 1000}`);
  });

mode("huge", "does not end, and stops when the client leaves", async () => {
  const answer = await rawGet(url, "/drones", { enough: 8 * 1024 * 1024 });
  assert.equal(answer.end, "gave up");
  assert.ok(!answer.headers.some(([name]) => name === "Content-Length"));
  assert.match(answer.body.subarray(0, 14).toString(), /^\{"drones": \[ /);
});

mode("gzip_bomb", "is small, valid, and unpacks to 512 MB", async () => {
  const answer = await rawGet(url, "/drones");
  assert.ok(answer.headers.some(([name, value]) => name === "Content-Encoding" && value === "gzip"));
  assert.ok(answer.body.length < 600_000, `${answer.body.length} bytes`);
  let size = 0;
  let last = "";
  // The stream checks length and checksum at its end.
  for await (const chunk of createGunzip({ chunkSize: 1024 * 1024 }).end(answer.body)) {
    size += chunk.length;
    last = chunk.subarray(-2).toString();
  }
  assert.deepEqual([size, last], [512 * 1024 * 1024 + '{"drones": []}'.length, "]}"]);
});

mode("redirect", "points to another port, where a visit shows", async () => {
  const answer = await rawGet(url, "/drones?x=1");
  assert.equal(answer.statusLine, "HTTP/1.0 302 Found");
  const location = new URL(answer.headers.find(([name]) => name === "Location")?.[1] ?? "");
  assert.notEqual(location.port, new URL(url).port);
  assert.equal(location.pathname + location.search, "/drones?x=1");
  const before = sim.stats().redirected;
  assert.deepEqual(await rawJson(location.origin, "/drones"), { drones: [] });
  assert.equal(sim.stats().redirected, before + 1);
});

mode("deep", "is nested a million deep", async () => {
  const text = await rawText(url, "/drones");
  assert.equal(text.length, 2_000_000 + '{"drones": }'.length);
  assert.throws(() => JSON.stringify(JSON.parse(text)), RangeError);
});

mode("proto", "names things as JavaScript does", async () => {
  const listed = await ids();
  for (const id of ["__proto__", "constructor", "toString"]) assert.ok(listed.includes(id));
  const body = await rawJson(url, "/drones");
  assert.ok(Object.hasOwn(body, "__proto__") && Object.hasOwn(body.drones[0], "__proto__"));
});

mode("many_ids", "has a hundred new ids at each tick", async () => {
  const all = new Set<string>();
  for (let i = 0; i < 5; i++, now += 100) for (const id of await ids()) all.add(id);
  assert.equal(all.size, 500);
  const [first] = await ids();
  now += 100 * 1_000;
  assert.equal((await ids())[0], first, "after 100,000 they begin again");
});

mode("duplicate_ids", "lists one observation three times", async () => {
  const { drones } = await rawJson(url, "/drones");
  assert.equal(drones.length, 26);
  assert.deepEqual(drones[0], drones[1]);
  assert.deepEqual({ ...drones[2], alt: drones[0].alt }, drones[0]);
  assert.notEqual(drones[2].alt, drones[0].alt);
});

mode("wrong_types", "lists what is no track beside what is", async () => {
  const { drones } = await rawJson(url, "/drones");
  const tracks = drones.filter((one: { id?: unknown } | null) => typeof one?.id === "string" && one.id.length > 5);
  assert.equal(tracks.length, 24);
  for (const kind of ["number", "object", "string", "boolean"])
    assert.ok(drones.some((one: unknown) => typeof one === kind));
});

test("every mode is tested here, and explained in the help text", () => {
  assert.deepEqual([...tested].sort(), Object.keys(FAULTS).sort());
  for (const name of Object.keys(FAULTS)) assert.match(demoHelp(), new RegExp(`^  ${name} +\\S`, "m"));
});

test("an unknown fault, number or kit is an error that says what there is", async () => {
  assert.throws(() => parseFault("slwo"), /unknown fault "slwo"; there are: healthy, slow, /);
  assert.throws(() => parseFault("slow:fast"), /expected a number after slow:, got "fast"/);
  assert.throws(() => parseFault("slow:"), RangeError);
  assert.throws(() => parseFault("constructor"), RangeError);
  await assert.rejects(sim.setFault("kit-9", "hung"), /unknown kit kit-9/);
  await assert.rejects(startKits({ count: 1, faults: { "kit-002": "hung" } }), /unknown kit kit-002/);
});

test("a fault of one kit is not seen at another", async () => {
  await sim.setFault(0, "garbage");
  assert.equal((await rawJson(sim.kits[1]?.url ?? "", "/drones")).drones.length, 24);
  await sim.setFault(0, "healthy");
});
