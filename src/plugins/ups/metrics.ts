import type { MetricSpec, Sample } from "../../model/sample.ts";
import { BATTERY, POWER, STALE } from "./alerts.ts";

/** UPSes of one server at most. */
export const MAX_UPS = 32;
const ups = { labels: ["ups"], maxSeries: MAX_UPS } as const;

/** What a UPS may be, as NUT abbreviates it, and the name of the flag. */
export const FLAGS = {
  OL: "online",
  OB: "on_battery",
  LB: "low_battery",
  HB: "high_battery",
  RB: "replace_battery",
  CHRG: "charging",
  DISCHRG: "discharging",
  BYPASS: "bypass",
  CAL: "calibrating",
  OFF: "off",
  OVER: "overloaded",
  TRIM: "trimming",
  BOOST: "boosting",
  FSD: "forced_shutdown",
  ALARM: "alarm",
} as const;

export const METRICS = {
  ups_info: {
    help: "What the UPS is.",
    unit: "info",
    labels: ["ups", "manufacturer", "model", "firmware"],
    maxSeries: MAX_UPS,
  },
  ups_up: { ...ups, help: "Whether the server hears from the UPS.", alert: STALE },
  ups_status: {
    help: "What the UPS is or does: 1 for each flag that it shows.",
    labels: ["ups", "flag"],
    maxSeries: MAX_UPS * Object.keys(FLAGS).length,
    alert: POWER,
  },
  ups_battery_charge_ratio: { ...ups, help: "Charge of the battery.", unit: "ratio", alert: BATTERY },
  ups_battery_runtime_seconds: { ...ups, help: "Time the battery lasts at the present load.", unit: "seconds" },
  ups_battery_volts: { ...ups, help: "Voltage of the battery.", unit: "volts" },
  ups_battery_temperature_celsius: { ...ups, help: "Temperature of the battery.", unit: "celsius" },
  ups_temperature_celsius: { ...ups, help: "Temperature inside the UPS.", unit: "celsius" },
  ups_load_ratio: { ...ups, help: "Load, of what the UPS can bear.", unit: "ratio" },
  ups_power_watts: { ...ups, help: "Power drawn from the UPS, where it measures it.", unit: "watts" },
  ups_nominal_power_watts: { ...ups, help: "Power the UPS can give.", unit: "watts" },
  ups_input_volts: { ...ups, help: "Voltage of the mains.", unit: "volts" },
  ups_input_hertz: { ...ups, help: "Frequency of the mains.", unit: "hertz" },
  ups_output_volts: { ...ups, help: "Voltage given to what hangs on it.", unit: "volts" },
  ups_output_hertz: { ...ups, help: "Frequency given to what hangs on it.", unit: "hertz" },
  ups_output_amperes: { ...ups, help: "Current drawn from the UPS.", unit: "amperes" },
  ups_transfers_total: { ...ups, help: "Times it went to battery since its daemon started.", type: "counter" },
  ups_time_on_battery_seconds: { ...ups, help: "Time on battery, since the power went.", unit: "seconds" },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
export type Samples = readonly Sample<Metric>[];

/** All flags of a UPS: 1 for those shown. @param shown NUT's abbreviations */
export const flagSamples = (ups: string, shown: ReadonlySet<string>): Samples =>
  Object.entries(FLAGS).map(([short, flag]) => ({
    metric: "ups_status",
    value: Number(shown.has(short)),
    labels: { ups, flag },
  }));
