import type { DroneValues } from "./columns.ts";
import { extraOf, MAX_FIELDS } from "./extra.ts";
import { type Entry, flag, integer, keep, number, position, type Residue, refuse, text } from "./fields.ts";
import { epochMs } from "./time.ts";

/** Fields of a drone that columns hold; everything else goes to `extra`. */
// biome-ignore format: as many a line as fit
const KNOWN: ReadonlySet<string> = new Set([
  "id", "track_type", "id_type", "ua_type", "ua_type_name", "operator_id_type", "operator_id", "op_status", "height_type",
  "ew_dir", "direction", "speed_multiplier", "pressure_altitude", "gps_accuracy", "vertical_accuracy",
  "horizontal_accuracy", "baro_accuracy", "speed_accuracy", "timestamp", "rid_timestamp", "observed_at",
  "timestamp_accuracy", "seen_by", "lat", "lon", "alt", "height", "speed", "vspeed", "pilot_lat", "pilot_lon",
  "home_lat", "home_lon", "description", "mac", "rssi", "index", "runtime", "caa_id", "freq", "transport", "rid",
  "last_update_time",
]);
const RID_KNOWN: ReadonlySet<string> = new Set([
  "tracking",
  "status",
  "make",
  "model",
  "source",
  "lookup_attempted",
  "lookup_success",
]);
const NO_RID: Entry = Object.freeze({});

/** How Remote ID says "unknown". */
const UNKNOWN_SPEED = 255;
const UNKNOWN_DIRECTION = 361;
const UNKNOWN_ALTITUDE = -1_000;
/** -5 as the 16 bits that some feeds send for the same. */
const UNKNOWN_ALTITUDE_WRAPPED = 65_531;
/** Over this a frequency is in Hz, as in the kit's own code. */
const HZ_FROM = 1e5;

/** The row of a drone's track: metres, m/s, degrees, MHz, dBm. `id` is already fit for a column. */
export function droneValues(entry: Entry, kitId: string, id: string, receivedAt: Date, residue: Residue): DroneValues {
  const here = position(entry.lat, entry.lon, "lat", "lon", residue);
  const pilot = position(entry.pilot_lat, entry.pilot_lon, "pilot_lat", "pilot_lon", residue);
  const home = position(entry.home_lat, entry.home_lon, "home_lat", "home_lon", residue);
  const direction = unless(number(entry.direction, "direction", residue), UNKNOWN_DIRECTION);
  const freq = unless(number(entry.freq, "freq", residue), 0);
  const rssi = unless(number(entry.rssi, "rssi", residue), 0);
  const rid = ridOf(entry, residue);
  // The table knows two types; a third, should kits invent one, is told in extra.
  if (entry.track_type !== "drone" && entry.track_type !== undefined) keep(residue, "track_type", entry.track_type);
  return {
    kit_id: kitId,
    drone_id: id,
    track_type: "drone",
    lat: here.lat,
    lon: here.lon,
    alt: altitude(entry.alt, "alt", residue),
    speed: unless(number(entry.speed, "speed", residue), UNKNOWN_SPEED),
    heading: direction,
    vspeed: number(entry.vspeed, "vspeed", residue),
    height: altitude(entry.height, "height", residue),
    direction,
    pilot_lat: pilot.lat,
    pilot_lon: pilot.lon,
    home_lat: home.lat,
    home_lon: home.lon,
    freq,
    freq_mhz: freq !== null && freq > HZ_FROM ? freq / 1e6 : freq,
    pressure_altitude: altitude(entry.pressure_altitude, "pressure_altitude", residue),
    gps_accuracy: number(entry.gps_accuracy, "gps_accuracy", residue),
    observed_at: epochSeconds(entry.observed_at, "observed_at", residue),
    runtime: integer(entry.runtime, "runtime", residue),
    rssi: rssi === null ? null : integer(rssi, "rssi", residue),
    rssi_dbm: rssi,
    rssi_dbfs: null,
    op_status: text(entry.op_status, "op_status", residue),
    id_type: text(entry.id_type, "id_type", residue),
    mac: text(entry.mac, "mac", residue),
    ua_type: text(entry.ua_type, "ua_type", residue),
    ua_type_name: text(entry.ua_type_name, "ua_type_name", residue),
    operator_id: text(entry.operator_id, "operator_id", residue),
    operator_id_type: text(entry.operator_id_type, "operator_id_type", residue),
    caa_id: text(entry.caa_id, "caa_id", residue),
    rid_make: text(rid.make, "rid.make", residue),
    rid_model: text(rid.model, "rid.model", residue),
    rid_source: text(rid.source, "rid.source", residue),
    rid_status: text(rid.status, "rid.status", residue),
    rid_tracking: text(rid.tracking, "rid.tracking", residue),
    rid_lookup_attempted: flag(rid.lookup_attempted, "rid.lookup_attempted", residue),
    rid_lookup_success: flag(rid.lookup_success, "rid.lookup_success", residue),
    transport: text(entry.transport, "transport", residue),
    description: text(entry.description, "description", residue),
    height_type: text(entry.height_type, "height_type", residue),
    ew_dir: text(entry.ew_dir, "ew_dir", residue),
    speed_multiplier: number(entry.speed_multiplier, "speed_multiplier", residue),
    vertical_accuracy: text(entry.vertical_accuracy, "vertical_accuracy", residue),
    horizontal_accuracy: text(entry.horizontal_accuracy, "horizontal_accuracy", residue),
    baro_accuracy: text(entry.baro_accuracy, "baro_accuracy", residue),
    speed_accuracy: text(entry.speed_accuracy, "speed_accuracy", residue),
    timestamp_accuracy: text(entry.timestamp_accuracy, "timestamp_accuracy", residue),
    rid_timestamp: text(entry.rid_timestamp, "rid_timestamp", residue),
    // Remote ID's own time: usually "1834.2 seconds past the hour". Never the row's time.
    remote_timestamp: text(entry.timestamp, "timestamp", residue),
    seen_by: text(entry.seen_by, "seen_by", residue),
    message_index: integer(entry.index, "index", residue),
    callsign: null,
    hex: null,
    squawk: null,
    reg: null,
    category: null,
    flight: null,
    on_ground: null,
    nac_p: null,
    nac_v: null,
    aircraft_source: null,
    received_at: receivedAt,
    extra: extraOf(entry, KNOWN, residue),
  };
}

function unless(value: number | null, sentinel: number): number | null {
  return value === sentinel ? null : value;
}

function altitude(value: unknown, key: string, residue: Residue): number | null {
  const read = number(value, key, residue);
  return read === UNKNOWN_ALTITUDE || read === UNKNOWN_ALTITUDE_WRAPPED ? null : read;
}

/** The look-up of the drone's registration; what of it has no column is kept under `rid`. */
function ridOf(entry: Entry, residue: Residue): Entry {
  const { rid } = entry;
  if (rid === null || rid === undefined) return NO_RID;
  if (typeof rid !== "object" || Array.isArray(rid)) {
    refuse(residue, "wrong_type", "rid", rid);
    return NO_RID;
  }
  const fields = rid as Entry;
  for (const key of Object.keys(fields).slice(0, MAX_FIELDS))
    if (!RID_KNOWN.has(key)) keep(residue, `rid.${key}`, fields[key]);
  return fields;
}

/** Epoch seconds; a time that is none is kept raw. */
function epochSeconds(value: unknown, key: string, residue: Residue): number | null {
  if (value === null || value === undefined) return null;
  if (Number.isNaN(epochMs(value))) return refuse(residue, "out_of_range", key, value);
  const told = Number(value);
  return told > 1e11 ? told / 1_000 : told;
}
