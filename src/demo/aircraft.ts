import { AIRCRAFT, encode, type FieldsOf } from "./fields.ts";
import { signalStrength } from "./flight.ts";
import { course, offset, round } from "./geo.ts";
import type { Observation } from "./observation.ts";
import { epoch, type Pace, type Stay, stayAt } from "./pace.ts";
import type { KitProfile } from "./profile.ts";
import { between, hex, unit } from "./random.ts";

const SALT = 20_000;
/** DragonSync's `adsb_cache_ttl`: an aircraft is listed this long after it was last heard (s). */
const LISTED = 120;
const METRES_PER_SECOND = 1852 / 3600;

type AircraftFields = FieldsOf<typeof AIRCRAFT>;

interface AircraftKind {
  /** Knots. */
  readonly speed: readonly [number, number];
  /** Feet. */
  readonly alt: readonly [number, number];
  readonly fixed: Partial<AircraftFields>;
}

/** One of each way aircraft are told, taken from captured bodies: feet, knots and dBFS. */
const KINDS: readonly AircraftKind[] = [
  { speed: [380, 470], alt: [29_000, 39_000], fixed: { category: "A3", nac_p: 9, nac_v: 2 } },
  { speed: [90, 140], alt: [1_200, 4_500], fixed: { category: "A1", flight: null, nac_p: 8, nac_v: 1 } },
  { speed: [5, 25], alt: [0, 0], fixed: { category: "C2", flight: null, reg: null, squawk: null, on_ground: true } },
  { speed: [120, 200], alt: [2_000, 9_000], fixed: { flight: null, reg: null, squawk: null, rssi: null } },
];
/** Relayed traffic (TIS-B) has no ICAO address of its own. */
const RELAYED = 3;

/** The aircraft a kit lists for a slot at `now` (kit clock, ms), if there is one. */
export function aircraftAt(kit: KitProfile, slot: number, pace: Pace, now: number): Observation | undefined {
  const salt = SALT + slot;
  const habit = { seed: kit.seed, kit: kit.index, salt, stay: [240, 600], every: [1, 4], listed: LISTED } as const;
  const stay = stayAt(habit, pace, now);
  if (!stay) return undefined;
  const address = `${slot % KINDS.length === RELAYED ? "~" : ""}${hex(6, kit.seed, kit.index * 1_009 + salt, stay.n)}`;
  const time = epoch(stay.heard, 100 + (slot % 300));
  const id = `adsb-${address}`;
  return {
    key: { table: "drones", time, drone_id: id },
    id,
    encode: () => encode(AIRCRAFT, { ...aircraftFields(kit, slot, stay, address), last_update_time: time }),
  };
}

function aircraftFields(kit: KitProfile, slot: number, stay: Stay, address: string): AircraftFields {
  const kind = KINDS[slot % KINDS.length] as AircraftKind;
  const pick = (low: number, high: number, what: number) =>
    between(low, high, kit.seed + kit.index * 7_919, SALT + slot, stay.n, what);
  const knots = round(pick(kind.speed[0], kind.speed[1], 1), 1);
  const crossing = crossingAt(kit, stay, { knots, heading: pick(0, 2 * Math.PI, 2), miss: pick(-15_000, 15_000, 3) });
  return {
    ...{ id: `adsb-${address}`, track_type: "aircraft", callsign: `adsb-${address}`, hex: address.toUpperCase() },
    ...crossing,
    alt: Math.round(pick(kind.alt[0], kind.alt[1], 4) / 25) * 25,
    ground_speed: knots,
    squawk: squawk(unit(kit.seed, kit.index, SALT + slot, stay.n)),
    reg: `D-${address.slice(0, 4).toUpperCase()}`,
    category: null,
    flight: `DLH${100 + Math.floor(pick(0, 900, 5))}`,
    ...{ on_ground: false, nac_p: null, nac_v: null },
    last_update_time: 0,
    source: "adsb",
    seen_by: kit.uid,
    ...kind.fixed,
  };
}

/** A straight line past the kit, closest in the middle of the stay. */
function crossingAt(kit: KitProfile, stay: Stay, line: { knots: number; heading: number; miss: number }) {
  const along = (stay.age - stay.length / 2) * line.knots * METRES_PER_SECOND;
  const [sin, cos] = [Math.sin(line.heading), Math.cos(line.heading)];
  const east = along * sin + line.miss * cos;
  const north = along * cos - line.miss * sin;
  const position = offset(kit, east, north);
  return {
    ...{ lat: round(position.lat, 6), lon: round(position.lon, 6), track: round(course(sin, cos), 1) },
    // dBFS runs some 45 dB above the drone receiver's dBm over the distances aircraft are heard at.
    rssi: round(signalStrength(Math.hypot(east, north) / 20) + 60, 1),
  };
}

function squawk(chance: number): string {
  return Math.floor(chance * 4096)
    .toString(8)
    .padStart(4, "0");
}
