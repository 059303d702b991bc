import type { Generated, ColumnType as KyselyColumn } from "kysely";

/**
 * Portable column types; each engine's spelling is in capabilities.ts.
 * `time` is UTC with millisecond precision; `json` is JSON text on the way in.
 */
export type ColumnType = "text" | "double" | "integer" | "bigint" | "boolean" | "time" | "json";

/** A table whose rows are appended once and never changed: its natural key makes a replay harmless. */
export interface RowTable {
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, ColumnType>>;
}

/** `of("double", ["lat", "lon"])` -> `{ lat: "double", lon: "double" }`. */
function of<const T extends ColumnType, const N extends string>(type: T, names: readonly N[]): Record<N, T> {
  return Object.fromEntries(names.map((name) => [name, type])) as Record<N, T>;
}

/**
 * The tables rows are appended to, as migration 0001 creates them.
 * Never edit a list here: a column added later belongs to its own migration and is spread in below this object.
 * The names of kit columns are those that users' dashboards query already.
 */
export const FIRST_ROW_TABLES = {
  drones: {
    key: ["time", "kit_id", "drone_id"],
    columns: {
      ...of("time", ["time", "received_at"]),
      ...of("text", ["kit_id", "drone_id"]),
      ...of("double", ["lat", "lon", "alt", "speed", "heading", "vspeed", "height", "direction"]),
      ...of("double", ["pilot_lat", "pilot_lon", "home_lat", "home_lon", "freq", "freq_mhz"]),
      ...of("double", ["pressure_altitude", "gps_accuracy", "observed_at"]),
      ...of("double", ["rssi_dbm", "rssi_dbfs", "speed_multiplier", "nac_p", "nac_v"]),
      ...of("integer", ["runtime", "rssi", "message_index"]),
      ...of("text", ["op_status", "id_type", "mac", "ua_type", "operator_id", "caa_id"]),
      ...of("text", ["rid_make", "rid_model", "rid_source", "rid_status", "rid_tracking"]),
      ...of("text", ["track_type", "transport", "description", "ua_type_name", "operator_id_type"]),
      ...of("text", ["height_type", "ew_dir", "rid_timestamp", "remote_timestamp", "seen_by"]),
      ...of("text", ["vertical_accuracy", "horizontal_accuracy", "baro_accuracy", "speed_accuracy"]),
      ...of("text", ["timestamp_accuracy"]),
      ...of("text", ["callsign", "hex", "squawk", "reg", "category", "flight", "aircraft_source"]),
      ...of("boolean", ["rid_lookup_attempted", "rid_lookup_success", "on_ground"]),
      ...of("json", ["extra"]),
    },
  },
  signals: {
    key: ["time", "kit_id", "freq_mhz", "uid"],
    columns: {
      ...of("time", ["time", "received_at", "expires_at"]),
      ...of("text", ["kit_id", "uid"]),
      ...of("double", ["freq_mhz", "power_dbm", "power_linear", "bandwidth_mhz", "lat", "lon", "alt"]),
      ...of("double", ["pal_conf", "ntsc_conf", "rssi_raw", "sensor_lat", "sensor_lon", "sensor_alt", "radius_m"]),
      ...of("text", ["detection_type", "source", "signal_type", "alert_id", "callsign", "description"]),
      ...of("text", ["self_id", "seen_by"]),
      ...of("json", ["extra"]),
    },
  },
  system_health: {
    key: ["time", "kit_id"],
    columns: {
      ...of("time", ["time", "received_at"]),
      ...of("text", ["kit_id", "uid"]),
      ...of("double", ["lat", "lon", "alt", "cpu_percent", "memory_percent", "disk_percent", "uptime_hours"]),
      ...of("double", ["temp_cpu", "temp_gpu", "pluto_temp", "zynq_temp", "speed", "track"]),
      ...of("double", ["uptime_seconds", "memory_total_bytes", "memory_available_bytes"]),
      ...of("double", ["disk_total_bytes", "disk_used_bytes"]),
      ...of("boolean", ["gps_fix"]),
      ...of("text", ["time_source", "gpsd_time_utc"]),
      ...of("bigint", ["kit_updated_epoch"]),
      ...of("json", ["extra"]),
    },
  },
  samples: {
    key: ["series_id", "time"],
    columns: { ...of("time", ["time"]), ...of("bigint", ["series_id"]), ...of("double", ["value"]) },
  },
  documents: {
    key: ["target_id", "job", "name", "time"],
    columns: { ...of("time", ["time"]), ...of("text", ["target_id", "job", "name"]), ...of("json", ["document"]) },
  },
  plugin_executions: {
    key: ["target_id", "job", "started_at"],
    columns: {
      ...of("text", ["plugin_id", "target_id", "job"]),
      ...of("time", ["started_at", "completed_at"]),
      ...of("text", ["status", "error_kind", "error_message"]),
      ...of("integer", ["metrics_count", "rows_count", "attempts"]),
      ...of("double", ["duration_ms"]),
    },
  },
  dead_letters: {
    key: ["id"],
    columns: {
      ...of("text", ["id"]),
      ...of("time", ["time"]),
      ...of("text", ["table_name"]),
      ...of("json", ["row_json"]),
      ...of("text", ["reason"]),
    },
  },
  health_events: {
    key: ["time", "kind", "id", "to_state"],
    columns: {
      ...of("time", ["time"]),
      ...of("text", ["kind", "id", "from_state", "to_state", "severity", "details"]),
    },
  },
} as const satisfies Record<string, RowTable>;

/**
 * What alerts were reported, as migration 0003 makes it: two rows an alert, one when it fires and one when it is resolved.
 * `time` is when it began to fire, in both: with the fingerprint of its labels it names the alert, so that a report that
 * comes again changes nothing. `ends_at` is when it was resolved.
 */
export const ALERT_HISTORY = {
  key: ["time", "fingerprint", "triggered"],
  columns: {
    ...of("time", ["time", "ends_at", "received_at"]),
    ...of("text", ["fingerprint", "alert_id", "message", "severity", "source"]),
    ...of("boolean", ["triggered"]),
    ...of("double", ["value"]),
    ...of("json", ["labels", "annotations"]),
  },
} as const satisfies RowTable;

/** Where and by what an execution was made, as migration 0004 adds it. */
export const EXECUTION_CONTEXT = of("text", ["host", "environment", "collector_version"]);

/** Every table rows are appended to. */
export const ROW_TABLES = {
  ...FIRST_ROW_TABLES,
  plugin_executions: {
    key: FIRST_ROW_TABLES.plugin_executions.key,
    columns: { ...FIRST_ROW_TABLES.plugin_executions.columns, ...EXECUTION_CONTEXT },
  },
  alert_history: ALERT_HISTORY,
} as const satisfies Record<string, RowTable>;

export type RowTableName = keyof typeof ROW_TABLES;

/** True for a table that plugins' rows may name. */
export function isRowTable(name: string): name is RowTableName {
  return Object.hasOwn(ROW_TABLES, name);
}

/** Engines read times as `Date` (PostgreSQL) or epoch milliseconds (SQLite); both take a `Date`. */
export type StoredTime = Date | number;
type Time = KyselyColumn<StoredTime, Date, Date>;
type OptionalTime = KyselyColumn<StoredTime | null, Date | null | undefined, Date | null>;
/** JSON reads as text (SQLite) or as the parsed value (PostgreSQL); it is written as text. */
type Json = KyselyColumn<unknown, string, string>;
type Flag = KyselyColumn<boolean | number, boolean, boolean>;

interface Cells {
  text: string | null;
  double: number | null;
  integer: number | null;
  bigint: number | string | null;
  boolean: boolean | number | null;
  time: StoredTime | null;
  json: unknown;
}
type RowsOf<T extends RowTable> = { [C in keyof T["columns"]]: Cells[T["columns"][C]] };

/** The schema as kysely sees it. Row tables follow ROW_TABLES; the rest is what the migrations create. */
export type Database = { [T in RowTableName]: RowsOf<(typeof ROW_TABLES)[T]> } & {
  kits: {
    kit_id: string;
    name: string | null;
    location: string | null;
    api_url: string | null;
    last_seen: OptionalTime;
    status: string;
    enabled: Flag;
    source: string;
    created_at: Generated<StoredTime>;
    updated_at: Time;
    tags: Json;
    uid: string | null;
  };
  plugins: {
    id: string;
    plugin_id: string;
    name: string;
    version: string;
    description: string | null;
    category: string | null;
    enabled: Flag;
    config: Json;
    created_at: Generated<StoredTime>;
    updated_at: Time;
    seed: KyselyColumn<string | null, string | null | undefined, string>;
  };
  plugin_status: {
    target_id: string;
    plugin_id: string;
    last_run: OptionalTime;
    last_success: OptionalTime;
    last_error: string | null;
    error_count: number;
    consecutive_errors: number;
    health_status: string;
    updated_at: Time;
  };
  alerts: {
    alert_id: string;
    plugin_id: string | null;
    metric_name: string | null;
    name: string;
    condition: Json;
    severity: string;
    enabled: Flag;
    created_at: Generated<StoredTime>;
    updated_at: Time;
  };
  agents: {
    agent_id: string;
    plugin_id: string;
    name: string;
    key_sha256: string;
    created_at: Time;
    expires_at: Time;
    revoked_at: OptionalTime;
    registered_at: OptionalTime;
    declared: KyselyColumn<unknown, string | null, string | null>;
    config: Json;
  };
  series: {
    series_id: Generated<number | string>;
    fingerprint: string;
    plugin_id: string;
    target_id: string;
    metric_name: string;
    labels: Json;
  };
};
