import { course, offset, type Position } from "./geo.ts";
import type { Stay } from "./pace.ts";
import type { KitProfile } from "./profile.ts";
import { between } from "./random.ts";

/** A drone in the air. Metres, metres per second, degrees, dBm. */
export interface Flight {
  readonly position: Position;
  readonly home: Position;
  readonly pilot: Position;
  readonly alt: number;
  readonly height: number;
  readonly speed: number;
  readonly vspeed: number;
  readonly direction: number;
  readonly rssi: number;
}

/** Metres per second up and down. */
const CLIMB = 3;
/** Seconds in which a drone leaves and reaches its pattern. */
const TRANSIT = 40;

/** Where the flight of a stay is: it climbs from home, flies a closed pattern around it, and comes back down. */
export function flightAt(kit: KitProfile, salt: number, stay: Stay): Flight {
  const pick = (low: number, high: number, what: number) =>
    between(low, high, kit.seed + kit.index * 7_919, salt, stay.n, what);
  const home = { east: pick(-1_800, 1_800, 1), north: pick(-1_800, 1_800, 2) };
  const pattern = {
    ...{ width: pick(80, 600, 3), depth: pick(80, 600, 4), cruise: pick(25, 115, 7) },
    ...{ lap: pick(90, 240, 5), skew: pick(0, 2 * Math.PI, 6), length: stay.length },
  };
  const [before, here, after] = [-0.5, 0, 0.5].map((step) => placeAt(pattern, stay.age + step)) as Steps;
  const [east, north] = [after.east - before.east, after.north - before.north];
  const distance = Math.hypot(home.east + here.east, home.north + here.north, here.up);
  return {
    position: offset(kit, home.east + here.east, home.north + here.north),
    home: offset(kit, home.east, home.north),
    pilot: offset(kit, home.east + pick(-40, 40, 8), home.north + pick(-40, 40, 9)),
    ...{ alt: kit.alt + here.up, height: here.up, vspeed: after.up - before.up },
    ...{ speed: Math.hypot(east, north), direction: course(east, north) },
    rssi: Math.round(signalStrength(distance) + between(-2, 2, kit.index, salt, stay.heard)),
  };
}

type Place = { readonly east: number; readonly north: number; readonly up: number };
type Steps = [Place, Place, Place];

interface Pattern {
  readonly width: number;
  readonly depth: number;
  readonly cruise: number;
  /** Seconds of one lap. */
  readonly lap: number;
  readonly skew: number;
  /** Seconds of the whole flight. */
  readonly length: number;
}

/** Metres from home, `age` seconds into the flight. */
function placeAt(pattern: Pattern, age: number): Place {
  const left = pattern.length - age;
  const reach = smooth(Math.min(age, left) / TRANSIT);
  const angle = (2 * Math.PI * age) / pattern.lap;
  return {
    east: reach * pattern.width * Math.sin(angle + pattern.skew),
    north: reach * pattern.depth * Math.cos(angle),
    up: Math.max(0, Math.min(pattern.cruise, age * CLIMB, left * CLIMB)),
  };
}

/** 0 up to 0, 1 from 1, without a jump in speed. */
function smooth(x: number): number {
  const t = Math.max(0, Math.min(1, x));
  return t * t * (3 - 2 * t);
}

/** dBm at a distance in metres: free space, -50 dBm at 25 m, no weaker than a receiver can hear. */
export function signalStrength(distance: number): number {
  return Math.max(-112, -50 - 20 * Math.log10(Math.max(distance, 5) / 25));
}
