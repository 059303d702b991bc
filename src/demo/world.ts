import { aircraftAt } from "./aircraft.ts";
import { droneAt } from "./drones.ts";
import type { Observation } from "./observation.ts";
import type { Pace } from "./pace.ts";
import type { KitProfile } from "./profile.ts";
import { signalAt } from "./signals.ts";

export { type KitProfile, kitProfile } from "./profile.ts";
export { statusAt } from "./status.ts";

/** How much there is to hear around every kit. */
export interface Population {
  /** At most; real kits list no more than 100. */
  readonly drones: number;
  readonly aircraft: number;
  /** At most; real kits list no more than 200. */
  readonly signals: number;
}

/** DragonSync's caps: 70 verified and 30 unverified drones, 200 signals, aircraft uncapped. */
const MAX_DRONES = 100;
const MAX_SIGNALS = 200;

/** What `/drones` lists at `now` (kit clock, ms): drones first, then aircraft. The same for the same arguments. */
export function tracksAt(kit: KitProfile, population: Population, pace: Pace, now: number): Observation[] {
  const drones = list(Math.min(population.drones, MAX_DRONES), (slot) => droneAt(kit, slot, pace, now));
  return drones.concat(list(population.aircraft, (slot) => aircraftAt(kit, slot, pace, now)));
}

/** What `/signals` lists at `now` (kit clock, ms). The same for the same arguments. */
export function signalsAt(kit: KitProfile, population: Population, pace: Pace, now: number): Observation[] {
  return list(Math.min(population.signals, MAX_SIGNALS), (slot) => signalAt(kit, slot, pace, now));
}

function list(count: number, at: (slot: number) => Observation | undefined): Observation[] {
  const found: Observation[] = [];
  for (let slot = 0; slot < count; slot++) {
    const one = at(slot);
    if (one) found.push(one);
  }
  return found;
}
