import assert from "node:assert/strict";
import { it } from "node:test";
import { DRONE_COLUMNS, HEALTH_COLUMNS, SIGNAL_COLUMNS } from "../../../src/plugins/dragonsync/columns.ts";
import { ROW_TABLES } from "../../../src/store/tables.ts";
import { collectCaptured, readable, rejected, sample } from "./support.ts";

/** Rows, and what is counted, of every captured answer; a capture that is not listed here fails. */
const EXPECTED: Readonly<Record<string, readonly [rows: number, rejected?: Record<string, number>]>> = {
  "v1_2025-12-25_drones_empty": [0],
  "v1_2025-12-25_drones_scenario_first_seen": [3],
  "v1_2025-12-25_drones_scenario_after_updates": [3],
  "v1_2025-12-25_drones_dji_pilot_home": [1],
  "v1_2025-12-25_drones_ble_wifi_esp32_caa_first": [3],
  "v1_2025-12-25_drones_ble_wifi_esp32_caa_after_caa_only_and_partial_update": [3],
  "v1_2025-12-25_drones_weird_values": [6, { out_of_range: 1 }],
  "v1_2025-12-25_drones_nan_INVALID_JSON": [7, { not_a_number: 3, out_of_range: 1 }],
  "v1_2025-12-25_drones_aircraft_only": [0],
  "v1_2025-12-25_drones_mixed_drone_and_aircraft": [1],
  "v1_2025-12-25_drones_40_offered_tier_cap_30": [30],
  "v1_2025-12-25_drones_sik_mavlink_promoted": [0],
  "v1_2025-12-25_rate_limited_429": [0],
  "v1_2025-12-25_rate_limited_429_status": [1],
  "v1_2025-12-25_status_gps_fix": [1],
  "v1_2025-12-25_status_static_gps_no_sdr_temps": [1],
  "v1_2025-12-25_status_no_gps_zero_latlon": [1],
  "v1_2025-12-25_status_unknown_serial_uid_vs_kit_id": [1],
  "v1_2025-12-25_status_minimal_all_defaults": [1],
  "v1_2025-12-25_status_kit_id_changed": [1],
  "v1_2025-12-25_status_gpsd_nan_INVALID_JSON": [1, { not_a_number: 4 }],
  v2head_drones_empty: [0],
  v2head_drones_scenario_first_seen: [3],
  v2head_drones_scenario_after_updates: [3],
  v2head_drones_dji_pilot_home: [1],
  v2head_drones_ble_wifi_esp32_caa_first: [3],
  v2head_drones_ble_wifi_esp32_caa_after_caa_only_and_partial_update: [3],
  v2head_drones_nan_INVALID_JSON: [7, { not_a_number: 3, out_of_range: 1 }],
  v2head_drones_aircraft_only: [4],
  v2head_drones_mixed_drone_and_aircraft: [5],
  v2head_drones_40_offered_tier_cap_30: [30],
  v2head_drones_sik_mavlink_promoted: [1],
  v2head_signals_empty_or_404: [0],
  v2head_signals_fpv_confirm_no_rssi: [1],
  v2head_signals_fpv_linear_rssi_and_dbm: [4],
  v2head_signals_fpv_and_sik_mixed: [7],
  v2head_signals_sik_after_frequency_hop_same_uid: [7],
  v2head_signals_energy_confirm_only_false: [2],
  v2head_signals_after_ttl_expired_empty: [0],
  v2head_status_gps_fix: [1],
  v2head_status_static_gps_no_sdr_temps: [1],
  v2head_status_no_gps_zero_latlon: [1],
  v2head_status_unknown_serial_uid_vs_kit_id: [1],
  v2head_status_minimal_all_defaults: [1],
  v2head_status_kit_id_changed: [1],
  v2head_status_gpsd_nan_INVALID_JSON: [1, { not_a_number: 4 }],
};
const COLUMNS = { drones: DRONE_COLUMNS, signals: SIGNAL_COLUMNS, status: HEALTH_COLUMNS } as const;

it("every captured answer of both revisions is read, with exactly the columns of its table", async () => {
  const read = readable();
  assert.deepEqual(read.map(({ name }) => name).sort(), Object.keys(EXPECTED).sort());
  for (const { name, job } of read) {
    const collected = await collectCaptured(job, name);
    assert.deepEqual(
      [collected.rows?.length, rejected(collected)],
      [EXPECTED[name]?.[0], EXPECTED[name]?.[1] ?? {}],
      name,
    );
    for (const row of collected.rows ?? []) assert.deepEqual(Object.keys(row.values).sort(), [...COLUMNS[job]].sort());
  }
});

it("the columns are those of the store's tables, time aside", () => {
  const columnsOf = (table: keyof typeof ROW_TABLES) => Object.keys(ROW_TABLES[table].columns).sort();
  assert.deepEqual([...DRONE_COLUMNS, "time"].sort(), columnsOf("drones"));
  assert.deepEqual([...SIGNAL_COLUMNS, "time"].sort(), columnsOf("signals"));
  assert.deepEqual([...HEALTH_COLUMNS, "time"].sort(), columnsOf("system_health"));
});

it("samples count what is listed, with zeros for the types that are known", async () => {
  const drones = await collectCaptured("drones", "v2head_drones_mixed_drone_and_aircraft");
  assert.deepEqual(drones.samples, [
    { metric: "kit_drones", value: 1, labels: { track_type: "drone" } },
    { metric: "kit_drones", value: 4, labels: { track_type: "aircraft" } },
  ]);
  const signals = await collectCaptured("signals", "v2head_signals_fpv_confirm_no_rssi");
  assert.deepEqual(signals.samples, [
    { metric: "kit_signals", value: 1, labels: { signal_type: "fpv" } },
    { metric: "kit_signals", value: 0, labels: { signal_type: "gfsk_fhss" } },
  ]);
});

it("status samples are in base units, at the kit's own time; what is unknown has none", async () => {
  const full = await collectCaptured("status", "v2head_status_gps_fix");
  assert.equal(sample(full, "kit_cpu_usage_ratio"), 0.237);
  assert.ok(Math.abs((sample(full, "kit_memory_used_ratio") ?? 0) - (1 - 10719.640625 / 15884.1796875)) < 1e-12);
  assert.ok(Math.abs((sample(full, "kit_disk_used_ratio") ?? 0) - 58397.6015625 / 239172.3984375) < 1e-12);
  assert.equal(sample(full, "kit_uptime_seconds"), 93211.41);
  assert.equal(sample(full, "kit_temperature_celsius", { sensor: "cpu" }), 54);
  assert.equal(sample(full, "kit_temperature_celsius", { sensor: "pluto" }), 47.3);
  assert.equal(sample(full, "kit_temperature_celsius", { sensor: "zynq" }), 51.9);
  assert.equal(sample(full, "kit_latitude_degrees"), 42.3601);
  assert.equal(sample(full, "kit_longitude_degrees"), -71.0589);
  assert.equal(sample(full, "kit_gps_fix"), 1);
  for (const one of full.samples) assert.deepEqual(one.at, full.sourceTime);

  const bare = await collectCaptured("status", "v2head_status_minimal_all_defaults");
  assert.deepEqual(
    bare.samples.map(({ metric, value }) => [metric, value]),
    [
      ["kit_cpu_usage_ratio", 0],
      ["kit_uptime_seconds", 0],
      ["kit_gps_fix", 0],
    ],
  );
  const still = await collectCaptured("status", "v2head_status_static_gps_no_sdr_temps");
  assert.equal(sample(still, "kit_latitude_degrees"), 42.3601, "no fix, and yet a valid static position");
  assert.equal(sample(still, "kit_gps_fix"), 0);
});
