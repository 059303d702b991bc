import type { Collected, Row } from "../../model/sample.ts";
import { aircraftValues } from "./aircraft.ts";
import { droneValues } from "./drone.ts";
import { type Entry, keep, type Residue } from "./fields.ts";
import { keepLongId, keyText } from "./ids.ts";
import { isObject } from "./json.ts";
import { type Seen, type Skip, skipAfter } from "./seen.ts";
import { count, rejections, type Tally } from "./tally.ts";
import { isFuture, isPast, type RowTime, rowTime } from "./time.ts";

/** An answer to read: its entries, whose they are, when they came, and what the last answer listed. */
export interface Listing {
  readonly entries: readonly unknown[];
  readonly kitId: string;
  readonly now: Date;
  readonly previous: Seen;
  /** Already holds what parsing counted. */
  readonly tally: Tally;
}

/** Rows of what changed, samples of what is listed, and what the next answer's unchanged entries are told by. */
export interface Harvest<M extends string> {
  readonly collected: Collected<M>;
  readonly listed: Seen;
}

/** Reads /drones: drones and aircraft, told apart by `track_type`. One bad entry never costs the others. */
export function readTracks({ entries, kitId, now, previous, tally }: Listing): Harvest<"kit_drones"> {
  const skip = skipAfter(previous);
  const rows: Row[] = [];
  const listed = { drone: 0, aircraft: 0 };
  for (const entry of entries) {
    if (!isObject(entry)) {
      count(tally, "not_an_object", "drones");
      continue;
    }
    const id = keyText(entry.id);
    if (id === "") {
      count(tally, "no_id", "id");
      continue;
    }
    const kind = kindOf(entry);
    listed[kind]++;
    const time = rowTime(entry.last_update_time, entry.observed_at, now);
    if (isRepeated(skip, id, time, entry, tally)) continue;
    const residue: Residue = { tally, extra: null };
    noteTime(time, "last_update_time", entry, now, residue);
    keepLongId(entry.id, "id", residue);
    const values = kind === "aircraft" ? aircraftValues : droneValues;
    rows.push({ table: "drones", at: new Date(time.ms), values: values(entry, kitId, id, now, residue) });
  }
  const samples = (["drone", "aircraft"] as const).map((kind) => ({
    metric: "kit_drones" as const,
    value: listed[kind],
    labels: { track_type: kind },
  }));
  return { collected: { samples, rows, rejected: rejections(tally) }, listed: skip.listed };
}

/** Old kits, and answers of other shapes, may lack the field: only aircraft have a ground speed. */
function kindOf(entry: Entry): "drone" | "aircraft" {
  if (entry.track_type === "aircraft") return "aircraft";
  return entry.track_type === undefined && entry.ground_speed !== undefined ? "aircraft" : "drone";
}

/** Whether an observation was there before, in the last answer or earlier in this one. */
export function isRepeated(skip: Skip, key: string, time: RowTime, entry: Entry, tally: Tally): boolean {
  const found = skip.look(key, time.claimed ?? time.ms, entry);
  if (found === "conflict") count(tally, "conflict", key.slice(0, 64));
  return found !== "new";
}

/** Counts what is odd about a row's time, and keeps a value that was no time. */
export function noteTime(time: RowTime, key: string, entry: Entry, now: Date, residue: Residue): void {
  if (time.origin === "none") count(residue.tally, "no_time", key);
  if (time.origin === "off") count(residue.tally, "clock_off", key);
  if (time.origin !== "told" && entry[key] !== undefined && entry[key] !== null) keep(residue, key, entry[key]);
  if (isFuture(time.ms, now)) count(residue.tally, "future_time", key);
  if (isPast(time.ms, now)) count(residue.tally, "past_time", key);
}
