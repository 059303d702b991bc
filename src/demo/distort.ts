import { droneObservation } from "./drones.ts";
import type { FaultMode } from "./faults.ts";
import { INHERITED_IDS, MISFITS, POLLUTION } from "./hostile.ts";
import type { Observation } from "./observation.ts";
import type { Pace } from "./pace.ts";
import type { KitProfile } from "./profile.ts";

/** New ids of the `many_ids` fault each tick: as many as a kit lists at most; and when they begin again. */
const NEW_IDS = 100;
const ALL_IDS = 100_000;

const HOUR = 3_600_000;
const CLOCK_ERROR: Partial<Record<FaultMode, number>> = { clock_ahead: HOUR, clock_behind: -HOUR };

/** What a kit with this fault takes the time for (ms). */
export function kitClock(mode: FaultMode, now: number): number {
  return now + (CLOCK_ERROR[mode] ?? 0);
}

/** Who a kit with this fault says it is. */
export function toldProfile(mode: FaultMode, kit: KitProfile): KitProfile {
  if (mode === "unknown_identity") return { ...kit, uid: "wardragon-unknown" };
  return mode === "identity_change" ? { ...kit, uid: `${kit.uid.slice(0, -3)}NEW` } : kit;
}

/** What a kit with this fault lists, given what it would list. */
export function distortList(mode: FaultMode, kit: KitProfile, pace: Pace, now: number, list: Observation[]) {
  const tick = Math.floor(now / pace.tick);
  const drone = (id: string, slot: number) =>
    droneObservation(kit, slot, { n: 0, start: 0, heard: tick * pace.tick, age: 90, length: 600 }, id);
  if (mode === "empty") return [];
  if (list[0]?.key.table === "signals") return list;
  if (mode === "proto") return list.concat(INHERITED_IDS.map(drone));
  if (mode !== "many_ids") return list;
  return Array.from({ length: NEW_IDS }, (_, i) => drone(`drone-MANY${(tick * NEW_IDS + i) % ALL_IDS}`, i % 12));
}

/** The JSON of a list's members as a kit with this fault writes them. */
export function distortTexts(mode: FaultMode, texts: readonly string[]): readonly string[] {
  const [first, ...rest] = texts;
  if (mode === "wrong_types") return texts.concat(MISFITS);
  if (first === undefined) return texts;
  if (mode === "nan") return [withoutNumbers(first), ...rest];
  if (mode === "proto") return [`{${POLLUTION}, ${first.slice(1)}`, ...rest];
  if (mode === "duplicate_ids") return [first, first, first.replace(/"alt": [^,]+/, '"alt": 1234.5'), ...rest];
  return texts;
}

/** What Python writes for coordinates that are no numbers; JSON.parse throws on it. */
function withoutNumbers(text: string): string {
  return text
    .replace(/"lat": [^,]+/, '"lat": NaN')
    .replace(/"lon": [^,]+/, '"lon": Infinity')
    .replace(/"alt": [^,]+/, '"alt": -Infinity');
}
