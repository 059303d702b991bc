import { type DroneFields, type DroneKind, droneId, kindOf } from "./drone-kinds.ts";
import { DRONE, encode, Verbatim } from "./fields.ts";
import { flightAt } from "./flight.ts";
import { type Position, round } from "./geo.ts";
import type { Observation } from "./observation.ts";
import { epoch, type Pace, type Stay, stayAt } from "./pace.ts";
import type { KitProfile } from "./profile.ts";
import { hex, serial, unit } from "./random.ts";

const SALT = 10_000;
/** DragonSync's `inactivity_timeout`: a drone is listed this long after its last message (s). */
const LISTED = 60;

/** The drone a kit lists for a slot at `now` (kit clock, ms), if there is one. */
export function droneAt(kit: KitProfile, slot: number, pace: Pace, now: number): Observation | undefined {
  const salt = SALT + slot;
  const habit = { seed: kit.seed, kit: kit.index, salt, stay: [480, 1_200], every: [1, 12], listed: LISTED } as const;
  const stay = stayAt(habit, pace, now);
  if (!stay) return undefined;
  const kind = kindOf(slot);
  return droneObservation(kit, slot, stay, droneId(kind, slot, serial(9, kit.seed, kit.index * 1_009 + salt, stay.n)));
}

/** One observation of the drone `id`, flying as slot's stay says. */
export function droneObservation(kit: KitProfile, slot: number, stay: Stay, id: string): Observation {
  const time = trackTime(slot, stay);
  return {
    key: { table: "drones", time, drone_id: id },
    id,
    encode: () => encode(DRONE, droneFields(kit, slot, stay, id)),
  };
}

/** The kit notes the track some microseconds after the message it came with. */
function trackTime(slot: number, stay: Stay): number {
  return epoch(stay.heard, 176 + (slot % 200));
}

/** Every field of a drone track, in the shapes the captured bodies have. */
function droneFields(kit: KitProfile, slot: number, stay: Stay, id: string): DroneFields {
  const kind = kindOf(slot);
  const observedAt = epoch(stay.heard, 150 + (slot % 200));
  const past = `${((stay.heard / 1000) % 3600).toFixed(1)} seconds past the hour`;
  const moving = movingFields(kit, slot, stay, kind);
  return {
    id,
    ...{ id_type: "", ua_type: null, ua_type_name: "", operator_id_type: "", op_status: "Airborne" },
    operator_id: kind.fixed.operator_id_type ? serial(12, kit.seed, kit.index, SALT + slot) : "",
    ...{ height_type: "Above Takeoff", speed_multiplier: 0.25 },
    ...{
      vertical_accuracy: "< 3 m",
      horizontal_accuracy: "< 10 m",
      baro_accuracy: "< 10 m",
      speed_accuracy: "< 1 m/s",
    },
    ...{ timestamp: past, rid_timestamp: past, observed_at: observedAt, timestamp_accuracy: "0.1 seconds" },
    seen_by: kit.uid,
    ...moving,
    description: "",
    mac: kind.oui ? macAddress(kind.oui, kit, slot, stay.n) : "",
    ...{ index: kind.oui ? slot : 0, runtime: kind.oui ? Math.floor(stay.age) : 0, caa_id: "" },
    freq: kind.freqs[Math.floor(unit(kit.seed, kit.index, SALT + slot, 7) * kind.freqs.length)] ?? null,
    transport: "",
    rid: NO_REGISTRATION,
    last_update_time: trackTime(slot, stay),
    track_type: "drone",
    ...kind.fixed,
  };
}

const NO_REGISTRATION = new Verbatim({
  ...{ tracking: null, status: null, make: null, model: null, source: null },
  ...{ lookup_attempted: false, lookup_success: false },
});
/** How kits write "none": never null. */
const NOWHERE: Position = { lat: 0, lon: 0 };

function movingFields(kit: KitProfile, slot: number, stay: Stay, kind: DroneKind) {
  const flight = flightAt(kit, SALT + slot, stay);
  const position = kind.tellsPosition ? flight.position : NOWHERE;
  const pilot = kind.tellsPilot ? flight.pilot : NOWHERE;
  const home = kind.tellsHome ? flight.home : NOWHERE;
  const told = kind.tellsPosition ? 1 : 0;
  return {
    ...{ ew_dir: flight.direction < 180 ? "East" : "West", direction: Math.round(flight.direction) % 360 },
    pressure_altitude: round(flight.alt - 1.5, 1),
    ...{ lat: round(position.lat, 6), lon: round(position.lon, 6) },
    ...{ alt: told * round(flight.alt, 1), height: told * round(flight.height, 1) },
    ...{ speed: told * round(flight.speed, 2), vspeed: round(told * flight.vspeed, 2) + 0 },
    ...{ pilot_lat: round(pilot.lat, 6), pilot_lon: round(pilot.lon, 6) },
    ...{ home_lat: round(home.lat, 6), home_lon: round(home.lon, 6) },
    rssi: flight.rssi,
  };
}

function macAddress(oui: string, kit: KitProfile, slot: number, n: number): string {
  const rest = hex(6, kit.seed, kit.index * 1_009 + slot, n);
  return `${oui}:${rest.slice(0, 2)}:${rest.slice(2, 4)}:${rest.slice(4)}`;
}
