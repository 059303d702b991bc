import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_TEXT } from "../../../src/plugins/dragonsync/fields.ts";
import { collectCaptured, entriesOf, NOW, read, rejected, sample, values } from "./support.ts";

const [DRONE] = entriesOf("v2head_drones_dji_pilot_home", "drones");
const [SIGNAL] = entriesOf("v2head_signals_fpv_linear_rssi_and_dbm", "signals");
const [STATUS] = entriesOf("v2head_status_gps_fix", "status");
const drone = async (fields: object) => values(await read("drones", { drones: [{ ...DRONE, ...fields }] }));
const aircraft = async (fields: object) =>
  values(
    await read("drones", { drones: [{ id: "adsb-1", track_type: "aircraft", last_update_time: 1.79e9, ...fields }] }),
  );
const signal = async (fields: object) => values(await read("signals", { signals: [{ ...SIGNAL, ...fields }] }));
const status = (fields: object) => read("status", { ...STATUS, ...fields });
const extra = (row: Readonly<Record<string, unknown>>) => JSON.parse(String(row["extra"] ?? "null"));

describe("weird values as captured", () => {
  it("are stored as far as they mean something", async () => {
    const collected = await collectCaptured("drones", "v1_2025-12-25_drones_weird_values");
    const row = (n: number) => values(collected, n);
    assert.equal(row(0)["alt"], null);
    assert.deepEqual(
      [row(1)["drone_id"], row(1)["rssi"], row(1)["remote_timestamp"]],
      ['drone-ÜNICODE-☃-"quote"', -70, "1700000000"],
    );
    assert.deepEqual([row(2)["lat"], row(2)["lon"], row(2)["rssi"], row(2)["rssi_dbm"]], [null, null, null, null]);
    assert.deepEqual(extra(row(2)), { lat: 95.5, lon: -200.25 });
    assert.equal(String(row(2)["drone_id"]).length > 200, true);
    assert.deepEqual([row(3)["lat"], row(3)["alt"]], [null, 0]);
    assert.equal(row(4)["remote_timestamp"], "2026-11-22 03:20:11.400 UTC");
    assert.equal(row(5)["drone_id"], "drone-NUL-CHAR-\u2400-1");
  });
});

describe("conversion", () => {
  it("reads numbers from text, and N/A as not known", async () => {
    const row = await drone({
      rssi: "-71.6",
      speed: " 8.5 ",
      alt: "N/A",
      height: "",
      runtime: "12",
      ua_type: 2,
      direction: "n/a",
    });
    const { rssi, rssi_dbm, speed, alt, height, runtime, ua_type, direction, extra: kept } = row;
    assert.deepEqual([rssi, rssi_dbm, speed, alt, height, runtime], [-72, -71.6, 8.5, null, null, 12]);
    assert.deepEqual([ua_type, direction, kept], ["2", null, null]);
  });

  it("keeps what it cannot read in extra, and counts it", async () => {
    const entry = { ...DRONE, speed: "fast", mac: { a: 1 }, runtime: 3e9, lat: [1], rid: "none" };
    const collected = await read("drones", { drones: [entry] });
    const row = values(collected);
    assert.deepEqual(
      [row["speed"], row["mac"], row["runtime"], row["lat"], row["rid_make"]],
      [null, null, null, null, null],
    );
    assert.deepEqual(extra(row), { speed: "fast", mac: { a: 1 }, runtime: 3e9, lat: [1], rid: "none" });
    assert.deepEqual(rejected(collected), { wrong_type: 4, out_of_range: 1 });
  });

  it("takes 1e999, which is valid JSON, as no number", async () => {
    const collected = await read("drones", JSON.stringify([DRONE]).replace('"speed":8.25', '"speed":1e999'));
    assert.equal(values(collected)["speed"], null);
    assert.deepEqual(rejected(collected), { not_a_number: 1 });
  });

  it("keeps frequencies given in Hz, and 0 as not known", async () => {
    const inHz = await drone({ freq: 5_756_500_000 });
    assert.deepEqual([inHz["freq"], inHz["freq_mhz"]], [5_756_500_000, 5756.5]);
    assert.deepEqual([(await drone({ freq: 0 }))["freq"], (await drone({ freq: null }))["freq_mhz"]], [null, null]);
  });

  it("applies the drones' sentinels to drones alone", async () => {
    const flown = await aircraft({ ground_speed: 255, alt: -1000, track: 361, rssi: 0, lat: 0, lon: 0 });
    assert.ok(Math.abs(Number(flown["speed"]) - 131.18322) < 1e-9);
    assert.deepEqual([flown["alt"], flown["heading"], flown["rssi_dbfs"], flown["lat"]], [-304.8, 361, 0, null]);
    const raw = await drone({
      alt: -1000,
      height: 65531,
      pressure_altitude: -1000,
      speed: 255,
      direction: 361,
      pilot_lat: 1,
    });
    assert.deepEqual(
      [raw["alt"], raw["height"], raw["pressure_altitude"], raw["speed"], raw["heading"]],
      [null, null, null, null, null],
    );
    assert.equal(raw["pilot_lat"], 1);
  });

  it("tells an aircraft without track_type by its ground speed, and keeps a type it does not know", async () => {
    assert.equal((await aircraft({ track_type: undefined, ground_speed: 1 }))["track_type"], "aircraft");
    const balloon = await drone({ track_type: "balloon" });
    assert.deepEqual([balloon["track_type"], extra(balloon)], ["drone", { track_type: "balloon" }]);
  });

  it("cuts ids over 512 characters so that they stay apart, with the whole in extra", async () => {
    const ids = ["a", "b"].map((end) => "x".repeat(600) + end);
    const collected = await read(
      "drones",
      ids.map((id) => ({ ...DRONE, id })),
    );
    assert.equal(collected.rows?.length, 2);
    const [first, second] = [values(collected, 0), values(collected, 1)];
    assert.deepEqual([String(first["drone_id"]).length, extra(first).id], [MAX_TEXT, ids[0]]);
    assert.notEqual(first["drone_id"], second["drone_id"]);
    assert.deepEqual(rejected(collected), { too_long: 2 });
    const long = await drone({ description: "d".repeat(2_000) });
    assert.deepEqual([String(long["description"]).length, extra(long).description.length], [512, 2_000]);
  });

  it("makes lone surrogates well-formed, in columns and in extra", async () => {
    const row = values(
      await read("drones", '[{"id":"a\\ud800","mac":"\\udfff","\\ud800k":"v\\ud800","last_update_time":1790000000}]'),
    );
    assert.deepEqual([row["drone_id"], row["mac"], extra(row)], ["a\ufffd", "\ufffd", { "\ufffdk": "v\ufffd" }]);
  });

  it("replaces an extra over 16 KB by a note, and counts it", async () => {
    const collected = await read("drones", [
      { ...DRONE, blob: "é".repeat(10_000) },
      { ...DRONE, id: "b", blob: "e".repeat(10_000) },
    ]);
    assert.deepEqual(extra(values(collected, 0)), { cut: { bytes: 20_011, keys: ["blob"] } });
    assert.equal(extra(values(collected, 1)).blob.length, 10_000);
    assert.deepEqual(rejected(collected), { extra_too_large: 1 });
  });

  it("replaces an extra of more than 500 fields by a note, too", async () => {
    const fields = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]));
    const collected = await read("drones", [
      { ...DRONE, ...fields(501) },
      { ...DRONE, id: "b", rid: fields(501) },
    ]);
    const { cut } = extra(values(collected, 0));
    assert.deepEqual([cut.fields, cut.keys.length], [501, 20]);
    assert.equal(Object.keys(extra(values(collected, 1))).length, 500);
    assert.deepEqual(rejected(collected), { extra_too_large: 1 });
  });

  it("treats __proto__ and constructor as keys like any other", async () => {
    const body =
      '{"drones":[{"id":"constructor","__proto__":{"polluted":1},"constructor":{"x":1},"toString":2,"last_update_time":1790000000}]}';
    const row = values(await read("drones", body));
    assert.equal(row["extra"], '{"__proto__":{"polluted":1},"constructor":{"x":1},"toString":2}');
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
    await assert.rejects(read("drones", '{"__proto__":{"drones":[]}}'), { kind: "bad_data" });
  });
});

describe("signals", () => {
  it("accept freq_mhz where center_hz is missing, and keep it where both differ", async () => {
    const { center_hz: _, ...rest } = SIGNAL ?? {};
    assert.equal(values(await read("signals", [{ ...rest, freq_mhz: "2440.5" }]))["freq_mhz"], 2440.5);
    const both = await signal({ center_hz: 5_785_000_000, freq_mhz: 1 });
    assert.deepEqual([both["freq_mhz"], extra(both)], [5785, { freq_mhz: 1 }]);
    assert.equal((await signal({ center_hz: 5_785_000_000, freq_mhz: 5785 }))["extra"], null);
    const broken = await signal({ center_hz: "?", freq_mhz: 900 });
    assert.deepEqual([broken["freq_mhz"], extra(broken)], [900, { center_hz: "?" }]);
  });

  it("are dji when their words say so, analog for video, else neither", async () => {
    assert.equal((await signal({ description: "DJI O3 downlink" }))["detection_type"], "dji");
    assert.equal((await signal({ signal_type: "video", ntsc_conf: 70 }))["detection_type"], "analog");
    assert.equal((await signal({ signal_type: "gfsk_fhss", pal_conf: null, ntsc_conf: null }))["detection_type"], null);
  });

  it("have uid '' where it is missing, and 0 power is linear", async () => {
    const row = await signal({ uid: null, rssi: 0 });
    assert.deepEqual([row["uid"], row["power_linear"], row["power_dbm"], row["rssi_raw"]], ["", 0, null, 0]);
    assert.deepEqual(extra(await signal({ uid: { a: 1 } })), { uid: { a: 1 } });
  });

  it("of a kit without a position have none themselves", async () => {
    const row = await signal({ sensor_lat: 0, sensor_lon: 0, lat: -0.00003, lon: 0.00004 });
    assert.deepEqual([row["lat"], row["lon"], row["sensor_lat"]], [null, null, null]);
    assert.deepEqual(extra(row), { lat: -0.00003, lon: 0.00004 });
    assert.equal((await signal({ sensor_lat: 0, sensor_lon: 0, lat: 48.1, lon: 11.5 }))["lat"], 48.1);
  });

  it("cannot make more than 24 label values, all of them plain, over any number of polls", async () => {
    const state = new Map<string, unknown>();
    for (let poll = 0; poll < 5; poll++) {
      const types = Array.from({ length: 30 }, (_, n) => `T"y\npe ${poll}-${n}`);
      const told = [...types, "fpv", "", 7].map((signal_type, n) => ({ ...SIGNAL, uid: `${n}`, signal_type }));
      const { samples } = await read("signals", told, { state });
      const labels = samples.map((one) => one.labels?.["signal_type"] ?? "");
      assert.equal(new Set(labels).size, labels.length);
      assert.ok(labels.length <= 24, `${labels.length}`);
      for (const label of labels) assert.match(label, /^[a-z0-9_]{1,32}$/);
      assert.equal(
        samples.reduce((sum, one) => sum + one.value, 0),
        told.length,
      );
    }
    const { samples } = await read("signals", [], { state });
    assert.equal(sample({ samples }, "kit_signals", { signal_type: "t_y_pe_0_0" }), 0, "seen before, so a zero now");
  });
});

describe("status", () => {
  it("guards every division and refuses what the table refuses", async () => {
    const empty = values(await status({ memory_total: 0, disk_total: 0, uptime: -5, cpu_usage: 130 }));
    assert.deepEqual([empty["memory_percent"], empty["disk_percent"], empty["memory_total_bytes"]], [null, null, null]);
    assert.deepEqual(
      [empty["uptime_hours"], empty["cpu_percent"], extra(empty)],
      [null, null, { uptime: -5, cpu_usage: 130 }],
    );
    const odd = values(await status({ memory_available: 99_999_999 }));
    assert.deepEqual([odd["memory_percent"], odd["memory_available_bytes"]], [null, 99_999_999 * 1_048_576]);
  });

  it("takes MiB to bytes and seconds to hours", async () => {
    const row = values(await status({}));
    assert.deepEqual([row["memory_total_bytes"], row["disk_used_bytes"]], [16_655_769_600, 61_234_323_456]);
    assert.deepEqual([row["uptime_seconds"], row["uptime_hours"], row["temp_gpu"]], [93211.41, 93211.41 / 3600, null]);
  });

  it("is bad data when it is no status at all", async () => {
    for (const body of [[], { error: "x" }, "3", null]) {
      await assert.rejects(read("status", body), { name: "CollectError", kind: "bad_data" });
    }
  });
});

describe("time", () => {
  const at = async (fields: object) => {
    const collected = await read("drones", [{ ...DRONE, ...fields }]);
    return [collected.rows?.[0]?.at.getTime(), rejected(collected)] as const;
  };

  it("recognises milliseconds, also in observed_at and as text", async () => {
    assert.deepEqual(await at({ last_update_time: 1_795_318_184_969 }), [1_795_318_184_969, {}]);
    assert.deepEqual(await at({ last_update_time: "1795318184.969" }), [1_795_318_184_969, {}]);
    assert.equal((await drone({ observed_at: 1_795_318_184_969 }))["observed_at"], 1_795_318_184.969);
  });

  it("falls back to observed_at, then to the poll's time, counted", async () => {
    for (const last_update_time of [undefined, null, 0, -1, 9.4e8, 1e15, "soon", "", true, [1], "1e999"]) {
      const fallback = await at({ last_update_time, observed_at: 1_795_318_000.5 });
      assert.deepEqual(fallback, [1_795_318_000_500, {}], `${last_update_time}`);
      assert.deepEqual(await at({ last_update_time, observed_at: null }), [NOW.getTime(), { no_time: 1 }]);
    }
    assert.deepEqual(extra(await drone({ last_update_time: "soon" })), { last_update_time: "soon" });
    const bare = await status({ last_update_time: 0 });
    assert.deepEqual([bare.sourceTime, values(bare)["kit_updated_epoch"]], [undefined, null]);
    assert.equal(bare.samples[0]?.at, undefined);
  });

  it("keeps a time over 5 minutes ahead as sent, and counts it", async () => {
    const now = NOW.getTime() / 1_000;
    assert.deepEqual(await at({ last_update_time: now + 300 }), [NOW.getTime() + 300_000, {}]);
    assert.deepEqual(await at({ last_update_time: now + 301 }), [NOW.getTime() + 301_000, { future_time: 1 }]);
    const ahead = await status({ last_update_time: now + 86_400 });
    assert.equal(ahead.sourceTime?.getTime(), NOW.getTime() + 86_400_000);
    assert.equal(ahead.samples[0]?.at, undefined);
  });

  it("keeps a time up to 400 days off as sent, and counts it; beyond, the poll's time is the row's", async () => {
    const [now, day] = [NOW.getTime() / 1_000, 86_400];
    assert.deepEqual(await at({ last_update_time: now - day }), [NOW.getTime() - day * 1_000, {}]);
    const behind = await at({ last_update_time: now - 365 * day, observed_at: null });
    assert.deepEqual(behind, [NOW.getTime() - 365 * day * 1_000, { past_time: 1 }]);
    const ahead = await at({ last_update_time: now + 365 * day, observed_at: null });
    assert.deepEqual(ahead, [NOW.getTime() + 365 * day * 1_000, { future_time: 1 }]);
    for (const last_update_time of [now - 401 * day, now + 401 * day, 32_503_680_000]) {
      assert.deepEqual(await at({ last_update_time, observed_at: null }), [NOW.getTime(), { clock_off: 1 }]);
      assert.deepEqual(await at({ last_update_time, observed_at: now }), [NOW.getTime(), {}], "another time is better");
      assert.deepEqual(extra(await drone({ last_update_time, observed_at: null })), { last_update_time });
      const odd = await status({ last_update_time });
      assert.equal(odd.sourceTime?.getTime(), last_update_time * 1_000, "a clock that is wrong can stand still too");
      assert.equal(values(odd)["kit_updated_epoch"], last_update_time);
      assert.equal(odd.samples[0]?.at, undefined);
    }
  });

  it("knows an observation again though its time is that of the poll: a clock that was never set runs too", async () => {
    const state = new Map<string, unknown>();
    let polls = 0;
    const rows = async (last_update_time: unknown) => {
      const now = new Date(NOW.getTime() + 5_000 * polls++);
      return (await read("drones", [{ ...DRONE, last_update_time, observed_at: null }], { state, now })).rows?.length;
    };
    for (const time of [312.5, NOW.getTime() / 1_000 + 500 * 86_400]) {
      assert.deepEqual([await rows(time), await rows(time), await rows(time + 1)], [1, 0, 1]);
    }
    assert.deepEqual([await rows(0), await rows(0)], [1, 1], "0 is no clock");
  });

  it("gives the row of an unchanged status once", async () => {
    const state = new Map<string, unknown>();
    const rows = async (fields: object) => (await read("status", { ...STATUS, ...fields }, { state })).rows?.length;
    assert.deepEqual([await rows({}), await rows({}), await rows({ last_update_time: 1_795_318_299 })], [1, 0, 1]);
  });
});

describe("one thing twice in an answer", () => {
  it("is one row, the first; another content at the same time is counted", async () => {
    const again = { ...DRONE, alt: 1 };
    const collected = await read("drones", [DRONE, DRONE, again, again]);
    assert.deepEqual(
      collected.rows?.map((row) => row.values["alt"]),
      [DRONE?.["alt"]],
    );
    assert.deepEqual(rejected(collected), { conflict: 2 });
    const signals = await read("signals", [SIGNAL, { ...SIGNAL, rssi: -1 }]);
    assert.deepEqual([signals.rows?.length, rejected(signals)], [1, { conflict: 1 }]);
  });
});

describe("a listing without measure", () => {
  it("is read for 2,000 entries, the rest is counted", async () => {
    const drones = Array.from({ length: 2_003 }, (_, i) => ({ id: `d${i}`, last_update_time: 1_795_318_000 }));
    const collected = await read("drones", { drones });
    assert.deepEqual([collected.rows?.length, rejected(collected)], [2_000, { too_many: 3 }]);
  });
});

describe("one bad entry", () => {
  it("never blocks the rest", async () => {
    const bad = [null, 3, "x", [], {}, { id: "" }, { id: " " }, { id: {} }, { id: null }, { id: true }];
    const collected = await read("drones", { drones: [...bad, DRONE, { ...DRONE, id: 77 }] });
    assert.deepEqual(
      collected.rows?.map((row) => row.values["drone_id"]),
      [DRONE?.["id"], "77"],
    );
    assert.deepEqual(rejected(collected), { not_an_object: 4, no_id: 6 });
    const silent = [null, {}, { center_hz: 0 }, { center_hz: -1 }, { center_hz: [5e9] }, { freq_mhz: true }];
    const signals = await read("signals", { signals: [...silent, SIGNAL] });
    assert.equal(signals.rows?.length, 1);
    assert.deepEqual(rejected(signals), { not_an_object: 1, no_frequency: 5 });
  });

  it("listed twice at one time is one row, at two times two", async () => {
    const later = { ...DRONE, last_update_time: 1_795_318_200 };
    assert.equal((await read("drones", [DRONE, DRONE, later])).rows?.length, 2);
  });
});

describe("the skip", () => {
  it("forgets what the newest answer no longer lists, and keeps nothing of a failed poll", async () => {
    const state = new Map<string, unknown>();
    const rows = async (list: unknown) => (await read("drones", list, { state })).rows?.length;
    assert.deepEqual([await rows([DRONE]), await rows([DRONE])], [1, 0]);
    await assert.rejects(read("drones", "{", { state }));
    assert.equal(await rows([DRONE]), 0, "still known after a failure");
    assert.equal(await rows([]), 0);
    assert.equal((state.get("drones") as Map<string, number>).size, 0);
    assert.equal(await rows([DRONE]), 1);
  });

  it("goes by id and time alone: the first content wins, as in the store", async () => {
    const state = new Map<string, unknown>();
    await read("drones", [DRONE], { state });
    assert.equal((await read("drones", [{ ...DRONE, alt: 9 }], { state })).rows?.length, 0);
  });
});
