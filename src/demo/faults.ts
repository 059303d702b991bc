/** Ways a simulated kit can misbehave, each with what it does. A number after a colon sets what is in brackets. */
export const FAULTS = {
  healthy: "answers as a real kit does",
  slow: "answers late [2000 ms]",
  hung: "accepts connections and never answers",
  hung_body: "sends the headers and never the body",
  drip: "sends the headers, then the body a byte at a time [900 ms between two]",
  refused: "its port is closed",
  reset: "resets the connection in the middle of the body",
  truncated: "closes before it sent what Content-Length promises",
  http_503: "503 with an error body on every path",
  http_500: "500 with an error body on every path",
  booting: "503 on /status only, as in the first half minute after a start [seconds; without a number until changed]",
  rate_limited: "429 with Retry-After: 60 on every path",
  garbage: "200 and a body that is not JSON",
  html: "200 and an HTML page, as from a captive portal",
  nan: "bare NaN and Infinity in the coordinates of one track",
  empty: "lists nothing",
  empty_body: "200 with no body at all",
  no_signals: "404 without a body on /signals, as kits before 2026",
  frozen_status: "last_update_time of /status stands still, as when the kit's monitor died",
  identity_change: "calls itself by another uid",
  unknown_identity: "calls itself wardragon-unknown",
  clock_ahead: "its clock is an hour fast",
  clock_behind: "its clock is an hour slow",
  huge: "a body without an end",
  gzip_bomb: "half a megabyte of gzip that unpacks to 512 MB",
  redirect: "302 to another port of this host, where every connection is counted",
  deep: "lists nested a million deep",
  proto: "ids and keys such as __proto__ and constructor",
  many_ids: "a hundred new drone ids each tick, up to 100,000",
  duplicate_ids: "one observation three times in a list, once with other values",
  wrong_types: "fields of the wrong type, and lists that hold numbers, null and lists",
} as const;

export type FaultMode = keyof typeof FAULTS;

/** A fault as options and commands write it: `hung`, `slow:500`. */
export type FaultText = FaultMode | `${FaultMode}:${number}`;

export interface Fault {
  readonly mode: FaultMode;
  /** The number in brackets in FAULTS, where it was given. */
  readonly value?: number;
}

export const HEALTHY: Fault = { mode: "healthy" };

/**
 * Reads `mode` or `mode:number`.
 * @throws {RangeError} naming the modes there are.
 */
export function parseFault(text: string): Fault {
  const [mode = "", number] = text.split(":", 2);
  if (!Object.hasOwn(FAULTS, mode))
    throw new RangeError(`unknown fault ${JSON.stringify(mode)}; there are: ${Object.keys(FAULTS).join(", ")}`);
  const value = number === undefined ? undefined : Number(number);
  if (value !== undefined && !(value >= 0 && number !== ""))
    throw new RangeError(`expected a number after ${mode}:, got ${JSON.stringify(number)}`);
  return value === undefined ? { mode: mode as FaultMode } : { mode: mode as FaultMode, value };
}

/** The fault modes with what each does, one a line, for help texts. */
export function faultHelp(): string {
  const width = Math.max(...Object.keys(FAULTS).map((mode) => mode.length));
  return Object.entries(FAULTS)
    .map(([mode, does]) => `  ${mode.padEnd(width)}  ${does}`)
    .join("\n");
}
