/** What a kit's JSON can hold. */
export type Json = string | number | boolean | null | { readonly [key: string]: Json } | readonly Json[];

/**
 * Fields in the order kits write them; "float" is written with a decimal point even when whole, as Python does.
 * `before` is the text in front of the value: joined once, because thousands of kits are written each second.
 */
type Layout = readonly (readonly [name: string, type: "float" | "other", before: string])[];

/** Every field of the layout has a value: nothing is left out by mistake. */
export type FieldsOf<L extends Layout> = { readonly [K in L[number][0]]: Json | Verbatim };

const floats = <const N extends readonly string[]>(...names: N) => pairs(names, "float");
const others = <const N extends readonly string[]>(...names: N) => pairs(names, "other");
type Pairs<N extends readonly string[], T> = { readonly [I in keyof N]: readonly [N[I], T, string] };

function pairs<N extends readonly string[], T extends "float" | "other">(names: N, type: T): Pairs<N, T> {
  return names.map((name) => [name, type, `, "${name}": `]) as unknown as Pairs<N, T>;
}

export const DRONE = [
  ...others("id", "id_type", "ua_type", "ua_type_name", "operator_id_type", "operator_id", "op_status"),
  ...others("height_type", "ew_dir", "direction"),
  ...floats("speed_multiplier", "pressure_altitude"),
  ...others("vertical_accuracy", "horizontal_accuracy", "baro_accuracy", "speed_accuracy"),
  ...others("timestamp", "rid_timestamp"),
  ...floats("observed_at"),
  ...others("timestamp_accuracy", "seen_by"),
  ...floats("lat", "lon", "alt", "height", "speed", "vspeed", "pilot_lat", "pilot_lon", "home_lat", "home_lon"),
  ...others("description", "mac", "rssi", "index", "runtime", "caa_id"),
  ...floats("freq"),
  ...others("transport", "rid"),
  ...floats("last_update_time"),
  ...others("track_type"),
] as const;

export const AIRCRAFT = [
  ...others("id", "track_type", "callsign", "hex"),
  ...floats("lat", "lon"),
  ...others("alt"),
  ...floats("ground_speed", "track"),
  ...others("squawk", "reg", "category", "flight", "on_ground", "nac_p", "nac_v"),
  ...floats("rssi", "last_update_time"),
  ...others("source", "seen_by"),
] as const;

export const SIGNAL = [
  ...others("uid", "signal_type", "source", "alert_id", "callsign", "description", "self_id"),
  ...floats("center_hz", "bandwidth_hz", "pal_conf", "ntsc_conf", "rssi"),
  ...floats("sensor_lat", "sensor_lon", "sensor_alt", "lat", "lon", "alt", "radius_m"),
  ...others("seen_by"),
  ...floats("observed_at", "expires_at"),
] as const;

export const STATUS = [
  ...others("uid"),
  ...floats("lat", "lon", "alt", "cpu_usage", "memory_total", "memory_available", "disk_total", "disk_used"),
  ...floats("temperature", "uptime", "pluto_temp", "zynq_temp", "speed", "track"),
  ...others("gps_fix", "time_source", "gpsd_time_utc"),
  ...floats("last_update_time"),
] as const;

/** Text that is JSON already, for a value that never changes. */
export class Verbatim {
  readonly json: string;
  constructor(value: Json) {
    this.json = python(value);
  }
}

/** Writes an object as Python's json.dumps does: `, ` and `: `, ASCII only, floats with a point, bare NaN and Infinity. */
export function encode<L extends Layout>(layout: L, fields: FieldsOf<L>): string {
  let text = "";
  for (const [name, type, before] of layout) {
    const value = fields[name as keyof FieldsOf<L>];
    text += before;
    text += type === "float" && Number.isInteger(value) ? `${value}.0` : token(value);
  }
  return `{${text.slice(2)}}`;
}

/** Any value as Python's json.dumps writes it. */
export function python(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value !== "object" || value === null) return token(value);
  return `{${Object.entries(value)
    .map(([k, v]) => `${quote(k)}: ${python(v)}`)
    .join(", ")}}`;
}

function token(value: Json | Verbatim): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return String(value);
  return value instanceof Verbatim ? value.json : python(value);
}

const PLAIN = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  if (text === "") return '""';
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
