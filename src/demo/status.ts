import { encode, STATUS } from "./fields.ts";
import { round } from "./geo.ts";
import type { Observation } from "./observation.ts";
import { epoch } from "./pace.ts";
import type { KitProfile } from "./profile.ts";
import { between, unit } from "./random.ts";

const SALT = 40_000;
/** A kit's monitor reports every 30 s, whatever is polled (ms). */
const EVERY = 30_000;
/** Each kit restarts about this often (s). */
const UPTIME = 9 * 86_400;
const MEMORY = 15_884.1796875;
const DISK = 239_172.3984375;

/** The status a kit serves at `now` (kit clock, ms). */
export function statusAt(kit: KitProfile, now: number): Observation {
  const phase = Math.floor(unit(kit.seed, kit.index, SALT, 1) * EVERY);
  const heard = Math.floor((now - phase) / EVERY) * EVERY + phase;
  const time = epoch(heard, 250);
  return {
    key: { table: "system_health", time },
    id: "status",
    encode: () => encode(STATUS, { ...statusFields(kit, heard), last_update_time: time }),
  };
}

function statusFields(kit: KitProfile, heard: number) {
  const at = (low: number, high: number, what: number) =>
    between(low, high, kit.seed + what * 7_919, kit.index, SALT, Math.floor(heard / EVERY));
  // A day's swing with some noise on it: load and heat rise together.
  const day = 0.5 + 0.5 * Math.sin((2 * Math.PI * heard) / 86_400_000 + kit.index);
  const uptime = (heard / 1000 + between(0, UPTIME, kit.seed, kit.index, SALT, 2)) % UPTIME;
  return {
    uid: kit.uid,
    ...position(kit, at(-1, 1, 3), at(-1, 1, 4)),
    cpu_usage: round(14 + 30 * day + at(-6, 6, 5), 1),
    ...{ memory_total: MEMORY, memory_available: mebibytes(MEMORY * (0.7 - 0.15 * day - at(0, 0.05, 6))) },
    ...{ disk_total: DISK, disk_used: mebibytes(DISK * (0.24 + 0.3 * (uptime / UPTIME))) },
    temperature: round(46 + 12 * day + at(-1, 1, 7), 1),
    uptime: round(uptime, 2),
    ...radioTemperatures(kit, day, at(-1, 1, 8)),
    ...clock(kit, heard),
    last_update_time: 0,
  };
}

/** A third of the kits have no SDR board, and say so with a text. */
function radioTemperatures(kit: KitProfile, day: number, noise: number) {
  if (kit.index % 3 === 2) return { pluto_temp: "N/A", zynq_temp: "N/A" };
  return { pluto_temp: round(42 + 9 * day + noise, 1), zynq_temp: round(46 + 9 * day + noise, 1) };
}

/** Every fifth kit stands at a configured position: valid, though there is no GPS fix. */
function isStatic(kit: KitProfile): boolean {
  return kit.index % 5 === 4;
}

function position(kit: KitProfile, east: number, north: number) {
  if (isStatic(kit)) return { lat: kit.lat, lon: kit.lon, alt: 0, speed: 0, track: 0 };
  return {
    ...{ lat: round(kit.lat + east * 1e-5, 6), lon: round(kit.lon + north * 1e-5, 6), alt: round(kit.alt + east, 1) },
    ...{ speed: round(Math.abs(east) * 0.3, 2), track: round((north + 1) * 180, 1) % 360 },
  };
}

function clock(kit: KitProfile, heard: number) {
  return isStatic(kit)
    ? { gps_fix: false, time_source: "static", gpsd_time_utc: "" }
    : { gps_fix: true, time_source: "gpsd", gpsd_time_utc: new Date(Math.floor(heard / 1000) * 1000).toISOString() };
}

/** Kits compute MiB from KiB pages, so the fraction is a multiple of 1/256. */
function mebibytes(value: number): number {
  return Math.round(value * 256) / 256;
}
