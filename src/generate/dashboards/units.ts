import * as grafana from "@grafana/grafana-foundation-sdk/units";
import type { MetricSpec, Unit } from "../../model/sample.ts";

/** How Grafana calls our units. */
const GAUGES: Readonly<Record<Unit, string>> = {
  seconds: grafana.Seconds,
  bytes: grafana.BytesIEC,
  ratio: grafana.PercentUnit,
  celsius: grafana.Celsius,
  hertz: grafana.Hertz,
  meters: grafana.Meter,
  volts: grafana.Volt,
  amperes: grafana.Ampere,
  watts: grafana.Watt,
  joules: grafana.Joule,
  degrees: grafana.Degrees,
  info: grafana.NoUnit,
};

/** Per second: of seconds that is a share of time. */
const RATES: Partial<Record<Unit, string>> = {
  seconds: grafana.PercentUnit,
  bytes: grafana.BytesPerSecondIEC,
};

/** Grafana's unit for a metric as its panel shows it: a counter as its rate. */
export function unitOf({ type, unit, help }: MetricSpec): string {
  if (type === "counter") return (unit && RATES[unit]) ?? grafana.CountsPerSecond;
  if (unit !== undefined) return GAUGES[unit];
  return isYesNo(help) ? grafana.BoolYesNo : grafana.Short;
}

/** By convention a metric that is 1 or 0 says so in its first word. */
export const isYesNo = (help: string): boolean => /^(Whether|1 when) /.test(help);

export { grafana as UNITS };
