import type { Sample } from "../../model/sample.ts";
import { toUtc } from "../../model/time.ts";
import { numberOf } from "../client/mapping.ts";
import { type Metric, SYSTEM_STATES, UNIT_STATES } from "./metrics.ts";

/** Properties of one unit, or of the manager, by name. */
export type Properties = ReadonlyMap<string, string>;
type Samples = readonly Sample<Metric>[];

/** Reads what `systemctl show` prints: `Name=value` lines, an empty line between units. */
export function parseShow(text: string): readonly Properties[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => new Map([...block.matchAll(/^(\w{1,64})=(.*)$/gm)].map((line) => [line[1] ?? "", line[2] ?? ""])))
    .filter((properties) => properties.size > 0);
}

const stateSeries = <M extends Metric>(
  metric: M,
  states: readonly string[],
  told: string,
  labels: Readonly<Record<string, string>> = {},
): Samples => states.map((state) => ({ metric, value: Number(state === told), labels: { ...labels, state } }));

/** What the manager says of the whole system. */
export function managerSamples(manager: Properties): Samples {
  const number = (metric: Metric, name: string): Samples => numeric(metric, manager.get(name));
  const state = manager.get("SystemState");
  const version = manager.get("Version");
  return [
    ...(version ? [{ metric: "systemd_info" as const, value: 1, labels: { version: version.slice(0, 64) } }] : []),
    ...(state ? stateSeries("systemd_system_state", SYSTEM_STATES, state) : []),
    ...number("systemd_failed_units", "NFailedUnits"),
    ...number("systemd_jobs", "NJobs"),
  ];
}

function numeric(metric: Metric, text: string | undefined, labels?: Readonly<Record<string, string>>, by = 1): Samples {
  const value = numberOf(text);
  // 2^64 - 1 is how systemd writes that it does not know, where it does not write `[not set]`.
  if (value === undefined || value >= 2 ** 63) return [];
  return [labels ? { metric, value: value / by, labels } : { metric, value: value / by }];
}

/** `Sun 2026-11-22 12:55:06 UTC`, or `@1795352106` where the version was asked for that; `n/a` and nothing for never. */
export function timeOf(text = ""): number | undefined {
  const unix = /^@(\d{1,12})(?:\.\d+)?$/.exec(text)?.[1];
  if (unix !== undefined) return Number(unix);
  const told = /^[A-Z][a-z]{2} (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:\.\d+)? UTC$/.exec(text)?.[1];
  const time = toUtc(told);
  return time && time.getTime() / 1000;
}

/** How many units are in each state, those that are not shown one by one, too. */
export function countSamples(units: readonly Properties[]): Samples {
  return UNIT_STATES.map((state) => ({
    metric: "systemd_units",
    value: units.filter((unit) => unit.get("ActiveState") === state).length,
    labels: { state },
  }));
}

/** What one unit says of itself. */
export function unitSamples(unit: Properties): Samples {
  const labels = { unit: unit.get("Id") ?? "" };
  const number = (metric: Metric, name: string, by?: number) => numeric(metric, unit.get(name), labels, by);
  const time = (metric: Metric, name: string): Samples => {
    const value = timeOf(unit.get(name));
    return value === undefined ? [] : [{ metric, value, labels }];
  };
  return [
    ...stateSeries("systemd_unit_state", UNIT_STATES, unit.get("ActiveState") ?? "", labels),
    ...number("systemd_unit_restarts_total", "NRestarts"),
    ...number("systemd_unit_cpu_seconds_total", "CPUUsageNSec", 1e9),
    ...number("systemd_unit_memory_bytes", "MemoryCurrent"),
    ...number("systemd_unit_tasks", "TasksCurrent"),
    ...time("systemd_unit_active_since_timestamp_seconds", "ActiveEnterTimestamp"),
    ...time("systemd_timer_last_trigger_timestamp_seconds", "LastTriggerUSec"),
    ...time("systemd_timer_next_elapse_timestamp_seconds", "NextElapseUSecRealtime"),
  ];
}
