import type { Cell } from "../../model/sample.ts";

/**
 * The columns a row of each table carries, `time` (the row's `at`) aside.
 * Every row has every one of them, null where the kit told nothing, so that all rows of a table share one shape.
 */
// biome-ignore format: grouped by origin, one group a line, as the kit's documentation lists them
export const DRONE_COLUMNS = [
  "kit_id", "drone_id", "track_type",
  "lat", "lon", "alt", "speed", "heading", "vspeed", "height", "direction",
  "pilot_lat", "pilot_lon", "home_lat", "home_lon",
  "freq", "freq_mhz", "pressure_altitude", "gps_accuracy", "observed_at", "runtime",
  "rssi", "rssi_dbm", "rssi_dbfs",
  "op_status", "id_type", "mac", "ua_type", "ua_type_name", "operator_id", "operator_id_type", "caa_id",
  "rid_make", "rid_model", "rid_source", "rid_status", "rid_tracking", "rid_lookup_attempted", "rid_lookup_success",
  "transport", "description", "height_type", "ew_dir",
  "speed_multiplier", "vertical_accuracy", "horizontal_accuracy", "baro_accuracy", "speed_accuracy",
  "timestamp_accuracy", "rid_timestamp", "remote_timestamp", "seen_by", "message_index",
  "callsign", "hex", "squawk", "reg", "category", "flight", "on_ground", "nac_p", "nac_v", "aircraft_source",
  "received_at", "extra",
] as const;

// biome-ignore format: as above
export const SIGNAL_COLUMNS = [
  "kit_id", "freq_mhz", "uid",
  "power_dbm", "power_linear", "rssi_raw", "bandwidth_mhz", "lat", "lon", "alt", "pal_conf", "ntsc_conf",
  "detection_type", "source", "signal_type", "alert_id", "callsign", "description", "self_id", "seen_by",
  "sensor_lat", "sensor_lon", "sensor_alt", "radius_m", "expires_at", "received_at", "extra",
] as const;

// biome-ignore format: as above
export const HEALTH_COLUMNS = [
  "kit_id", "uid", "lat", "lon", "alt", "speed", "track",
  "cpu_percent", "memory_percent", "disk_percent", "uptime_hours", "uptime_seconds",
  "temp_cpu", "temp_gpu", "pluto_temp", "zynq_temp", "gps_fix", "time_source", "gpsd_time_utc", "kit_updated_epoch",
  "memory_total_bytes", "memory_available_bytes", "disk_total_bytes", "disk_used_bytes", "received_at", "extra",
] as const;

/** Values of a row: exactly the columns of its table, so a column forgotten or misspelt does not compile. */
type Values<C extends string> = { readonly [K in C]: Cell };
export type DroneValues = Values<(typeof DRONE_COLUMNS)[number]>;
export type SignalValues = Values<(typeof SIGNAL_COLUMNS)[number]>;
export type HealthValues = Values<(typeof HEALTH_COLUMNS)[number]>;

/** A row of `drones` of which nothing is known, to be spread under what is. */
export const BLANK_DRONE = Object.freeze(
  Object.fromEntries(DRONE_COLUMNS.map((column) => [column, null])),
) as DroneValues;
