import { CollectError } from "../../model/run.ts";
import type { Collected } from "../../model/sample.ts";
import { type SourceUnit, toBase } from "../../model/units.ts";
import { numberOf } from "../client/mapping.ts";
import { askOverStream, type Place } from "../client/stream.ts";
import { flagSamples, type Metric, type Samples } from "./metrics.ts";

/** A text behind its length, as apcupsd's network server frames it. */
function frame(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

/** Asks apcupsd's network information server for its status. @throws {CollectError} bad_data for what is none */
export async function readApcupsd(place: Place, signal: AbortSignal): Promise<Collected<Metric>> {
  const enough = (received: Buffer) => unframe(received).complete;
  const { lines } = unframe(await askOverStream({ place, say: frame("status"), enough }, signal));
  const samples = parseApcupsd(lines);
  if (samples.length === 0) throw new CollectError("bad_data", "the server does not speak the protocol of apcupsd");
  return { samples };
}

/** Lines behind their lengths, up to the length 0. */
export function unframe(received: Buffer): { readonly lines: readonly string[]; readonly complete: boolean } {
  const lines: string[] = [];
  for (let at = 0; at + 2 <= received.length; ) {
    const length = received.readUInt16BE(at);
    if (length === 0) return { lines, complete: true };
    if (at + 2 + length > received.length) break;
    lines.push(received.toString("utf8", at + 2, at + 2 + length));
    at += 2 + length;
  }
  return { lines, complete: false };
}

const NUMBERS: readonly (readonly [string, Metric, SourceUnit])[] = [
  ["BCHARGE", "ups_battery_charge_ratio", "percent"],
  ["TIMELEFT", "ups_battery_runtime_seconds", "min"],
  ["BATTV", "ups_battery_volts", "V"],
  ["ITEMP", "ups_temperature_celsius", "celsius"],
  ["LOADPCT", "ups_load_ratio", "percent"],
  ["NOMPOWER", "ups_nominal_power_watts", "W"],
  ["LINEV", "ups_input_volts", "V"],
  ["LINEFREQ", "ups_output_hertz", "Hz"],
  ["OUTPUTV", "ups_output_volts", "V"],
  ["OUTCURNT", "ups_output_amperes", "A"],
  ["TONBATT", "ups_time_on_battery_seconds", "s"],
];

/** apcupsd's words, as NUT abbreviates them. */
const STATUS: Readonly<Record<string, string>> = {
  ONLINE: "OL",
  ONBATT: "OB",
  LOWBATT: "LB",
  REPLACEBATT: "RB",
  OVERLOAD: "OVER",
  CAL: "CAL",
  TRIM: "TRIM",
  BOOST: "BOOST",
  SHUTTING: "FSD",
};

/** Reads `KEY      : value` lines; nothing when there is no status among them. */
export function parseApcupsd(lines: readonly string[]): Samples {
  const values = new Map(
    lines.flatMap((line) => {
      const [, key, value = ""] = /^([A-Z][A-Z0-9 ]{1,15}?)\s*: (.{0,256}?)\s*$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, value] as const];
    }),
  );
  const status = values.get("STATUS");
  if (status === undefined) return [];
  const ups = (values.get("UPSNAME") || "ups").slice(0, 64);
  const words = status.split(/\s+/);
  const isUp = !words.includes("COMMLOST");
  const up: Samples = [{ metric: "ups_up", value: Number(isUp), labels: { ups } }];
  if (!isUp) return up;
  const text = (key: string) => (values.get(key) ?? "").slice(0, 64);
  const labels = { ups, manufacturer: "APC", model: text("MODEL"), firmware: text("FIRMWARE") };
  const transfers = numberOf(values.get("NUMXFERS"));
  return [
    ...up,
    { metric: "ups_info", value: 1, labels },
    ...flagSamples(ups, new Set(words.map((word) => STATUS[word] ?? ""))),
    ...NUMBERS.flatMap(([key, metric, unit]): Samples => {
      // The unit that it writes behind is always the same.
      const value = numberOf(values.get(key)?.split(" ", 1)[0]);
      return value === undefined ? [] : [{ metric, value: toBase(value, unit), labels: { ups } }];
    }),
    ...(transfers === undefined ? [] : [{ metric: "ups_transfers_total" as const, value: transfers, labels: { ups } }]),
  ];
}
