// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import { transitions } from "./annotations.ts";
import type { Definition } from "./assemble.ts";
import { stat, stateTimeline, table, timeseries } from "./kinds.ts";
import { link, UIDS } from "./links.ts";
import { map } from "./maps.ts";
import { field, NEUTRAL, rising } from "./panels.ts";
import { metric, now, orNone, prom, rate, rows, series } from "./queries.ts";
import { kitStateCode, SEVERITY_WORDS, STATE_CODES, STATE_WORDS } from "./states.ts";
import { bin, PER_HOUR, TO, tiered } from "./tiers.ts";
import { UNITS } from "./units.ts";
import { BOTH, ONE_KIT, quoted } from "./variables.ts";

const OURS = 'kit=~"$kit"';
const KIT = quoted("kit");
const own = (name: string, matchers = "") =>
  `max by (kit) (${metric(name, matchers === "" ? OURS : `${OURS}, ${matchers}`)})`;

const state = stat({
  title: "State",
  description:
    "Online: it answers with data of now. Stale: it answers, with data of long ago. Error: it answers, but not well. Offline: it does not answer.",
  ...{ w: 3, h: 4, mappings: [STATE_CODES], thresholds: NEUTRAL, queries: [now(kitStateCode(`${OURS}, `), "state")] },
});

const lastSeen = stat({
  title: "Last seen",
  description: "Time since the kit last answered well.",
  ...{ w: 3, h: 4, unit: UNITS.Seconds, decimals: 0, thresholds: rising(60, 300), noValue: "never since the start" },
  queries: [now(`time() - ${own("gleaner_kit_last_seen_timestamp_seconds")}`, "last seen")],
});

const figures = [
  ["Drones", "Drones it lists at this moment.", own("gleaner_kit_drones", 'track_type="drone"'), UNITS.Short, NEUTRAL],
  [
    "Signals",
    "Video and telemetry signals it lists at this moment.",
    `sum by (kit) (${metric("gleaner_kit_signals", OURS)})`,
    UNITS.Short,
    NEUTRAL,
  ],
  ["CPU", "CPU usage of the kit.", own("gleaner_kit_cpu_usage_ratio"), UNITS.PercentUnit, rising(0.8, 0.95)],
  ["Memory", "Memory in use on the kit.", own("gleaner_kit_memory_used_ratio"), UNITS.PercentUnit, rising(0.8, 0.95)],
  ["Disk", "Disk space in use on the kit.", own("gleaner_kit_disk_used_ratio"), UNITS.PercentUnit, rising(0.8, 0.95)],
  ["Back-off", "Pause now in force after failed polls.", own("gleaner_kit_backoff_seconds"), UNITS.Seconds, rising(1)],
] as const;

const stats = figures.map(([title, description, expr, unit, thresholds]) =>
  stat({ title, description, w: 3, h: 4, unit, decimals: 0, thresholds, noValue: "away", queries: [now(expr, title)] }),
);

const history = stateTimeline({
  title: "State history",
  description: "Its state over the time range; the table of changes below says why it changed.",
  ...{ w: 24, h: 4, mappings: [STATE_CODES], interval: "15s", queries: [prom(kitStateCode(`${OURS}, `), "{{kit}}")] },
});

const tracks = map({
  title: "Tracks",
  description:
    "Where the kit is, and where each of its drones was, a mark a point of the last hour of the time range. Pilots, where they are broadcast, are crosses.",
  ...{ w: 10, h: 9 },
  queries: [
    rows(`
      select kit_id as "Kit", lat, lon, time as "Position of" from system_health
      where kit_id = ${KIT} and $__timeFilter(time) and lat is not null order by time desc limit 1`),
    rows(`
      select distinct on (drone_id, minute) drone_id as "Drone", ${bin("time", "interval '20 seconds'")} as minute,
             time as "Seen", lat, lon, alt as "Altitude", speed as "Speed"
      from drones
      where kit_id = ${KIT} and $__timeFilter(time) and time > ${TO} - interval '1 hour'
        and track_type = 'drone' and lat is not null
      order by drone_id, minute desc, time desc limit 3000`),
    rows(`
      select distinct on (drone_id) drone_id as "Drone", operator_id as "Operator", time as "Seen",
             pilot_lat as lat, pilot_lon as lon
      from drones
      where kit_id = ${KIT} and $__timeFilter(time) and time > ${TO} - interval '1 hour' and pilot_lat is not null
      order by drone_id, time desc limit 200`),
  ],
  layers: [
    { name: "Tracks", query: "B", color: "purple", size: 3, symbol: "circle" },
    { name: "Pilots", query: "C", color: "orange", label: "Operator", size: 6, symbol: "cross" },
    { name: "Kit", query: "A", color: "green", label: "Kit", size: 8, symbol: "square" },
  ],
  fields: [
    field("Altitude", { unit: UNITS.Meter, decimals: 0 }),
    field("Speed", { unit: UNITS.MetersPerSecond, decimals: 1 }),
  ],
});

const heard = timeseries({
  title: "Drones, aircraft and signals",
  description: "How many it lists, by type.",
  ...{ w: 7, h: 9, unit: UNITS.Short, decimals: 0 },
  queries: [
    prom(`max by (track_type) (${metric("gleaner_kit_drones", OURS)})`, "{{track_type}}"),
    prom(`max by (signal_type) (${metric("gleaner_kit_signals", OURS)})`, "signal {{signal_type}}"),
  ],
});

const strength = timeseries({
  title: "Signal strength",
  description:
    "The strongest RSSI among drones, aircraft and signals in each interval. Drones and signals in dBm, aircraft in dBFS: their lines are not comparable.",
  ...{ w: 7, h: 9, unit: UNITS.DecibelMilliWatt, decimals: 0, interval: "15s" },
  queries: [
    series(`
      select ${bin("time")} as time, max(rssi_dbm) as "drones", max(rssi_dbfs) as "aircraft (dBFS)"
      from drones
      where kit_id = ${KIT} and $__timeFilter(time) and time > ${TO} - interval '2 days'
      group by 1 order by 1`),
    series(`
      select ${bin("time")} as time, max(power_dbm) as "signals"
      from signals
      where kit_id = ${KIT} and $__timeFilter(time) and time > ${TO} - interval '2 days'
      group by 1 order by 1`),
  ],
});

const health = timeseries({
  title: "System",
  description: "Usage of CPU, memory and disk, from the kit's own status.",
  ...{ w: 6, h: 7, unit: UNITS.PercentUnit, min: 0, max: 1, thresholds: rising(0.8, 0.95), lines: true },
  queries: [
    prom(own("gleaner_kit_cpu_usage_ratio"), "CPU"),
    prom(own("gleaner_kit_memory_used_ratio"), "memory"),
    prom(own("gleaner_kit_disk_used_ratio"), "disk"),
  ],
});

const temperatures = timeseries({
  title: "Temperatures",
  description: "CPU and the radio's two chips. Above 75 degrees it needs shade, above 85 it slows down or stops.",
  ...{ w: 6, h: 7, unit: UNITS.Celsius, decimals: 0, thresholds: rising(75, 85), lines: true },
  queries: [prom(`max by (sensor) (${metric("gleaner_kit_temperature_celsius", OURS)})`, "{{sensor}}")],
});

const polls = timeseries({
  title: "Polls and failures",
  description: "Polls a second, and the failed ones among them by kind of failure.",
  ...{ w: 6, h: 7, unit: UNITS.CountsPerSecond, decimals: 2 },
  queries: [
    prom(`sum(${rate("gleaner_job_runs_total", 'target=~"$kit"')})`, "polls"),
    prom(orNone("kind", `sum by (kind) (${rate("gleaner_job_failures_total", 'target=~"$kit"')})`), "failed: {{kind}}"),
    prom(
      orNone("reason", `sum by (reason) (${rate("gleaner_job_skipped_total", 'target=~"$kit"')})`),
      "skipped: {{reason}}",
    ),
  ],
});

/** Rows of one of the kit's tables, an hour. */
function storedRows(table: "drones" | "signals" | "system_health", total: string): ReturnType<typeof series> {
  const where = `kit_id = ${KIT}`;
  const rolled = (tier: string) => ({
    table: `${table}_${tier}`,
    time: "bucket",
    where,
    values: [`sum(${total}) ${PER_HOUR}`],
  });
  const raw = { table, time: "time", where, values: [`count(*) ${PER_HOUR}`] };
  return series(tiered({ raw, hourly: rolled("hourly"), daily: rolled("daily"), values: { [table]: "sum" } }));
}

const stored = timeseries({
  title: "Rows stored",
  description: "Rows of this kit in the database, an hour; long ranges read the hourly and daily roll-ups.",
  ...{ w: 6, h: 7, unit: UNITS.Short, decimals: 0, interval: "1m" },
  queries: [
    storedRows("drones", "total_detections"),
    storedRows("signals", "total_detections"),
    storedRows("system_health", "count"),
  ],
});

const latest = table({
  title: "Latest tracks",
  description: "What it heard in the last hour of the time range, each drone and aircraft once, the last seen first.",
  ...{ w: 14, h: 9, sortBy: "Last seen", descending: true },
  queries: [
    rows(`
      select distinct on (drone_id) drone_id as "Track", track_type as "Type", time as "Last seen",
             coalesce(rid_model, nullif(description, ''), ua_type_name, flight) as "What", operator_id as "Operator",
             alt as "Altitude", speed as "Speed", coalesce(rssi_dbm, rssi_dbfs) as "RSSI"
      from drones
      where kit_id = ${KIT} and $__timeFilter(time) and time > ${TO} - interval '1 hour'
      order by drone_id, time desc limit 500`),
  ],
  fields: [
    field("Altitude", { unit: UNITS.Meter, decimals: 0 }),
    field("Speed", { unit: UNITS.MetersPerSecond, decimals: 1 }),
    field("RSSI", { unit: UNITS.DecibelMilliWatt, decimals: 0 }),
  ],
});

const changes = table({
  title: "Changes of state",
  description: "When its state or its own id changed, and why; the latest first.",
  ...{ w: 10, h: 9 },
  queries: [
    rows(`
      select time as "Time", from_state as "From", to_state as "To", severity as "Severity", details as "Why"
      from health_events
      where kind <> 'target' and id = ${KIT} and time <= ${TO}
      order by time desc limit 100`),
  ],
  fields: [
    field(/^(From|To)$/, { mappings: [STATE_WORDS], cell: "color-text", width: 90 }),
    field("Severity", { mappings: [SEVERITY_WORDS], cell: "color-text", width: 90 }),
  ],
  links: [link("All changes of state", UIDS.kit, UIDS.history)],
});

/** One kit: how it is, what it hears, and whether what it says arrives. */
export const kit: Definition = {
  uid: UIDS.kit,
  title: "gleaner / Kit",
  description: "One kit: how it is, what it hears, and whether what it says arrives.",
  range: "1h",
  variables: [...BOTH, ONE_KIT],
  annotations: [transitions(`kind <> 'target' and id = ${KIT}`)],
  tiles: [state, lastSeen, ...stats, history, tracks, heard, strength, health, temperatures, polls, stored],
  folded: [{ title: "Tracks and changes of state", tiles: [latest, changes] }],
};
