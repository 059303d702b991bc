import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encode, python, SIGNAL } from "../../src/demo/fields.ts";
import { signalStrength } from "../../src/demo/flight.ts";
import type { Observation } from "../../src/demo/observation.ts";
import type { Pace } from "../../src/demo/pace.ts";
import { kitProfile, signalsAt, statusAt, tracksAt } from "../../src/demo/world.ts";

const MANY = { drones: 25, aircraft: 8, signals: 20 };
const REAL: Pace = { fresh: false, tick: 1_000 };
const FRESH: Pace = { fresh: true, tick: 100 };

const seeds = fc.integer({ min: 0, max: 0x7fffffff });
const kits = fc.integer({ min: 0, max: 5_000 });
const times = fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 });

const texts = (list: readonly Observation[]) => list.map((one) => one.encode());
const listsAt = (seed: number, index: number, pace: Pace, now: number) => {
  const kit = kitProfile(seed, index);
  return {
    tracks: tracksAt(kit, MANY, pace, now),
    signals: signalsAt(kit, MANY, pace, now),
    status: [statusAt(kit, now)],
  };
};

test("the world depends on seed, kit and time alone", () => {
  fc.assert(
    fc.property(seeds, kits, times, fc.boolean(), (seed, index, now, fresh) => {
      const pace = fresh ? FRESH : REAL;
      const [first, second] = [listsAt(seed, index, pace, now), listsAt(seed, index, pace, now)];
      for (const list of ["tracks", "signals", "status"] as const)
        assert.deepEqual(texts(first[list]), texts(second[list]));
    }),
    { numRuns: 25 },
  );
  const now = 1_795_318_204_969;
  assert.notDeepEqual(texts(listsAt(1, 0, REAL, now).tracks), texts(listsAt(2, 0, REAL, now).tracks));
  assert.notDeepEqual(texts(listsAt(1, 0, REAL, now).tracks), texts(listsAt(1, 1, REAL, now).tracks));
});

test("an observation that lasts is not replaced before its time", () => {
  const lasting = 10_000;
  const kit = kitProfile(1, 0);
  const stood = new Map<string, number[]>();
  for (let now = 1_795_318_204_000; now < 1_795_318_204_000 + 300_000; now += 500)
    for (const { id, key } of [
      ...tracksAt(kit, MANY, { ...REAL, lasting }, now),
      ...signalsAt(kit, MANY, { ...REAL, lasting }, now),
    ]) {
      const times = stood.get(id) ?? [];
      if (times.at(-1) !== key.time) stood.set(id, [...times, key.time]);
    }
  const gaps = [...stood.values()].flatMap((times) => times.slice(1).map((time, i) => time - (times[i] ?? 0)));
  assert.ok(gaps.length > 100, "there were newer ones");
  assert.ok(Math.min(...gaps) > 9.99, String(Math.min(...gaps)));
});

test("the same observation has the same JSON whenever it is served", () => {
  fc.assert(
    fc.property(seeds, times, (seed, now) => {
      const earlier = new Map<string, string>();
      const kit = kitProfile(seed, 0);
      for (let step = 0; step < 8; step++) {
        const at = now + step * 1_700;
        for (const one of [...tracksAt(kit, MANY, REAL, at), ...signalsAt(kit, MANY, REAL, at), statusAt(kit, at)]) {
          const key = JSON.stringify(one.key);
          assert.equal(one.encode(), earlier.get(key) ?? one.encode());
          earlier.set(key, one.encode());
        }
      }
    }),
    { numRuns: 10 },
  );
});

test("each id is listed once, heard in the past, and no longer than kits list it", () => {
  fc.assert(
    fc.property(seeds, kits, times, fc.boolean(), (seed, index, now, fresh) => {
      const { tracks, signals } = listsAt(seed, index, fresh ? FRESH : REAL, now);
      for (const list of [tracks, signals]) assert.equal(new Set(list.map((one) => one.id)).size, list.length);
      for (const { key } of [...tracks, ...signals]) {
        const age = now / 1000 - key.time;
        const listed = key.drone_id?.startsWith("adsb-") ? 120 : 60;
        // The microseconds below the millisecond may be ahead of a clock that has none.
        assert.ok(age > -0.0005 && age < listed, `${JSON.stringify(key)} is ${age} s old`);
      }
    }),
    { numRuns: 100 },
  );
});

test("rounding and truncating an observation's time give the same millisecond", () => {
  fc.assert(
    fc.property(seeds, times, (seed, now) => {
      const { tracks, signals, status } = listsAt(seed, 3, REAL, now);
      for (const { key } of [...tracks, ...signals, ...status])
        assert.equal(Math.round(key.time * 1000), Math.trunc(key.time * 1000));
    }),
    { numRuns: 50 },
  );
});

test("a fresh world lists everything always, and anew at each tick", () => {
  fc.assert(
    fc.property(seeds, kits, times, fc.integer({ min: 1, max: 100 }), (seed, index, now, ticks) => {
      const before = listsAt(seed, index, FRESH, now);
      const after = listsAt(seed, index, FRESH, now + ticks * FRESH.tick);
      assert.equal(before.tracks.length, MANY.drones + MANY.aircraft);
      assert.equal(before.signals.length, MANY.signals);
      for (const list of ["tracks", "signals"] as const) {
        const seen = before[list].map(({ id, key }) => ({ id, time: key.time }));
        for (const [i, { key }] of after[list].entries()) assert.ok(key.time > (seen[i]?.time ?? Infinity));
      }
      // Drones and aircraft keep their ids; only a radio without a net id is named after its frequency.
      assert.deepEqual(
        after.tracks.map(({ id }) => id),
        before.tracks.map(({ id }) => id),
      );
    }),
    { numRuns: 50 },
  );
});

test("a kit's world comes and goes, and repeats what it heard", () => {
  const kit = kitProfile(7, 0);
  const ids = new Set<string>();
  const counts = new Set<number>();
  let repeated = 0;
  for (let now = 1_795_318_000_000, last = ""; now < 1_795_321_600_000; now += 5_000) {
    const tracks = tracksAt(kit, { drones: 10, aircraft: 0, signals: 0 }, REAL, now);
    counts.add(tracks.length);
    for (const { id } of tracks) ids.add(id);
    const first = JSON.stringify(tracks[0]?.key);
    if (first === last) repeated++;
    last = first;
  }
  assert.ok(ids.size > 12, `${ids.size} drones in an hour`);
  assert.ok(counts.size > 2, "not always as many");
  assert.ok(repeated > 10, "a poll sees an old observation again");
});

test("drones move as fast as they say, around their home, and are fainter when farther", () => {
  const kit = kitProfile(3, 0);
  const at = (now: number) =>
    JSON.parse(tracksAt(kit, { drones: 1, aircraft: 0, signals: 0 }, FRESH, now)[0]?.encode() ?? "");
  const start = 1_795_318_204_000;
  for (let now = start; now < start + 600_000; now += 10_000) {
    const [a, b] = [at(now), at(now + 1_000)];
    const metres = Math.hypot((b.lat - a.lat) * 111_320, (b.lon - a.lon) * 111_320 * Math.cos((a.lat * Math.PI) / 180));
    assert.ok(Math.abs(metres - (a.speed + b.speed) / 2) < 1.5, `moved ${metres} m at ${a.speed} m/s`);
    assert.ok(a.speed < 60 && a.height >= 0 && a.height <= 120 && Math.abs(a.vspeed) <= 3.01);
    const home = Math.hypot((a.lat - a.home_lat) * 111_320, (a.lon - a.home_lon) * 65_000);
    assert.ok(home < 900, `${home} m from home`);
    assert.ok(a.rssi < -40 && a.rssi > -117);
  }
  fc.assert(
    fc.property(fc.double({ min: 5, max: 1e5, noNaN: true }), fc.double({ min: 1, max: 100, noNaN: true }), (d, by) =>
      assert.ok(signalStrength(d * by) <= signalStrength(d)),
    ),
  );
});

test("a signal expires a minute after it was observed, and is drawn within its radius", () => {
  const kit = kitProfile(1, 0);
  for (const text of texts(signalsAt(kit, MANY, FRESH, 1_795_318_204_969))) {
    const one = JSON.parse(text);
    assert.ok(Math.abs(one.expires_at - one.observed_at - 60) < 1e-6);
    const metres = Math.hypot((one.lat - one.sensor_lat) * 111_320, (one.lon - one.sensor_lon) * 111_320);
    assert.ok(metres <= 15 * 1.8, "15 m, the longitude not yet scaled");
  }
});

test("JSON is written as Python writes it", () => {
  assert.equal(
    python({ a: [1, "x", null, true], "ü☃": '"\u0000' }),
    '{"a": [1, "x", null, true], "\\u00fc\\u2603": "\\"\\u0000"}',
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
      const written = python(text);
      assert.match(written, /^[ -~]*$/);
      assert.equal(JSON.parse(written), text);
    }),
  );
  const [signal] = signalsAt(kitProfile(1, 0), MANY, FRESH, 1_795_318_204_969);
  const fields = JSON.parse(signal?.encode() ?? "");
  assert.equal(encode(SIGNAL, fields), signal?.encode());
  assert.match(encode(SIGNAL, { ...fields, lat: Number.NaN, lon: -Infinity }), /"lat": NaN, "lon": -Infinity, /);
});
