import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dragonsync } from "../../../src/plugins/dragonsync.ts";
import { AIRCRAFT_FIELDS, DRONE_FIELDS, holds, SIGNAL_FIELDS, STATUS_FIELDS } from "./field-map.ts";
import {
  captured,
  collect,
  collectCaptured,
  entriesOf,
  REVISIONS,
  read,
  readable,
  rejected,
  sample,
  startKit,
  values,
} from "./support.ts";

const MIXED = "v2head_drones_mixed_drone_and_aircraft";
const SIGNALS = "v2head_signals_fpv_and_sik_mixed";

describe("what a kit's API means for the poller", () => {
  it("1a: a row's time is the kit's own observation time, never ours", async () => {
    const tracks = await collectCaptured("drones", MIXED);
    const told = entriesOf(MIXED, "drones").map((entry) => Math.trunc(Number(entry["last_update_time"]) * 1_000));
    assert.deepEqual(
      tracks.rows?.map((row) => row.at.getTime()),
      told,
    );
    const signals = await collectCaptured("signals", SIGNALS);
    const heard = entriesOf(SIGNALS, "signals").map((entry) => Math.trunc(Number(entry["observed_at"]) * 1_000));
    assert.deepEqual(
      signals.rows?.map((row) => row.at.getTime()),
      heard,
    );
    const status = await collectCaptured("status", "v2head_status_gps_fix");
    assert.equal(status.rows?.[0]?.at.getTime(), 1_795_318_173_293);
    assert.equal(values(status)["kit_updated_epoch"], 1_795_318_173);
  });

  it("1b: an unchanged track makes no row, a changed one does", async () => {
    await using kit = await startKit({ "/drones": captured("v2head_drones_scenario_first_seen") });
    await using later = await startKit({ "/drones": captured("v2head_drones_scenario_after_updates") });
    const state = new Map<string, unknown>();
    const poll = (from: typeof kit) => collect("drones", { http: from.http, url: from.url, state });
    const rows = [await poll(kit), await poll(kit), await poll(later), await poll(later)].map((c) => c.rows?.length);
    assert.deepEqual(rows, [3, 0, 3, 0]);
    assert.equal(sample(await poll(later), "kit_drones", { track_type: "drone" }), 3, "listed, though unchanged");
  });

  it("1c: an unchanged signal makes no row; after a hop to another frequency it does, under the same uid", async () => {
    const state = new Map<string, unknown>();
    const poll = (name: string) => collectCaptured("signals", name, { state });
    assert.equal((await poll(SIGNALS)).rows?.length, 7);
    assert.equal((await poll(SIGNALS)).rows?.length, 0);
    const hopped = await poll("v2head_signals_sik_after_frequency_hop_same_uid");
    const before = new Set(entriesOf(SIGNALS, "signals").map((e) => `${e["uid"]} ${e["observed_at"]}`));
    const changed = entriesOf("v2head_signals_sik_after_frequency_hop_same_uid", "signals").filter(
      (e) => !before.has(`${e["uid"]} ${e["observed_at"]}`),
    );
    assert.deepEqual(
      hopped.rows?.map((row) => row.values["uid"]),
      changed.map((e) => e["uid"]),
    );
    assert.ok(changed.length > 0);
  });

  it("2: a bare NaN costs its own field, not the kit's other tracks", async () => {
    for (const revision of REVISIONS) {
      const collected = await collectCaptured("drones", `${revision}_drones_nan_INVALID_JSON`);
      assert.equal(collected.rows?.length, 7);
      const hurt = collected.rows?.find((row) => row.values["drone_id"] === "drone-NAN-1");
      assert.deepEqual([hurt?.values["lat"], hurt?.values["lon"], hurt?.values["speed"]], [null, null, null]);
      assert.equal(hurt?.values["alt"], 118.5);
      assert.equal(rejected(collected)["not_a_number"], 3);
      const status = await collectCaptured("status", `${revision}_status_gpsd_nan_INVALID_JSON`);
      assert.deepEqual([values(status)["lat"], values(status)["cpu_percent"]], [null, 23.7]);
      assert.equal(sample(status, "kit_latitude_degrees"), undefined);
      assert.equal(rejected(status)["not_a_number"], 4);
    }
  });

  it("3: 0.0 positions and the sentinels are null; a real altitude of 0 stays 0", async () => {
    const caa = await collectCaptured("drones", "v2head_drones_ble_wifi_esp32_caa_first");
    const [reset, unknown] = [values(caa, 0), values(caa, 1)];
    assert.deepEqual([reset["lat"], reset["lon"], reset["pilot_lat"], reset["home_lon"]], [null, null, null, null]);
    assert.equal(reset["alt"], 0);
    assert.deepEqual([unknown["alt"], unknown["height"], unknown["speed"]], [null, null, null]);
    assert.deepEqual([unknown["direction"], unknown["heading"]], [null, null]);
    assert.deepEqual([unknown["lat"], unknown["lon"]], [42.3571, -71.0632]);
    const weird = await collectCaptured("drones", "v2head_drones_nan_INVALID_JSON");
    assert.equal(values(weird, 0)["alt"], null, "65531");
    const lost = await collectCaptured("status", "v2head_status_no_gps_zero_latlon");
    assert.deepEqual([values(lost)["lat"], values(lost)["lon"], values(lost)["temp_cpu"]], [null, null, null]);
    const ground = await collectCaptured("drones", "v2head_drones_aircraft_only");
    assert.equal(values(ground, 1)["alt"], 0);
  });

  it("4: aircraft become metres and m/s, their dBFS has its own column, and their identity is kept", async () => {
    const aircraft = values(await collectCaptured("drones", "v2head_drones_aircraft_only"));
    assert.equal(aircraft["track_type"], "aircraft");
    assert.ok(Math.abs(Number(aircraft["alt"]) - 10_645.14) < 1e-6);
    assert.ok(Math.abs(Number(aircraft["speed"]) - 232.6830212) < 1e-6);
    assert.equal(aircraft["heading"], 271.8);
    assert.deepEqual([aircraft["rssi"], aircraft["rssi_dbm"], aircraft["rssi_dbfs"]], [null, null, -21.4]);
    const { hex, squawk, reg, category, flight, on_ground, nac_p, nac_v, callsign, aircraft_source } = aircraft;
    assert.deepEqual(
      { hex, squawk, reg, category, flight, on_ground, nac_p, nac_v, callsign, aircraft_source },
      {
        hex: "A1B2C3",
        squawk: "2354",
        reg: "N801DN",
        category: "A3",
        flight: "DAL1234",
        on_ground: false,
        nac_p: 9,
        nac_v: 2,
        callsign: "adsb-a1b2c3",
        aircraft_source: "adsb",
      },
    );
  });

  it("5: signals come from center_hz; power below 0 is dBm, from 0 on linear", async () => {
    const collected = await collectCaptured("signals", SIGNALS);
    assert.deepEqual(
      collected.rows?.map(({ values: v }) => [v["freq_mhz"], v["bandwidth_mhz"], v["power_dbm"], v["power_linear"]]),
      [
        [5785, 6, null, null],
        [5806, 6, null, 0.0421],
        [5658, 6, null, 0.87],
        [1280, 6, -54.2, null],
        [915, 0.25, -88, null],
        [921.5, 0.25, -79.5, null],
        [918, null, null, null],
      ],
    );
    const sik = values(collected, 5);
    assert.deepEqual(
      [sik["uid"], sik["alert_id"], sik["callsign"], sik["source"], sik["signal_type"], sik["radius_m"]],
      ["gfsk_fhss-netid-26", "fpv-alert-921.500MHz", "GFSK-FHSS sik_reasm", "sik_reasm", "gfsk_fhss", 15],
    );
    assert.deepEqual(sik["expires_at"], new Date(1_795_318_276_436));
    assert.deepEqual([values(collected, 0)["detection_type"], sik["detection_type"]], ["analog", null]);
  });

  it("6: rows carry the configured id; what the kit calls itself is told beside it", async () => {
    for (const revision of REVISIONS) {
      const poll = (name: string) => collectCaptured("status", `${revision}_status_${name}`, { kitId: "roof" });
      const before = await poll("gps_fix");
      const after = await poll("kit_id_changed");
      assert.deepEqual([before.identity, after.identity], ["wardragon-G6PA14100J63", "wardragon-G6PA14100J64"]);
      assert.deepEqual([values(before)["kit_id"], values(after)["kit_id"]], ["roof", "roof"]);
      assert.equal(values(after)["uid"], "wardragon-G6PA14100J64");
      assert.equal((await poll("unknown_serial_uid_vs_kit_id")).identity, undefined);
    }
    assert.equal((await read("status", { uid: "", cpu_usage: 1 })).identity, undefined);
    assert.equal((await read("status", { kit_id: "mast-7", uid: "wardragon-1" })).identity, "mast-7");
    assert.equal((await read("status", { kit_id: "wardragon-unknown", uid: "wardragon-1" })).identity, "wardragon-1");
  });

  it("7: /status 503 at boot is nothing yet while /drones answers; a frozen status keeps its old time", async () => {
    for (const revision of REVISIONS) {
      await using kit = await startKit({
        "/status": captured(`${revision}_status_503_cold_start`),
        "/drones": captured(`${revision}_drones_dji_pilot_home`),
      });
      await assert.rejects(collect("status", kit), { name: "NothingHere", message: "status not yet available" });
      assert.equal((await collect("drones", kit)).rows?.length, 1);
    }
    await using frozen = await startKit({ "/status": captured("v2head_status_gps_fix") });
    const first = await collect("status", { ...frozen, now: new Date(1_795_318_174_000) });
    const later = await collect("status", { ...frozen, now: new Date(1_795_319_174_000) });
    assert.deepEqual(later.sourceTime, first.sourceTime);
    assert.equal(later.sourceTime?.getTime(), 1_795_318_173_293);
    assert.deepEqual(later.rows?.[0]?.at, first.rows?.[0]?.at, "one key, so one stored row");
  });

  it("8a: a 429 carries what its Retry-After asks for", async () => {
    for (const name of ["v2head_rate_limited_429", "v2head_rate_limited_429_status"]) {
      await using kit = await startKit({ "/drones": captured(name), "/status": captured(name) });
      const error = { name: "CollectError", kind: "http_status", status: 429, retryAfter: 60_000 };
      await assert.rejects(collect("drones", kit), error);
      await assert.rejects(collect("status", kit), error);
    }
  });

  it("8b: one kit's 429 says nothing about another that differs by port or path only", async () => {
    await using kit = await startKit({
      "/a/drones": captured("v2head_rate_limited_429"),
      "/b/drones": captured("v2head_drones_dji_pilot_home"),
    });
    await assert.rejects(collect("drones", { http: kit.http, url: `${kit.url}/a` }), { status: 429 });
    assert.equal((await collect("drones", { http: kit.http, url: `${kit.url}/b` })).rows?.length, 1);
  });

  it("8c: an old kit's empty 404 for /signals is a feature it lacks; any other 404 is a failure", async () => {
    await using old = await startKit({ "/signals": captured("v1_2025-12-25_signals_empty_or_404") });
    await assert.rejects(collect("signals", old), { name: "NothingHere", message: "this kit has no /signals" });
    await using proxy = await startKit({ "/signals": { status: 404, body: "<html>not found</html>" } });
    await assert.rejects(collect("signals", proxy), { kind: "http_status", status: 404 });
    await assert.rejects(collect("drones", old), { kind: "http_status", status: 404 });
  });

  it("9: each endpoint succeeds or fails by itself", async () => {
    await using kit = await startKit({
      "/drones": { status: 503, body: '{"error":"drone manager unavailable"}' },
      "/signals": { status: 500, body: '{"error":"signals unavailable"}' },
      "/status": captured("v2head_status_gps_fix"),
    });
    await assert.rejects(collect("drones", kit), { kind: "http_status", status: 503 });
    await assert.rejects(collect("signals", kit), { kind: "http_status", status: 500 });
    assert.equal((await collect("status", kit)).rows?.length, 1);
  });

  it("10: a kit on this machine is configured and polled like any other", async () => {
    await using kit = await startKit({ "/drones": captured("v2head_drones_dji_pilot_home") });
    for (const url of [kit.url, kit.url.replace("127.0.0.1", "localhost"), "http://[::1]:8088"]) {
      assert.equal(dragonsync.config.safeParse({ api_url: url }).success, true, url);
    }
    assert.equal((await collect("drones", kit)).rows?.length, 1);
  });

  it("11a: every field of every captured answer is in its column or in extra", async () => {
    let checked = 0;
    for (const { name, job } of readable()) {
      const { rows } = await collectCaptured(job, name);
      for (const [n, entry] of entriesOf(name, job).entries()) {
        for (const [field, told] of Object.entries(entry)) {
          const row = rows?.[n];
          assert.ok(row && holds(row, fieldsOf(job, entry), field, told), `${name} ${n} ${field}: ${told}`);
          checked++;
        }
      }
    }
    assert.ok(checked > 4_000, `${checked} fields`);
  });

  it("11b: a field no column knows goes to extra, as it was", async () => {
    const news = { lidar: { range: [1, 2], ok: true }, "\u0000odd": "a\u0000b" };
    const [drone] = entriesOf("v2head_drones_dji_pilot_home", "drones");
    const rid = { ...(drone?.["rid"] as object), country: "FR" };
    const collected = await read("drones", { drones: [{ ...drone, ...news, rid }] });
    assert.deepEqual(JSON.parse(String(values(collected)["extra"])), {
      lidar: { range: [1, 2], ok: true },
      "\u2400odd": "a\u2400b",
      "rid.country": "FR",
    });
    const plain = await read("drones", { drones: [drone] });
    assert.equal(values(plain)["extra"], null);
    const signal = await read("signals", { signals: [{ ...entriesOf(SIGNALS, "signals")[0], net_id: 25 }] });
    assert.equal(values(signal)["extra"], '{"net_id":25}');
    const status = await read("status", { uid: "u", kit_id: "k", fan: 1 });
    assert.deepEqual(JSON.parse(String(values(status)["extra"])), { kit_id: "k", fan: 1 });
  });

  it("keeps /config and /update/check whole, as documents", async () => {
    for (const revision of REVISIONS) {
      await using kit = await startKit({
        "/config": captured(`${revision}_config`),
        "/update/check": captured(`${revision}_update_check`),
      });
      const { documents } = await collect("about", kit);
      const told = (name: string) => JSON.parse(String(captured(`${revision}_${name}`).body));
      assert.deepEqual(JSON.parse(JSON.stringify(documents)), [
        { name: "config", body: told("config") },
        { name: "update_check", body: told("update_check") },
      ]);
    }
  });
});

function fieldsOf(job: "drones" | "signals" | "status", entry: Record<string, unknown>) {
  if (job === "signals") return SIGNAL_FIELDS;
  if (job === "status") return STATUS_FIELDS;
  return entry["track_type"] === "aircraft" ? AIRCRAFT_FIELDS : DRONE_FIELDS;
}
