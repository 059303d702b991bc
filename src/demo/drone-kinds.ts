import type { DRONE, FieldsOf } from "./fields.ts";

export type DroneFields = FieldsOf<typeof DRONE>;

/** A way drones are heard: which radio, and what it tells. Taken from captured bodies. */
export interface DroneKind {
  /** How ids begin; the rest is a serial number of the flight. */
  readonly prefix: string;
  /** First half of the MAC address, for the radios that have one. */
  readonly oui?: string;
  /** MHz. */
  readonly freqs: readonly (number | null)[];
  readonly tellsPosition: boolean;
  readonly tellsPilot: boolean;
  readonly tellsHome: boolean;
  /** Whatever is the same in every message. */
  readonly fixed: Partial<DroneFields>;
}

const SERIAL_NUMBER = "Serial Number (ANSI/CTA-2063-A)";
const MULTIROTOR = { ua_type: 2, ua_type_name: "Helicopter or Multirotor" };

const dji: DroneKind = {
  prefix: "drone-F6Q8D",
  freqs: [5756.5, 5776.5, 5796.5, 2429.5],
  tellsPosition: true,
  tellsPilot: true,
  tellsHome: true,
  fixed: { ...MULTIROTOR, id_type: SERIAL_NUMBER, description: "DJI O4 (Decrypted)" },
};

const bluetooth: DroneKind = {
  prefix: "drone-1581F5F",
  oui: "60:60:1f",
  freqs: [2402],
  tellsPosition: true,
  tellsPilot: true,
  tellsHome: false,
  fixed: { ...MULTIROTOR, id_type: SERIAL_NUMBER, operator_id_type: "Operator ID", transport: "BT5-LR-Extended" },
};

const wifi: DroneKind = {
  prefix: "drone-1581F4X",
  oui: "e4:7a:2c",
  freqs: [2437, 5745],
  tellsPosition: true,
  tellsPilot: false,
  tellsHome: false,
  fixed: {
    id_type: SERIAL_NUMBER,
    ua_type: 1,
    ua_type_name: "Aeroplane/Airplane (Fixed wing)",
    transport: "WiFi-Beacon",
  },
};

const esp32: DroneKind = {
  prefix: "drone-112624150A",
  oui: "c8:aa:cc",
  freqs: [null],
  tellsPosition: true,
  tellsPilot: true,
  tellsHome: false,
  fixed: { id_type: SERIAL_NUMBER, ua_type: null, ua_type_name: "Unknown", description: "ESP32 BLE" },
};

/** Position, altitude and speed unknown in the three ways Remote ID says so. */
const unknowns: DroneKind = {
  ...wifi,
  fixed: { ...wifi.fixed, direction: 361, speed: 255, alt: -1000, height: -1000 },
};

/** After a CAA-only message a kit serves zeros where it had a position. */
const caa: DroneKind = {
  ...bluetooth,
  tellsPosition: false,
  tellsPilot: false,
  fixed: {
    ...bluetooth.fixed,
    id_type: "CAA Assigned Registration ID",
    operator_id_type: "CAA",
    caa_id: "FAA-CAA-0001",
  },
};

/** A telemetry radio promoted to a track: no Remote ID at all, so nearly everything is empty. */
const sik: DroneKind = {
  prefix: "drone-900FHSS-NETID-",
  freqs: [915, 918.5, 921.5],
  tellsPosition: true,
  tellsPilot: false,
  tellsHome: false,
  fixed: {
    ...{ id_type: "", ua_type: null, ua_type_name: "", op_status: "", height_type: "", ew_dir: "", direction: 0 },
    ...{ speed_multiplier: null, pressure_altitude: null, timestamp: "", rid_timestamp: "", observed_at: null },
    ...{ vertical_accuracy: "", horizontal_accuracy: "", baro_accuracy: "", speed_accuracy: "" },
    ...{ timestamp_accuracy: "", seen_by: null, height: 0, speed: 0, vspeed: 0 },
    ...{ description: "FPV alert (sik_reasm)", transport: "gfsk_fhss" },
  },
};

/** An encrypted DJI drone: every one of them is `drone-alert`, so a kit lists at most one. */
const encrypted: DroneKind = {
  prefix: "drone-alert",
  freqs: [5776.5],
  tellsPosition: false,
  tellsPilot: false,
  tellsHome: false,
  fixed: {
    ...{ id_type: SERIAL_NUMBER, ua_type: 0, ua_type_name: "No UA type defined", op_status: "", direction: null },
    ...{ alt: 65531, rssi: -117, description: "DJI Encrypted (O4)", timestamp: "", rid_timestamp: "" },
  },
};

const ROTA = [dji, bluetooth, wifi, dji, esp32, sik, bluetooth, dji, unknowns, wifi, caa, dji];
const ENCRYPTED_SLOT = 12;

/** The kind in a slot; the first twelve slots show each. */
export function kindOf(slot: number): DroneKind {
  return slot === ENCRYPTED_SLOT ? encrypted : (ROTA[slot % ROTA.length] ?? dji);
}

/** The id of a slot's n-th drone; `serial` distinguishes them. Radios keep theirs, and `drone-alert` has none. */
export function droneId(kind: DroneKind, slot: number, serial: string): string {
  if (kind === sik) return `${kind.prefix}${20 + slot}`;
  return kind === encrypted ? kind.prefix : `${kind.prefix}${serial}`;
}
