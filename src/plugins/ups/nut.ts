import { CollectError } from "../../model/run.ts";
import type { Collected, Rejection } from "../../model/sample.ts";
import { numberOf } from "../client/mapping.ts";
import { askOverStream, type Place } from "../client/stream.ts";
import { flagSamples, MAX_UPS, type Metric, type Samples } from "./metrics.ts";

/** Variables of one UPS, by name. */
type Variables = ReadonlyMap<string, string>;

/** Sends commands of NUT's protocol, and reads lines until the server says goodbye. */
async function say(place: Place, commands: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const text = [...commands, "LOGOUT"].map((line) => `${line}\n`).join("");
  // Old servers say "Goodbye" alone, newer ones "OK Goodbye".
  const enough = (received: Buffer) => /(^|\n)(OK )?Goodbye[^\n]*\n$/.test(received.subarray(-64).toString());
  return (await askOverStream({ place, say: text, enough }, signal)).toString().split("\n");
}

/**
 * Reads all UPSes of a NUT server, or those named.
 * @throws {CollectError} bad_data for what does not speak NUT's protocol, or knows none of the UPSes
 */
export async function readNut(place: Place, names: readonly string[], signal: AbortSignal): Promise<Collected<Metric>> {
  const listing = await say(place, ["LIST UPS"], signal);
  if (!listing.includes("BEGIN LIST UPS"))
    throw new CollectError(
      "bad_data",
      `LIST UPS: the server does not speak NUT's protocol: ${listing[0]?.slice(0, 60)}`,
    );
  const known = listing.flatMap((line) => /^UPS (\S{1,64}) /.exec(line)?.[1] ?? []);
  const wanted = (names.length > 0 ? names : known).slice(0, MAX_UPS);
  const missing = wanted.filter((name) => !known.includes(name));
  const present = wanted.filter((name) => known.includes(name));
  if (present.length === 0)
    throw new CollectError(
      "bad_data",
      `the server has no UPS ${missing.join(", ") || "at all"}; it has ${known.join(", ") || "none"}`,
    );
  const lines = await say(
    place,
    present.map((name) => `LIST VAR ${name}`),
    signal,
  );
  const rejected = missing.map(
    (name): Rejection => ({ reason: "unknown_ups", detail: `the server has no UPS ${name}` }),
  );
  return { samples: parseNut(lines, present), rejected };
}

/** `VAR <ups> <name> "<value>"` lines, for each of the UPSes; one without any is down. */
export function parseNut(lines: readonly string[], names: readonly string[]): Samples {
  const byUps = new Map(names.map((name) => [name, new Map<string, string>()]));
  for (const line of lines) {
    const [, ups = "", name = "", value = ""] = /^VAR (\S+) (\S+) "((?:[^"\\]|\\.){0,256})"$/.exec(line) ?? [];
    byUps.get(ups)?.set(name, value.replaceAll(/\\(.)/g, "$1"));
  }
  return [...byUps].flatMap(([ups, variables]) => upsSamples(ups, variables));
}

const NUMBERS: readonly (readonly [string, Metric, number])[] = [
  ["battery.charge", "ups_battery_charge_ratio", 100],
  ["battery.runtime", "ups_battery_runtime_seconds", 1],
  ["battery.voltage", "ups_battery_volts", 1],
  ["battery.temperature", "ups_battery_temperature_celsius", 1],
  ["ups.temperature", "ups_temperature_celsius", 1],
  ["ups.load", "ups_load_ratio", 100],
  ["ups.realpower", "ups_power_watts", 1],
  ["ups.realpower.nominal", "ups_nominal_power_watts", 1],
  ["input.voltage", "ups_input_volts", 1],
  ["input.frequency", "ups_input_hertz", 1],
  ["output.voltage", "ups_output_volts", 1],
  ["output.frequency", "ups_output_hertz", 1],
  ["output.current", "ups_output_amperes", 1],
];

function upsSamples(ups: string, variables: Variables): Samples {
  const status = variables.get("ups.status");
  // A driver that lost its UPS keeps no variables but its own; the server then refuses the list as a whole.
  const isUp = status !== undefined && !/\bWAIT\b/.test(status);
  const up: Samples = [{ metric: "ups_up", value: Number(isUp), labels: { ups } }];
  if (!isUp) return up;
  return [...up, info(ups, variables), ...flagSamples(ups, new Set(status.split(/\s+/))), ...readings(ups, variables)];
}

function readings(ups: string, variables: Variables): Samples {
  return NUMBERS.flatMap(([name, metric, by]) => {
    const value = numberOf(variables.get(name));
    return value === undefined ? [] : [{ metric, value: value / by, labels: { ups } }];
  });
}

function info(ups: string, variables: Variables): Samples[number] {
  const text = (name: string) =>
    (variables.get(`device.${name}`) ?? variables.get(`ups.${name}`) ?? "").trim().slice(0, 64);
  const labels = {
    ups,
    manufacturer: text("mfr"),
    model: text("model"),
    firmware: (variables.get("ups.firmware") ?? "").trim(),
  };
  return { metric: "ups_info", value: 1, labels };
}
