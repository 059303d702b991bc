import { encode, type FieldsOf, SIGNAL } from "./fields.ts";
import { offset, type Position, round } from "./geo.ts";
import type { Observation } from "./observation.ts";
import { epoch, type Pace, type Stay, stayAt } from "./pace.ts";
import type { KitProfile } from "./profile.ts";
import { between, unit } from "./random.ts";

const SALT = 30_000;
/** DragonSync's `fpv_stale`: a signal expires this long after it was observed (s). */
const LISTED = 60;
/** DragonSync's `fpv_radius_m`: a signal is drawn within this distance of the kit (m). */
const RADIUS = 15;
/** Distinct frequencies a band holds; prime, so that consecutive slots spread over it. */
const CHANNELS = 293;

type SignalFields = FieldsOf<typeof SIGNAL>;
type SignalKind = "confirmed" | "linear" | "dbm" | "sik" | "sik_position" | "sik_no_gps";

/** The signal a kit lists for a slot at `now` (kit clock, ms), if there is one. */
export function signalAt(kit: KitProfile, slot: number, pace: Pace, now: number): Observation | undefined {
  const salt = SALT + slot;
  const habit = { seed: kit.seed, kit: kit.index, salt, stay: [60, 400], every: [2, 20], listed: LISTED } as const;
  const stay = stayAt(habit, pace, now);
  if (!stay) return undefined;
  const fields = signalFields(kit, slot, stay);
  return {
    key: { table: "signals", time: fields.observed_at, freq_mhz: fields.center_hz / 1e6, uid: fields.uid },
    id: fields.uid,
    encode: () => encode(SIGNAL, fields),
  };
}

function signalFields(kit: KitProfile, slot: number, stay: Stay) {
  const kind = kindOf(slot);
  const radio = kind.startsWith("sik") ? sikFields(kit, slot, stay, kind) : fpvFields(kit, slot, stay, kind);
  const sensor = kind === "sik_position" ? droneNear(kit, slot, stay) : kit;
  const label = radio.signal_type === "fpv" ? "FPV" : "GFSK-FHSS";
  const drawn = around(sensor, kit, slot);
  const observedAt = epoch(stay.heard, 100 + (slot % 300));
  return {
    ...radio,
    alert_id: `fpv-alert-${(radio.center_hz / 1e6).toFixed(3)}MHz`,
    callsign: `${label} ${radio.source}`,
    ...{ description: "FPV Signal", self_id: `FPV alert (${radio.source})` },
    ...{ sensor_lat: sensor.lat, sensor_lon: sensor.lon, sensor_alt: sensor.alt },
    ...{ lat: drawn.lat, lon: drawn.lon, alt: sensor.alt, radius_m: RADIUS },
    seen_by: kit.uid,
    ...{ observed_at: observedAt, expires_at: epoch(stay.heard + LISTED * 1000, 100 + (slot % 300)) },
  } satisfies SignalFields;
}

function kindOf(slot: number): SignalKind {
  if (slot % 10 === 9) return "sik_no_gps";
  return (["confirmed", "linear", "dbm", "sik", "sik_position"] as const)[slot % 5] ?? "confirmed";
}

/** Analog video: confidence in percent, and a strength that is missing, linear or dBm, as different receivers send. */
function fpvFields(kit: KitProfile, slot: number, stay: Stay, kind: SignalKind) {
  const mhz = (slot % 7 === 6 ? 1_080 : 5_650) + ((slot * 37) % CHANNELS);
  const level = unit(kit.seed, kit.index, SALT + slot, Math.floor(stay.heard / 1000));
  const rssi = { linear: round(0.005 + 0.9 * level * level, 4), dbm: round(-92 + 40 * level, 1) };
  return {
    ...{ uid: `fpv-alert-${mhz}MHz`, signal_type: "fpv", source: "confirm" },
    ...{ center_hz: mhz * 1e6, bandwidth_hz: 6e6 },
    ...{ pal_conf: round(40 + 55 * level, 1), ntsc_conf: round(35 * (1 - level), 1) },
    rssi: kind === "linear" || kind === "dbm" ? rssi[kind] : null,
  };
}

/** Telemetry radios hop; with a net id the uid stays, without one it is the frequency. */
function sikFields(kit: KitProfile, slot: number, stay: Stay, kind: SignalKind) {
  const hop = Math.floor(between(0, 100, kit.seed, kit.index, SALT + slot, Math.floor(stay.heard / 1000)));
  // Every tenth slot, up to MAX_SIGNALS: whole MHz keep their uids apart.
  const mhz = kind === "sik_no_gps" ? 903 + Math.floor(slot / 10) : 902 + hop * 0.25;
  const source = { sik: "sik_confirm", sik_position: "sik_reasm", sik_no_gps: "sik_alive_no_gps" }[kind as "sik"];
  return {
    uid: kind === "sik_no_gps" ? `gfsk_fhss-alert-${Math.round(mhz)}MHz` : `gfsk_fhss-netid-${20 + slot}`,
    ...{ signal_type: "gfsk_fhss", source, center_hz: Math.round(mhz * 1e6) },
    bandwidth_hz: kind === "sik_no_gps" ? null : 250e3,
    ...{ pal_conf: null, ntsc_conf: null },
    rssi: kind === "sik_no_gps" ? null : round(-95 + 0.2 * hop, 1),
  };
}

function droneNear(kit: KitProfile, slot: number, stay: Stay): Position & { readonly alt: number } {
  const angle = (2 * Math.PI * stay.age) / 180 + slot;
  const at = offset(kit, 700 * Math.sin(angle), 500 * Math.cos(angle));
  return { lat: round(at.lat, 6), lon: round(at.lon, 6), alt: round(kit.alt + 60, 1) };
}

/** A fixed pseudo-random place within RADIUS: what is drawn on a map, not a measurement. */
function around(sensor: Position, kit: KitProfile, slot: number): Position {
  const angle = between(0, 2 * Math.PI, kit.seed, SALT, slot, 1);
  const distance = between(0, RADIUS, kit.seed, SALT, slot, 2);
  return offset(sensor, distance * Math.sin(angle), distance * Math.cos(angle));
}
