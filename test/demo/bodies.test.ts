import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { type KitSim, startKits } from "../../src/demo/kit-sim.ts";
import { rawText } from "./raw-client.ts";

type Body = Readonly<Record<string, unknown>>;

const fixture = (name: string) => readFile(new URL(`../fixtures/demo/${name}.json`, import.meta.url), "latin1");
const fixtures = (...names: string[]) => Promise.all(names.map(fixture));

const TRACKS = ["mixed_drone_and_aircraft", "dji_pilot_home", "sik_mavlink_promoted", "ble_wifi_esp32_caa_first"];
// An encrypted drone was captured beside one without coordinates only; what stands for those is no type of a field.
const encrypted = (await fixture("drones_nan_INVALID_JSON")).replaceAll(/: (NaN|-?Infinity)/g, ": 0.0");
const captured = {
  drones: [...(await fixtures(...TRACKS.map((name) => `drones_${name}`))), encrypted],
  signals: await fixtures("signals_fpv_and_sik_mixed", "signals_energy_confirm_only_false"),
  status: await fixtures("status_gps_fix", "status_static_gps_no_sdr_temps"),
};

let sim: KitSim;
let now = 1_795_318_204_969;
before(async () => {
  sim = await startKits({ count: 6, drones: 30, aircraft: 12, signals: 20, rateLimit: false, clock: () => now });
});
after(() => sim.close());

/** Bodies of all kits at several times. */
async function simulated(path: string): Promise<string[]> {
  const bodies: string[] = [];
  for (let step = 0; step < 5; step++) {
    now += 97_000;
    bodies.push(...(await Promise.all(sim.kits.map(({ url }) => rawText(url, path)))));
  }
  return bodies;
}

function members(texts: readonly string[], list: string, type?: string): Body[] {
  const all = texts.flatMap((text) => (JSON.parse(text) as Record<string, Body[]>)[list] ?? []);
  return type ? all.filter((one) => one["track_type"] === type) : all;
}

const typeOf = (value: unknown) => (value === null ? "null" : typeof value);

/** Fields in order, with every type each was seen with. */
function shape(bodies: readonly Body[]): Record<string, Set<string>> {
  const types: Record<string, Set<string>> = {};
  for (const body of bodies)
    for (const [name, value] of Object.entries(body)) types[name] = (types[name] ?? new Set()).add(typeOf(value));
  return types;
}

function assertSameShape(ours: readonly Body[], theirs: readonly Body[]): void {
  const known = shape(theirs);
  assert.ok(ours.length > 0);
  for (const body of ours) assert.deepEqual(Object.keys(body), Object.keys(known));
  for (const [name, types] of Object.entries(shape(ours)))
    for (const type of types)
      assert.ok(known[name]?.has(type), `${name} is ${type}, captured ${[...(known[name] ?? [])]}`);
}

test("drones have the fields, order and types of captured ones, in every shape the captures show", async () => {
  const ours = members(await simulated("/drones"), "drones", "drone");
  const theirs = members(captured.drones, "drones", "drone");
  assertSameShape(ours, theirs);
  // Direction, altitude, frequency and the rest are null, zero or a sentinel in the same cases.
  const optional = (bodies: Body[]) => Object.entries(shape(bodies)).filter(([, types]) => types.has("null"));
  const nullable = optional(theirs).map(([name]) => name);
  assert.deepEqual(
    optional(ours).map(([name]) => name),
    nullable,
  );
  assert.ok(
    ours.some((one) => one["lat"] === 0 && one["lon"] === 0),
    "a track without a position",
  );
  assert.ok(ours.some((one) => one["direction"] === 361 && one["speed"] === 255 && one["alt"] === -1000));
});

test("an encrypted DJI drone is drone-alert, at most once in a list", async () => {
  const lists = (await simulated("/drones")).map((text) => members([text], "drones", "drone"));
  const alerts = lists.map((list) => list.filter((one) => one["id"] === "drone-alert"));
  assert.ok(alerts.some((list) => list.length === 1));
  assert.ok(alerts.every((list) => list.length <= 1));
  assert.equal(alerts.flat()[0]?.["alt"], 65531);
});

test("aircraft have the fields, order and types of captured ones", async () => {
  const ours = members(await simulated("/drones"), "drones", "aircraft");
  assertSameShape(ours, members(captured.drones, "drones", "aircraft"));
  assert.ok(
    ours.some((one) => String(one["hex"]).startsWith("~")),
    "relayed traffic",
  );
  assert.ok(ours.every((one) => one["id"] === one["callsign"] && one["source"] === "adsb"));
});

test("signals have the fields, order and types of captured ones", async () => {
  const ours = members(await simulated("/signals"), "signals");
  assertSameShape(ours, members(captured.signals, "signals"));
  const strengths = ours.map((one) => one["rssi"] as number | null);
  assert.ok(strengths.includes(null));
  assert.ok(strengths.some((rssi) => rssi !== null && rssi < 0));
  assert.ok(strengths.some((rssi) => rssi !== null && rssi > 0 && rssi < 1));
  assert.deepEqual([...new Set(ours.map((one) => one["signal_type"]))].sort(), ["fpv", "gfsk_fhss"]);
});

test("status has the fields, order and types of captured ones, with N/A and a static position", async () => {
  const ours = (await simulated("/status")).map((text) => JSON.parse(text) as Body);
  assertSameShape(
    ours,
    captured.status.map((text) => JSON.parse(text) as Body),
  );
  assert.deepEqual([...new Set(ours.map((one) => typeof one["pluto_temp"]))].sort(), ["number", "string"]);
  assert.deepEqual([...new Set(ours.map((one) => one["time_source"]))].sort(), ["gpsd", "static"]);
  assert.ok(ours.every((one) => (one["memory_available"] as number) < (one["memory_total"] as number)));
});

test("config has the sections and fields of the captured one", async () => {
  const ours = JSON.parse(await rawText(sim.kits[0]?.url ?? "", "/config")) as Record<string, Body>;
  const theirs = JSON.parse(await fixture("config")) as Record<string, Body>;
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  for (const [section, fields] of Object.entries(theirs)) assertSameShape([ours[section] ?? {}], [fields]);
});

/** Names of fields by how their numbers are written: `1.0` or `1`. */
function written(texts: readonly string[]) {
  const found = { float: new Set<string>(), whole: new Set<string>() };
  for (const [, name = "", number = ""] of texts.join("\n").matchAll(/"(\w+)": (-?\d[\d.e+-]*)/g))
    found[/[.e]/.test(number) ? "float" : "whole"].add(name);
  return found;
}

test("numbers that are floats on a kit are written with a point, and integers without", async () => {
  for (const path of ["/drones", "/signals", "/status"] as const) {
    const theirs = written(captured[path.slice(1) as "drones"]);
    const ours = written(await simulated(path));
    // A computed bearing is a float and a broadcast one an integer; both occur under one name.
    for (const name of ours.whole)
      assert.ok(theirs.whole.has(name) || !theirs.float.has(name), `${name} lacks its point`);
    for (const name of ours.float) assert.ok(theirs.float.has(name), `${name} has a point`);
  }
});

test("bodies are ASCII, with Python's separators", async () => {
  const [body = ""] = await simulated("/drones");
  assert.match(body, /^[ -~]*$/);
  assert.equal(body.replaceAll(/"[^"]*"/g, "s").match(/[,:](?! )/), null);
});
