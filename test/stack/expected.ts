import { TROUBLED } from "./support/scene.ts";

/** Kits that get some trouble while the test looks on, and are mended again; and the alert that must come and go. */
export const PASSING = {
  "kit-001": { fault: "refused", alert: "kit_offline", state: "offline" },
  "kit-002": { fault: "http_500", alert: "kit_error", state: "error" },
  "kit-003": { fault: "frozen_status", alert: "kit_stale", state: "stale" },
} as const;

/** A kit that is exchanged for another one, and stays so: the alert ends by itself when the change is an hour (a minute here) old. */
export const EXCHANGED = "kit-004";

const LASTING = { refused: "kit_offline", http_500: "kit_error", frozen_status: "kit_stale" } as const;

/** What is wrong with what plugins collect from, as it was recorded, from the start to the end. */
export const RECORDED: readonly string[] = [
  ...["container_restarting docker", "container_unhealthy docker", "proxy_backend_down traefik"],
  ...["proxy_route_broken traefik", "smart_sectors_reallocated smart", "systemd_unit_failed systemd"],
];

/** Every alert that must fire, as `alert_id subject`; and no other may. */
export const EXPECTED: readonly string[] = [
  ...Object.entries(TROUBLED).flatMap(([kit, fault]) =>
    Object.hasOwn(LASTING, fault) ? [`${LASTING[fault as keyof typeof LASTING]} ${kit}`] : [],
  ),
  ...Object.entries(PASSING).map(([kit, { alert }]) => `${alert} ${kit}`),
  `kit_identity_changed ${EXCHANGED}`,
  "rows_refused dead_letter",
  ...RECORDED,
].sort();

/** Of these, the ones that must be resolved again before the end. */
export const RESOLVED: readonly string[] = [
  ...Object.entries(PASSING).map(([kit, { alert }]) => `${alert} ${kit}`),
  `kit_identity_changed ${EXCHANGED}`,
  "rows_refused dead_letter",
].sort();

/** Groups of rules on this machine itself: its disks, memory and sensors are not in the scene's hands. */
export const ON_THIS_MACHINE = ["disk-monitor", "system-info"];

/** Panels (dashboard's uid: title) and rules (alert_id) that may bring nothing here. */
export interface MayBeEmpty {
  readonly what: RegExp;
  readonly why: string;
}

export const MAY_BE_EMPTY: readonly MayBeEmpty[] = [
  {
    what: /^(gleaner-host: Temperatures|gleaner-plugin-system_info: Temperature|host_hot|host_too_hot)$/,
    why: "virtual machines have no sensors",
  },
  { what: /^agent_key_expires$/, why: "no agent is known here" },
  { what: /^gleaner-plugin-network_monitor: Network speed$/, why: "virtual network interfaces tell no speed" },
  {
    what: /^target_paused$/,
    why: "its counter begins with the first run that a paused target skips; none is paused here",
  },
  { what: /^gleaner-plugin-postgres_monitor: .* repli/, why: "the server has no replica and no replication slot" },
  { what: /^gleaner-plugin-postgres_monitor: .* checksum/, why: "the server was set up without checksums" },
  {
    what: /^(gleaner-plugin-influxdb_monitor: Influxdb healthy|influxdb_unhealthy)$/,
    why: "InfluxDB 1.x does not say how it is",
  },
  {
    what: /^gleaner-plugin-mongodb_monitor: Mongodb (replicated operations|cursors (open|timed out))$/,
    why: "what was recorded has none",
  },
  {
    what: /^(gleaner-plugin-mysql_monitor: Mysql repli.*|mysql_repli.*)$/,
    why: "the server copies from no other",
  },
  {
    what: /^gleaner-plugin-smart_monitor: Smart self test passed$/,
    why: "none of the recorded disks had tested itself",
  },
  {
    what: /^gleaner-plugin-ups_monitor: Ups (transfers|time on battery)$/,
    why: "apcupsd tells it, NUT does not",
  },
];
