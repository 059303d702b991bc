import type { Row, Sample } from "../../model/sample.ts";
import type { Residue } from "./fields.ts";
import { keepLongId, keyText } from "./ids.ts";
import { isObject } from "./json.ts";
import { skipAfter } from "./seen.ts";
import { signalMhz, signalValues } from "./signal.ts";
import { count, rejections } from "./tally.ts";
import { rowTime } from "./time.ts";
import { type Harvest, isRepeated, type Listing, noteTime } from "./tracks.ts";

/** Types kits are known to send: emitted as zero while none is listed. */
const KNOWN_TYPES = ["fpv", "gfsk_fhss"];
/** Most values of the label `signal_type` a kit can make; what comes later is `other`. */
const MAX_TYPES = 20;
const MAX_TYPE_LENGTH = 32;

/**
 * Reads /signals. One bad entry never costs the others.
 * @param types signal types seen so far on this kit: what is new is added, up to the cap
 */
export function readSignals(
  { entries, kitId, now, previous, tally }: Listing,
  types: Set<string>,
): Harvest<"kit_signals"> {
  const skip = skipAfter(previous);
  const rows: Row[] = [];
  const listed = new Map<string, number>();
  for (const entry of entries) {
    if (!isObject(entry)) {
      count(tally, "not_an_object", "signals");
      continue;
    }
    const freqMhz = signalMhz(entry);
    if (freqMhz === null) {
      count(tally, "no_frequency", "center_hz");
      continue;
    }
    const type = typeLabel(entry.signal_type, types);
    listed.set(type, (listed.get(type) ?? 0) + 1);
    const uid = keyText(entry.uid);
    const time = rowTime(entry.observed_at, entry.last_update_time, now);
    // The frequency is part of the key: a frequency hopper keeps its uid.
    if (isRepeated(skip, `${freqMhz} ${uid}`, time, entry, tally)) continue;
    const residue: Residue = { tally, extra: null };
    noteTime(time, "observed_at", entry, now, residue);
    keepLongId(entry.uid, "uid", residue);
    const values = signalValues(entry, kitId, freqMhz, uid, now, residue);
    rows.push({ table: "signals", at: new Date(time.ms), values });
  }
  return {
    collected: { samples: typeSamples(listed, types), rows, rejected: rejections(tally) },
    listed: skip.listed,
  };
}

/** One sample a type: a label's values must be few and plain, whatever a kit sends. */
function typeSamples(listed: ReadonlyMap<string, number>, types: ReadonlySet<string>): Sample<"kit_signals">[] {
  const names = new Set([...KNOWN_TYPES, ...types, ...listed.keys()]);
  return [...names].map((type) => ({
    metric: "kit_signals",
    value: listed.get(type) ?? 0,
    labels: { signal_type: type },
  }));
}

function typeLabel(value: unknown, types: Set<string>): string {
  if (typeof value === "string" && KNOWN_TYPES.includes(value)) return value;
  const plain = typeof value === "string" ? sanitised(value) : "";
  if (plain === "") return "unknown";
  if (types.size < MAX_TYPES) types.add(plain);
  return types.has(plain) ? plain : "other";
}

function sanitised(value: string): string {
  return value
    .slice(0, MAX_TYPE_LENGTH)
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_");
}
