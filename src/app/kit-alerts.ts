import type { Alert, AlertGroup } from "../model/alert.ts";
import type { KitState } from "../model/health.ts";

const inState = (state: KitState) => `max by (kit) (gleaner_kit_state{state="${state}"})`;
const kit = { labels: ["kit"], op: "gt", threshold: 0 } as const;

const OFFLINE: Alert = {
  ...kit,
  id: "kit_offline",
  title: "Kit offline",
  query: inState("offline"),
  for: "2m",
  keepFiringFor: "2m",
  severity: "critical",
  summary: "Kit {kit} cannot be reached.",
  description:
    "No endpoint of kit {kit} has answered for at least 2 minutes; gleaner keeps trying, at most 5 minutes apart.",
  runbook: {
    meaning:
      "Connections to the kit fail (refused, no route, name not found, time-out), and no endpoint has answered since.",
    impact:
      "Nothing the kit hears is recorded. A kit lists an observation for a minute or two only: what it hears meanwhile is lost.",
    check: [
      "`gleaner run <kit>` polls it once and says what fails; `gleaner kits list` shows when it was last seen.",
      "`curl -sv http://<kit>:8088/status` from the host that runs gleaner.",
      '`gleaner_job_failures_total{target="<kit>"}` by `kind`: `unreachable` is the network or the power, `timeout` a host that hangs.',
      "Other kits at the same place: if they are offline too, it is the uplink.",
    ],
    fix: [
      "Restore power or the network link; check the address in kits.yaml when the kit was moved.",
      "On the kit: is DragonSync running, and on the port that kits.yaml names? Restart it.",
      "A kit that is put away for good: set `enabled: false` in kits.yaml; the alert ends at the reload.",
    ],
  },
};

const STALE: Alert = {
  ...kit,
  id: "kit_stale",
  title: "Kit stale",
  query: inState("stale"),
  for: "5m",
  keepFiringFor: "5m",
  severity: "warning",
  summary: "Kit {kit} answers with old data.",
  description: "Kit {kit} has brought no fresh data for longer than `kits.stale_threshold`, though it can be reached.",
  runbook: {
    meaning:
      "Either no poll has gone well for the threshold (60 s by default), or the kit's own status stands still while its API goes on answering.",
    impact: "What is shown of the kit is withdrawn from /metrics; new observations are probably not made.",
    check: [
      "`curl -s http://<kit>:8088/status`: does `last_update_time` move between two calls?",
      "`gleaner jobs`: are the kit's jobs skipped or held?",
      'The kit\'s clock: `gleaner_rows_rejected_total{reason="clock_off"}` and `{reason="past_time"}`.',
    ],
    fix: ["Restart the process on the kit that reports its status, or the kit.", "Set the kit's clock (GPS or NTP)."],
  },
};

const ERROR: Alert = {
  ...kit,
  id: "kit_error",
  title: "Kit error",
  query: inState("error"),
  for: "5m",
  keepFiringFor: "5m",
  severity: "warning",
  summary: "Kit {kit} answers, but with errors.",
  description:
    "At least one endpoint of kit {kit} fails while others answer: HTTP errors, or bodies that cannot be read.",
  runbook: {
    meaning:
      "The kit is there, but an endpoint of it answers with an HTTP error or with something that is no answer of a kit.",
    impact: "What the failing endpoint serves (drones, signals or status) is not recorded; the other endpoints are.",
    check: [
      "`gleaner run <kit>` names the endpoint and what is wrong with its answer.",
      '`gleaner_job_failures_total{target="<kit>"}` by `exported_job` and `kind` (`http_status`, `bad_data`).',
    ],
    fix: [
      "Read the log of DragonSync on the kit, and restart it.",
      "429: something else polls the kit too; lengthen `poll_interval` in kits.yaml.",
      "A proxy in front of the kit that answers by itself: mend its configuration.",
    ],
  },
};

const FLAPPING: Alert = {
  ...kit,
  id: "kit_flapping",
  title: "Kit flapping",
  // Each outage is two changes.
  query: "max by (kit) (changes(gleaner_kit_up[30m]))",
  threshold: 5,
  for: "0s",
  keepFiringFor: "15m",
  severity: "warning",
  summary: "Kit {kit} keeps going and coming back.",
  description: "The state of kit {kit} changed {value} times between online and something else within 30 minutes.",
  runbook: {
    meaning: "The kit went away and came back at least three times within half an hour.",
    impact: "There are gaps in what is recorded, each too short for the alert on an offline kit.",
    check: [
      '`gleaner_kit_up{kit="<kit>"}` over the last hours: a regular pattern points to power saving or a lease, an irregular one to radio.',
      "`select * from health_events where id = '<kit>' order by time desc limit 50`: the reason of each change.",
      '`probe_duration_seconds{kit="<kit>"}`: is it near the time-out?',
    ],
    fix: [
      "Improve the link (antenna, cable, channel), or the power supply of the kit.",
      "A link that is slow but sound: raise `timeout` of the kit in kits.yaml.",
    ],
  },
};

const IDENTITY_CHANGED: Alert = {
  ...kit,
  id: "kit_identity_changed",
  title: "Kit identity changed",
  query: "max by (kit) (increase(gleaner_kit_identity_changes_total[1h]))",
  for: "0s",
  severity: "warning",
  summary: "Kit {kit} calls itself by another id than before, or by that of another kit.",
  runbook: {
    meaning: "The serial number a kit tells changed, or two configured kits tell the same one.",
    impact:
      "Rows keep the configured id, so rows of two different kits may stand under one id, or those of one kit under two.",
    check: [
      "`select * from health_events where kind = 'identity' order by time desc limit 20`: from what to what, and which other kit says the same.",
      "`gleaner kits list`: do two entries of kits.yaml lead to one kit?",
    ],
    fix: [
      "Hardware was replaced on purpose: nothing; the alert ends after an hour.",
      "An address was given to another kit: correct `api_url` in kits.yaml.",
      "An image was cloned onto several kits: give each its own serial number.",
    ],
  },
};

const NO_DRONE_ROWS: Alert = {
  id: "kit_drones_not_stored",
  title: "Drones are listed but not stored",
  // Kits that hear nothing store nothing; these list drones, and an observation is repeated for a minute or two only.
  query:
    'sum(increase(gleaner_store_rows_total{table="drones"}[1h])) and on () (sum(max_over_time(gleaner_kit_drones[30m])) > 0) and on () (sum(gleaner_kit_up) > 0)',
  labels: [],
  op: "lt",
  threshold: 0.5,
  for: "15m",
  severity: "critical",
  summary: "Kits are online and list drones, but no row reached the table drones for an hour.",
  runbook: {
    meaning: "Online kits list drones, yet the table `drones` has got no new row for an hour.",
    impact: "The record of drones has a hole, though every kit looks well.",
    check: [
      "`gleaner_store_up`, `gleaner_store_pending_rows` and `gleaner_spool_oldest_timestamp_seconds`: do rows wait for the database?",
      '`gleaner_store_duplicate_rows_total{table="drones"}`: rows that count as known already; a kit whose clock stands still repeats them.',
      "`gleaner_rows_rejected_total` by `reason`, and `gleaner dead-letter list`.",
    ],
    fix: [
      "Bring the database back; what waits in the spool is written by itself.",
      "Set the clock of the kit.",
      "After the database was mended: `gleaner dead-letter retry --all`.",
    ],
  },
};

/** Alerts on the state of field kits. Thresholds on what kits measure are in their plugin. */
export const KIT_ALERTS: AlertGroup = {
  name: "kits",
  interval: "30s",
  alerts: [OFFLINE, STALE, ERROR, FLAPPING, IDENTITY_CHANGED, NO_DRONE_ROWS],
};
