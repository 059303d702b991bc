import type { Collected, Sample } from "../../model/sample.ts";
import type { HealthValues } from "./columns.ts";
import { extraOf } from "./extra.ts";
import { type Entry, flag, number, position, type Residue, text, within } from "./fields.ts";
import type { Skip } from "./seen.ts";
import { rejections, type Tally } from "./tally.ts";
import { isFuture, rowTime } from "./time.ts";
import { noteTime } from "./tracks.ts";

// biome-ignore format: as many a line as fit
const KNOWN: ReadonlySet<string> = new Set([
  "uid", "lat", "lon", "alt", "cpu_usage", "memory_total", "memory_available", "disk_total", "disk_used", "temperature",
  "uptime", "pluto_temp", "zynq_temp", "speed", "track", "gps_fix", "time_source", "gpsd_time_utc", "last_update_time",
]);
const BYTES_PER_MIB = 1_048_576;
const SECONDS_PER_HOUR = 3_600;
/** What a kit calls itself before its monitor has read its serial number. */
const UNKNOWN_KIT = "wardragon-unknown";

/** Metrics of /status. */
export type StatusMetric =
  | "kit_cpu_usage_ratio"
  | "kit_memory_used_ratio"
  | "kit_disk_used_ratio"
  | "kit_uptime_seconds"
  | "kit_temperature_celsius"
  | "kit_latitude_degrees"
  | "kit_longitude_degrees"
  | "kit_gps_fix";

/** Whether an object is a kit's status at all: it has at least one of its fields. */
export function isStatus(entry: Entry): boolean {
  return Object.keys(entry).some((key) => KNOWN.has(key));
}

/**
 * Reads /status: one row at the time of the kit's last own measurement, which stands still when its monitor died.
 * @param skip tells whether that measurement was there before: then there is no row
 */
export function readStatus(entry: Entry, kitId: string, now: Date, tally: Tally, skip: Skip): Collected<StatusMetric> {
  const residue: Residue = { tally, extra: null };
  const time = rowTime(entry.last_update_time, undefined, now);
  noteTime(time, "last_update_time", entry, now, residue);
  const at = new Date(time.ms);
  const isNew = skip.look("status", time.claimed ?? time.ms, entry) === "new";
  const claimed = time.claimed === null ? null : new Date(time.claimed);
  const values = healthValues(entry, kitId, claimed, now, residue);
  return {
    // A kit whose clock runs ahead must not put its samples where no query looks.
    samples: statusSamples(values, time.origin === "told" && !isFuture(time.ms, now) ? at : undefined),
    rows: isNew ? [{ table: "system_health", at, values }] : [],
    ...(claimed === null ? {} : { sourceTime: claimed }),
    ...identityOf(entry),
    rejected: rejections(tally),
  };
}

/** `kit_id` is in no answer yet, but the kits' code means to send it. */
function identityOf(entry: Entry): { identity?: string } {
  for (const told of [entry.kit_id, entry.uid]) {
    const id = typeof told === "string" ? told.trim() : "";
    if (id !== "" && id !== UNKNOWN_KIT) return { identity: id };
  }
  return {};
}

function healthValues(
  entry: Entry,
  kitId: string,
  updated: Date | null,
  receivedAt: Date,
  residue: Residue,
): HealthValues {
  const here = position(entry.lat, entry.lon, "lat", "lon", residue);
  const memory = { total: mib(entry, "memory_total", residue), rest: mib(entry, "memory_available", residue) };
  const disk = { total: mib(entry, "disk_total", residue), used: mib(entry, "disk_used", residue) };
  const uptime = within(entry.uptime, 0, Number.MAX_VALUE, "uptime", residue);
  return {
    kit_id: kitId,
    uid: text(entry.uid, "uid", residue),
    lat: here.lat,
    lon: here.lon,
    alt: number(entry.alt, "alt", residue),
    speed: number(entry.speed, "speed", residue),
    track: number(entry.track, "track", residue),
    cpu_percent: within(entry.cpu_usage, 0, 100, "cpu_usage", residue),
    memory_percent: memory.rest === null || !memory.total ? null : percent(memory.total - memory.rest, memory.total),
    disk_percent: disk.used === null || !disk.total ? null : percent(disk.used, disk.total),
    uptime_hours: uptime === null ? null : uptime / SECONDS_PER_HOUR,
    uptime_seconds: uptime,
    temp_cpu: temperature(entry, "temperature", residue),
    // No kit tells one; the column is what older dashboards query.
    temp_gpu: null,
    pluto_temp: temperature(entry, "pluto_temp", residue),
    zynq_temp: temperature(entry, "zynq_temp", residue),
    gps_fix: flag(entry.gps_fix, "gps_fix", residue),
    time_source: text(entry.time_source, "time_source", residue),
    gpsd_time_utc: text(entry.gpsd_time_utc, "gpsd_time_utc", residue),
    kit_updated_epoch: updated === null ? null : Math.floor(updated.getTime() / 1_000),
    memory_total_bytes: memory.total === 0 ? null : memory.total,
    memory_available_bytes: memory.total === 0 ? null : memory.rest,
    disk_total_bytes: disk.total === 0 ? null : disk.total,
    disk_used_bytes: disk.total === 0 ? null : disk.used,
    received_at: receivedAt,
    extra: extraOf(entry, KNOWN, residue),
  };
}

/** Whole bytes of a size in MiB. A total of 0 is the kit's default for "not measured". */
function mib(entry: Entry, key: string, residue: Residue): number | null {
  const size = within(entry[key], 0, Number.MAX_SAFE_INTEGER / BYTES_PER_MIB, key, residue);
  return size === null ? null : Math.round(size * BYTES_PER_MIB);
}

/** 0..100, or null: the table refuses anything else. The sizes it comes from have columns of their own. */
function percent(part: number, whole: number): number | null {
  const value = (part / whole) * 100;
  return value >= 0 && value <= 100 ? value : null;
}

/** °C; 0.0 is how kits say "unknown". */
function temperature(entry: Entry, key: string, residue: Residue): number | null {
  const celsius = number(entry[key], key, residue);
  return celsius === 0 ? null : celsius;
}

/** One sample for each value that is known. */
function statusSamples(values: HealthValues, at: Date | undefined): Sample<StatusMetric>[] {
  const samples: Sample<StatusMetric>[] = [];
  const add = (metric: StatusMetric, value: unknown, divisor = 1, labels: Record<string, string> = {}): void => {
    if (typeof value !== "number" && typeof value !== "boolean") return;
    samples.push({ metric, value: Number(value) / divisor, labels, ...(at ? { at } : {}) });
  };
  add("kit_cpu_usage_ratio", values.cpu_percent, 100);
  add("kit_memory_used_ratio", values.memory_percent, 100);
  add("kit_disk_used_ratio", values.disk_percent, 100);
  add("kit_uptime_seconds", values.uptime_seconds);
  add("kit_temperature_celsius", values.temp_cpu, 1, { sensor: "cpu" });
  add("kit_temperature_celsius", values.pluto_temp, 1, { sensor: "pluto" });
  add("kit_temperature_celsius", values.zynq_temp, 1, { sensor: "zynq" });
  add("kit_latitude_degrees", values.lat);
  add("kit_longitude_degrees", values.lon);
  add("kit_gps_fix", values.gps_fix);
  return samples;
}
