import type { MetricSpec } from "../../model/sample.ts";
import { UNIT_FAILED } from "./alerts.ts";

/** As systemd names them; a unit is in one of them. */
export const UNIT_STATES = [
  "active",
  "reloading",
  "inactive",
  "failed",
  "activating",
  "deactivating",
  "maintenance",
] as const;
export const SYSTEM_STATES = [
  "initializing",
  "starting",
  "running",
  "degraded",
  "maintenance",
  "stopping",
  "offline",
  "unknown",
] as const;

/** Units shown one by one at most. */
export const MAX_UNITS = 500;
const unit = { labels: ["unit"], maxSeries: MAX_UNITS } as const;

export const METRICS = {
  systemd_info: { help: "Version of systemd.", unit: "info", labels: ["version"], maxSeries: 1 },
  systemd_system_state: { help: "State of the whole system: 1 for the one it is in.", labels: ["state"] },
  systemd_failed_units: { help: "Units of every kind that have failed." },
  systemd_jobs: { help: "Starts and stops that wait or are under way." },
  systemd_units: { help: "Watched units in each state.", labels: ["state"] },
  systemd_unit_state: {
    help: "State of the unit: 1 for the one it is in.",
    labels: ["unit", "state"],
    maxSeries: MAX_UNITS * UNIT_STATES.length,
    alert: UNIT_FAILED,
  },
  systemd_unit_restarts_total: {
    ...unit,
    help: "Times that systemd restarted the service by itself; begins anew when someone starts it.",
    type: "counter",
  },
  systemd_unit_cpu_seconds_total: {
    ...unit,
    help: "CPU time of the unit's processes.",
    type: "counter",
    unit: "seconds",
  },
  systemd_unit_memory_bytes: { ...unit, help: "Memory of the unit's processes, with its page cache.", unit: "bytes" },
  systemd_unit_tasks: { ...unit, help: "Processes and threads of the unit." },
  systemd_unit_active_since_timestamp_seconds: { ...unit, help: "When the unit last became active.", unit: "seconds" },
  systemd_timer_last_trigger_timestamp_seconds: { ...unit, help: "When the timer last fired.", unit: "seconds" },
  systemd_timer_next_elapse_timestamp_seconds: {
    ...unit,
    help: "When the timer fires next, where it goes by the calendar.",
    unit: "seconds",
  },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
