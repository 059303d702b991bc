import type { Unit } from "./sample.ts";

/** How a unit becomes its base unit: `value · times / by + plus`. A divisor, because 1/1000 is no binary number and 1000 is. */
interface Conversion {
  readonly unit: Unit;
  readonly times?: number;
  readonly by?: number;
  readonly plus?: number;
}

/** Units that sources measure in, by the name to declare. */
const SOURCES = {
  ns: { unit: "seconds", by: 1e9 },
  us: { unit: "seconds", by: 1e6 },
  ms: { unit: "seconds", by: 1e3 },
  s: { unit: "seconds" },
  min: { unit: "seconds", times: 60 },
  h: { unit: "seconds", times: 3_600 },
  d: { unit: "seconds", times: 86_400 },
  bit: { unit: "bytes", by: 8 },
  B: { unit: "bytes" },
  kB: { unit: "bytes", times: 1e3 },
  MB: { unit: "bytes", times: 1e6 },
  GB: { unit: "bytes", times: 1e9 },
  TB: { unit: "bytes", times: 1e12 },
  KiB: { unit: "bytes", times: 2 ** 10 },
  MiB: { unit: "bytes", times: 2 ** 20 },
  GiB: { unit: "bytes", times: 2 ** 30 },
  TiB: { unit: "bytes", times: 2 ** 40 },
  percent: { unit: "ratio", by: 100 },
  permille: { unit: "ratio", by: 1_000 },
  celsius: { unit: "celsius" },
  millicelsius: { unit: "celsius", by: 1e3 },
  // 5/9 of what is over the freezing point.
  fahrenheit: { unit: "celsius", times: 5, by: 9, plus: -160 / 9 },
  kelvin: { unit: "celsius", plus: -273.15 },
  Hz: { unit: "hertz" },
  kHz: { unit: "hertz", times: 1e3 },
  MHz: { unit: "hertz", times: 1e6 },
  GHz: { unit: "hertz", times: 1e9 },
  mm: { unit: "meters", by: 1e3 },
  cm: { unit: "meters", by: 100 },
  m: { unit: "meters" },
  km: { unit: "meters", times: 1e3 },
  ft: { unit: "meters", times: 0.3048 },
  mi: { unit: "meters", times: 1_609.344 },
  mV: { unit: "volts", by: 1e3 },
  V: { unit: "volts" },
  kV: { unit: "volts", times: 1e3 },
  mA: { unit: "amperes", by: 1e3 },
  A: { unit: "amperes" },
  mW: { unit: "watts", by: 1e3 },
  W: { unit: "watts" },
  kW: { unit: "watts", times: 1e3 },
  J: { unit: "joules" },
  Wh: { unit: "joules", times: 3_600 },
  kWh: { unit: "joules", times: 3.6e6 },
  rad: { unit: "degrees", times: 180, by: Math.PI },
} as const satisfies Record<string, Conversion>;

/** A unit that a source measures in: `ms`, `MiB`, `percent`, `fahrenheit`, `kWh`. */
export type SourceUnit = keyof typeof SOURCES;

/** All of them, for a schema: `z.enum(SOURCE_UNITS)`. */
export const SOURCE_UNITS = Object.keys(SOURCES) as [SourceUnit, ...SourceUnit[]];

/** A measured value in the base unit of its kind: `toBase(250, "ms")` is 0.25 (seconds). */
export function toBase(value: number, from: SourceUnit): number {
  const { times = 1, by = 1, plus = 0 }: Conversion = SOURCES[from];
  return (value * times) / by + plus;
}

/** The base unit that `toBase` gives: what the metric declares. */
export function baseUnit(from: SourceUnit): Unit {
  return SOURCES[from].unit;
}
