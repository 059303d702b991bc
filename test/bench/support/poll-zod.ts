import { z } from "zod";

const text = z.string().nullable();
const number = z.number().nullable();

/** A track as kits list it: the fields that the columns below are made of. Everything else is stripped. */
const track = z.object({
  ...{ id: z.string(), track_type: z.enum(["drone", "aircraft"]), last_update_time: z.number() },
  ...{ lat: number, lon: number, alt: number, speed: number, vspeed: number, height: number, direction: number },
  ...{ pilot_lat: number, pilot_lon: number, home_lat: number, home_lon: number },
  ...{ freq: number, pressure_altitude: number, observed_at: number, runtime: number, rssi: number },
  ...{ op_status: text, id_type: text, mac: text, ua_type: number, ua_type_name: text, operator_id: text },
  ...{ operator_id_type: text, caa_id: text, transport: text.optional(), description: text, height_type: text },
  ...{ ew_dir: text, seen_by: text, index: number, speed_multiplier: number, vertical_accuracy: text },
  ...{ horizontal_accuracy: text, baro_accuracy: text, speed_accuracy: text, timestamp_accuracy: text },
  rid: z.object({
    ...{ make: text, model: text, source: text, status: text, tracking: text },
    ...{ lookup_attempted: z.boolean(), lookup_success: z.boolean() },
  }),
});

const signal = z.object({
  ...{ uid: z.string(), signal_type: z.string(), source: z.string(), observed_at: z.number(), expires_at: z.number() },
  ...{ center_hz: z.number(), bandwidth_hz: number, rssi: number.optional(), pal_conf: number, ntsc_conf: number },
  ...{ lat: number, lon: number, alt: number, sensor_lat: number, sensor_lon: number, sensor_alt: number },
  ...{ radius_m: number, alert_id: text, callsign: text, description: text, self_id: text, seen_by: text },
});

const drones = z.object({ drones: z.array(track) });
const signals = z.object({ signals: z.array(signal) });

/** 0.0 is how kits say "none". */
const unlessZero = (value: number | null) => (value === 0 ? null : value);
const orNull = (value: string | null | undefined) => value || null;
const date = (seconds: number) => new Date(seconds * 1_000);

function droneRow(kit: string, one: z.output<typeof track>, receivedAt: Date) {
  const { rid } = one;
  // biome-ignore format: as many a line as fit
  return {
    time: date(one.last_update_time), kit_id: kit, drone_id: one.id, track_type: one.track_type,
    lat: unlessZero(one.lat), lon: unlessZero(one.lon), alt: one.alt, speed: one.speed, heading: one.direction,
    vspeed: one.vspeed, height: one.height, direction: one.direction,
    pilot_lat: unlessZero(one.pilot_lat), pilot_lon: unlessZero(one.pilot_lon),
    home_lat: unlessZero(one.home_lat), home_lon: unlessZero(one.home_lon),
    freq: one.freq, freq_mhz: one.freq, pressure_altitude: one.pressure_altitude, observed_at: one.observed_at,
    runtime: one.runtime, rssi: unlessZero(one.rssi), op_status: orNull(one.op_status), mac: orNull(one.mac),
    id_type: orNull(one.id_type), ua_type: one.ua_type, ua_type_name: orNull(one.ua_type_name),
    operator_id: orNull(one.operator_id), operator_id_type: orNull(one.operator_id_type),
    caa_id: orNull(one.caa_id), transport: orNull(one.transport), description: orNull(one.description),
    rid_make: rid.make, rid_model: rid.model, rid_source: rid.source, rid_status: rid.status,
    rid_tracking: rid.tracking, rid_lookup_attempted: rid.lookup_attempted,
    rid_lookup_success: rid.lookup_success, height_type: orNull(one.height_type), ew_dir: orNull(one.ew_dir),
    speed_multiplier: one.speed_multiplier, vertical_accuracy: orNull(one.vertical_accuracy),
    horizontal_accuracy: orNull(one.horizontal_accuracy), baro_accuracy: orNull(one.baro_accuracy),
    speed_accuracy: orNull(one.speed_accuracy), timestamp_accuracy: orNull(one.timestamp_accuracy),
    seen_by: orNull(one.seen_by), message_index: one.index, received_at: receivedAt,
  };
}

function signalRow(kit: string, one: z.output<typeof signal>, receivedAt: Date) {
  const { rssi = null } = one;
  // biome-ignore format: as many a line as fit
  return {
    time: date(one.observed_at), kit_id: kit, freq_mhz: one.center_hz / 1e6, uid: one.uid,
    power_dbm: rssi !== null && rssi < 0 ? rssi : null, power_linear: rssi !== null && rssi >= 0 ? rssi : null,
    bandwidth_mhz: one.bandwidth_hz === null ? null : one.bandwidth_hz / 1e6, lat: one.lat, lon: one.lon,
    alt: one.alt, pal_conf: one.pal_conf, ntsc_conf: one.ntsc_conf, signal_type: one.signal_type,
    source: one.source, alert_id: one.alert_id, callsign: one.callsign, description: one.description,
    self_id: one.self_id, seen_by: one.seen_by, sensor_lat: one.sensor_lat, sensor_lon: one.sensor_lon,
    sensor_alt: one.sensor_alt, radius_m: one.radius_m, expires_at: date(one.expires_at), received_at: receivedAt,
  };
}

/** Validates a listing with zod and maps it to rows, as one would who writes this from the kits' documentation. */
export function rowsOf(path: "/drones" | "/signals", body: unknown, kit: string): readonly object[] {
  const receivedAt = new Date();
  return path === "/drones"
    ? drones.parse(body).drones.map((one) => droneRow(kit, one, receivedAt))
    : signals.parse(body).signals.map((one) => signalRow(kit, one, receivedAt));
}
