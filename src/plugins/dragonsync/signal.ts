import type { SignalValues } from "./columns.ts";
import { extraOf } from "./extra.ts";
import {
  type Entry,
  keep,
  NOWHERE,
  number,
  numeric,
  type Position,
  position,
  type Residue,
  refuse,
  text,
} from "./fields.ts";
import { epochMs } from "./time.ts";

// biome-ignore format: as many a line as fit
const KNOWN: ReadonlySet<string> = new Set([
  "uid", "signal_type", "source", "alert_id", "callsign", "description", "self_id", "center_hz", "freq_mhz",
  "bandwidth_hz", "pal_conf", "ntsc_conf", "rssi", "sensor_lat", "sensor_lon", "sensor_alt", "lat", "lon", "alt",
  "radius_m", "seen_by", "observed_at", "expires_at",
]);
/** About a kilometre: farther than a kit ever shifts a signal from its sensor. */
const SHIFT_DEGREES = 0.01;

/** MHz of a signal, from `center_hz` (what kits send) or else `freq_mhz`; null when it has no usable frequency. */
export function signalMhz(entry: Entry): number | null {
  const mhz = numeric(entry.center_hz) / 1e6;
  return isFrequency(mhz) ? mhz : isFrequency(numeric(entry.freq_mhz)) ? numeric(entry.freq_mhz) : null;
}

function isFrequency(mhz: number): boolean {
  return mhz > 0 && mhz < Number.POSITIVE_INFINITY;
}

/** The row of a signal. Negative rssi is dBm; from 0 on it is the linear power some receivers send: never one column. */
export function signalValues(
  entry: Entry,
  kitId: string,
  freqMhz: number,
  uid: string,
  receivedAt: Date,
  residue: Residue,
): SignalValues {
  const rssi = number(entry.rssi, "rssi", residue);
  const bandwidth = number(entry.bandwidth_hz, "bandwidth_hz", residue);
  const sensor = position(entry.sensor_lat, entry.sensor_lon, "sensor_lat", "sensor_lon", residue);
  const here = signalPosition(entry, sensor, residue);
  // Of the two names of the frequency one made the column; another value under the other name is kept.
  for (const key of ["center_hz", "freq_mhz"]) if (!isTold(entry[key], freqMhz)) keep(residue, key, entry[key]);
  return {
    kit_id: kitId,
    freq_mhz: freqMhz,
    uid,
    power_dbm: rssi !== null && rssi < 0 ? rssi : null,
    power_linear: rssi !== null && rssi >= 0 ? rssi : null,
    rssi_raw: rssi,
    bandwidth_mhz: bandwidth === null ? null : bandwidth / 1e6,
    lat: here.lat,
    lon: here.lon,
    alt: number(entry.alt, "alt", residue),
    pal_conf: number(entry.pal_conf, "pal_conf", residue),
    ntsc_conf: number(entry.ntsc_conf, "ntsc_conf", residue),
    detection_type: detectionType(entry),
    source: text(entry.source, "source", residue),
    signal_type: text(entry.signal_type, "signal_type", residue),
    alert_id: text(entry.alert_id, "alert_id", residue),
    callsign: text(entry.callsign, "callsign", residue),
    description: text(entry.description, "description", residue),
    self_id: text(entry.self_id, "self_id", residue),
    seen_by: text(entry.seen_by, "seen_by", residue),
    sensor_lat: sensor.lat,
    sensor_lon: sensor.lon,
    sensor_alt: number(entry.sensor_alt, "sensor_alt", residue),
    radius_m: number(entry.radius_m, "radius_m", residue),
    expires_at: expiry(entry.expires_at, residue),
    received_at: receivedAt,
    extra: extraOf(entry, KNOWN, residue),
  };
}

function isTold(value: unknown, freqMhz: number): boolean {
  return value === undefined || value === null || numeric(value) === freqMhz || numeric(value) / 1e6 === freqMhz;
}

/**
 * A signal's position is its sensor's, shifted by some metres. A sensor without one (0.0/0.0) makes a shifted nowhere,
 * which is none either; its values are kept in `extra`.
 */
function signalPosition(entry: Entry, sensor: Position, residue: Residue): Position {
  const here = position(entry.lat, entry.lon, "lat", "lon", residue);
  const told = entry.sensor_lat !== undefined && entry.sensor_lat !== null;
  if (!told || sensor !== NOWHERE || here.lat === null || here.lon === null) return here;
  if (Math.abs(here.lat) > SHIFT_DEGREES || Math.abs(here.lon) > SHIFT_DEGREES) return here;
  keep(residue, "lat", entry.lat);
  keep(residue, "lon", entry.lon);
  return NOWHERE;
}

/** `dji` when the kit's words say so, `analog` for analog video (PAL or NTSC), else null: the column allows no third. */
function detectionType(entry: Entry): "dji" | "analog" | null {
  const words = [entry.signal_type, entry.source, entry.description, entry.self_id, entry.callsign];
  if (words.some(saysDji)) return "dji";
  return entry.signal_type === "fpv" || isConfident(entry.pal_conf) || isConfident(entry.ntsc_conf) ? "analog" : null;
}

function saysDji(value: unknown): boolean {
  return typeof value === "string" && value.toLowerCase().includes("dji");
}

function isConfident(value: unknown): boolean {
  return typeof value === "number" && value > 0;
}

function expiry(value: unknown, residue: Residue): Date | null {
  if (value === null || value === undefined) return null;
  const ms = epochMs(value);
  return Number.isNaN(ms) ? refuse(residue, "out_of_range", "expires_at", value) : new Date(ms);
}
