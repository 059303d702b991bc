import { type Position, round } from "./geo.ts";
import { between, serial, unit } from "./random.ts";

/** A simulated kit: who it is and where it stands. */
export interface KitProfile extends Position {
  readonly seed: number;
  /** Place among the kits, from 0. */
  readonly index: number;
  /** Configured id: `kit-001` for index 0. */
  readonly id: string;
  /** What the kit calls itself: `wardragon-<serial>`. */
  readonly uid: string;
  readonly name: string;
  readonly location: string;
  /** Metres. */
  readonly alt: number;
}

const SITES = ["Harbour", "North Ridge", "Airfield", "Stadium", "Dam", "Power Plant", "Bridge", "Tower", "Depot"];
/** Somewhere with streets and water on the map behind a dashboard, and nobody's real installation. */
const CENTRE = { lat: 54.3, lon: 10.1 };
const SALT = 1_000;

/** The kit at a place of the list. */
export function kitProfile(seed: number, index: number): KitProfile {
  const site = SITES[index % SITES.length] ?? "Site";
  const lat = round(CENTRE.lat + between(-0.6, 0.6, seed, index, SALT, 1), 4);
  const lon = round(CENTRE.lon + between(-0.9, 0.9, seed, index, SALT, 2), 4);
  return {
    seed,
    index,
    id: `kit-${String(index + 1).padStart(3, "0")}`,
    uid: `wardragon-${serial(13, seed, index, SALT + 3)}`,
    name: `${site} ${Math.floor(index / SITES.length) + 1}`,
    location: `${lat.toFixed(4)}, ${lon.toFixed(4)}`,
    lat,
    lon,
    alt: round(5 + 60 * unit(seed, index, SALT, 4), 1),
  };
}
