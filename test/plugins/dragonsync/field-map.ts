import type { Row } from "../../../src/model/sample.ts";

/** Where a field goes: a column, with the factor to its unit. What is not listed goes to the column of its own name. */
type FieldMap = Readonly<Record<string, readonly [column: string, factor: number]>>;

export const DRONE_FIELDS: FieldMap = {
  id: ["drone_id", 1],
  timestamp: ["remote_timestamp", 1],
  index: ["message_index", 1],
  rssi: ["rssi_dbm", 1],
};
export const AIRCRAFT_FIELDS: FieldMap = {
  id: ["drone_id", 1],
  alt: ["alt", 0.3048],
  ground_speed: ["speed", 0.514444],
  track: ["heading", 1],
  rssi: ["rssi_dbfs", 1],
  source: ["aircraft_source", 1],
};
export const SIGNAL_FIELDS: FieldMap = {
  center_hz: ["freq_mhz", 1e-6],
  bandwidth_hz: ["bandwidth_mhz", 1e-6],
  rssi: ["rssi_raw", 1],
  observed_at: ["at", 1],
};
export const STATUS_FIELDS: FieldMap = {
  cpu_usage: ["cpu_percent", 1],
  memory_total: ["memory_total_bytes", 1_048_576],
  memory_available: ["memory_available_bytes", 1_048_576],
  disk_total: ["disk_total_bytes", 1_048_576],
  disk_used: ["disk_used_bytes", 1_048_576],
  temperature: ["temp_cpu", 1],
  uptime: ["uptime_seconds", 1],
};

/** Values that say "not known", which a column holds as null. */
const NONE: readonly unknown[] = [null, "", "N/A", 0, 255, 361, -1_000, 65_531];

/** Whether a row holds what the kit told of one field: in its column, as a null that stands for it, or in extra. */
export function holds(row: Row, fields: FieldMap, field: string, told: unknown): boolean {
  if (field === "rid") {
    return Object.entries(told as object).every(([key, inner]) => holds(row, { [key]: [`rid_${key}`, 1] }, key, inner));
  }
  const [column, factor] = fields[field] ?? [field === "last_update_time" ? "at" : field, 1];
  const stored = column === "at" ? row.at : row.values[column];
  if (stored === null) return NONE.includes(told) || extraOf(row)[field] === told;
  if (stored instanceof Date) return stored.getTime() === Math.trunc(Number(told) * 1_000);
  if (typeof stored === "number") return Math.abs(stored - Number(told) * factor) <= Math.abs(stored) * 1e-9;
  return String(stored) === String(told).replaceAll("\0", "\u2400");
}

function extraOf(row: Row): Readonly<Record<string, unknown>> {
  return JSON.parse(String(row.values["extra"] ?? "{}"));
}
