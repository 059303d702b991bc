import { BLANK_DRONE, type DroneValues } from "./columns.ts";
import { extraOf } from "./extra.ts";
import { type Entry, flag, number, position, type Residue, text } from "./fields.ts";

// biome-ignore format: as many a line as fit
const KNOWN: ReadonlySet<string> = new Set([
  "id", "track_type", "callsign", "hex", "lat", "lon", "alt", "ground_speed", "track", "squawk", "reg", "category",
  "flight", "on_ground", "nac_p", "nac_v", "rssi", "last_update_time", "source", "seen_by",
]);
const METERS_PER_FOOT = 0.3048;
/** International knot: 1852 m an hour. */
const METERS_PER_SECOND_PER_KNOT = 0.514444;

/**
 * The row of an aircraft. It shares `drones` with drones, so it speaks their units: the kit's feet become metres and its
 * knots m/s; its rssi is dBFS and has a column of its own. The drones' sentinels don't apply: 255 knots is a speed.
 */
export function aircraftValues(
  entry: Entry,
  kitId: string,
  id: string,
  receivedAt: Date,
  residue: Residue,
): DroneValues {
  const here = position(entry.lat, entry.lon, "lat", "lon", residue);
  return {
    ...BLANK_DRONE,
    kit_id: kitId,
    drone_id: id,
    track_type: "aircraft",
    lat: here.lat,
    lon: here.lon,
    alt: times(number(entry.alt, "alt", residue), METERS_PER_FOOT),
    speed: times(number(entry.ground_speed, "ground_speed", residue), METERS_PER_SECOND_PER_KNOT),
    heading: number(entry.track, "track", residue),
    rssi_dbfs: number(entry.rssi, "rssi", residue),
    seen_by: text(entry.seen_by, "seen_by", residue),
    callsign: text(entry.callsign, "callsign", residue),
    hex: text(entry.hex, "hex", residue),
    squawk: text(entry.squawk, "squawk", residue),
    reg: text(entry.reg, "reg", residue),
    category: text(entry.category, "category", residue),
    flight: text(entry.flight, "flight", residue),
    on_ground: flag(entry.on_ground, "on_ground", residue),
    nac_p: number(entry.nac_p, "nac_p", residue),
    nac_v: number(entry.nac_v, "nac_v", residue),
    aircraft_source: text(entry.source, "source", residue),
    received_at: receivedAt,
    extra: extraOf(entry, KNOWN, residue),
  };
}

function times(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}
