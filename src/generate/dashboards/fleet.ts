// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import { KIT_STATES } from "../../model/health.ts";
import type { Plugin } from "../../model/plugin.ts";
import { alertList } from "./alert-list.ts";
import { NEWS, transitions } from "./annotations.ts";
import type { Definition } from "./assemble.ts";
import { joined, stat, stateTimeline, table, timeseries } from "./kinds.ts";
import { link, UIDS } from "./links.ts";
import { map } from "./maps.ts";
import { field, NEUTRAL, rising } from "./panels.ts";
import { metric, now, nowTable, orNone, prom, rate, rows } from "./queries.ts";
import { kitStateCode, STATE_CODES, STATE_WORDS, STATES } from "./states.ts";
import { UNITS } from "./units.ts";
import { BOTH } from "./variables.ts";

const toKit = (column: string) => link("Open the kit", UIDS.fleet, UIDS.kit, { kit: `\${__data.fields.${column}}` });
const seriesLink = link("Open the kit", UIDS.fleet, UIDS.kit, { kit: "${__field.labels.kit}" });
const ofKit = (name: string, matchers = "") => nowTable(`max by (kit) (${metric(name, matchers)})`);

const byState = stat({
  title: "Kits by state",
  description:
    "How many kits are in each state. Stale: it answers, with data of long ago. Error: it answers, but not well.",
  ...{ w: 10, h: 4, named: true, unit: UNITS.NoUnit, decimals: 0 },
  queries: KIT_STATES.map((state) =>
    now(`sum(max by (kit) (${metric("gleaner_kit_state", `state="${state}"`)}))`, state),
  ),
  fields: KIT_STATES.map((state) => field(state, { color: STATES[state].color })),
  noValue: "no kits",
});

const counts = [
  [
    "Drones now",
    "Drones that the kits list at this moment.",
    `sum(${metric("gleaner_kit_drones", 'track_type="drone"')})`,
  ],
  [
    "Aircraft now",
    "Aircraft that the kits list at this moment, by their ADS-B.",
    `sum(${metric("gleaner_kit_drones", 'track_type="aircraft"')})`,
  ],
  [
    "Signals now",
    "Video and telemetry signals that the kits list at this moment.",
    `sum(${metric("gleaner_kit_signals")})`,
  ],
] as const;

const sightings = counts.map(([title, description, expr]) =>
  stat({
    title,
    description,
    w: 3,
    h: 4,
    unit: UNITS.Short,
    spark: true,
    thresholds: NEUTRAL,
    queries: [prom(expr, title)],
  }),
);

const stored = stat({
  title: "Rows stored",
  description: "New rows of kits a second, in all tables.",
  ...{ w: 5, h: 4, unit: UNITS.RowsPerSecond, decimals: 1, spark: true, thresholds: NEUTRAL },
  queries: [prom(`sum(${rate("gleaner_store_rows_total", 'table=~"drones|signals|system_health"')})`, "rows stored")],
});

const kits = table({
  title: "Kits",
  description:
    "Every kit, the worst first. Usage and counts are absent where a kit is away. Click a kit for its own dashboard.",
  ...{ w: 24, h: 10, sortBy: "State", descending: true, noValue: "-" },
  queries: [
    nowTable(kitStateCode()),
    nowTable(`max by (kit, name, location) (${metric("gleaner_kit_info")})`),
    nowTable(`time() - max by (kit) (${metric("gleaner_kit_last_seen_timestamp_seconds")})`),
    ofKit("gleaner_kit_drones", 'track_type="drone"'),
    nowTable(`sum by (kit) (${metric("gleaner_kit_signals")})`),
    ofKit("gleaner_kit_cpu_usage_ratio"),
    ofKit("gleaner_kit_memory_used_ratio"),
    ofKit("gleaner_kit_disk_used_ratio"),
    ofKit("gleaner_kit_temperature_celsius"),
    ofKit("gleaner_kit_backoff_seconds"),
  ],
  transformations: joined("kit", [
    { name: "Kit", from: "kit" },
    { name: "Name", from: "name" },
    { name: "Location", from: "location" },
    { name: "State", from: 0 },
    { name: "Last seen", from: 2 },
    { name: "Drones", from: 3 },
    { name: "Signals", from: 4 },
    { name: "CPU", from: 5 },
    { name: "Memory", from: 6 },
    { name: "Disk", from: 7 },
    { name: "Hottest", from: 8 },
    { name: "Back-off", from: 9 },
  ]),
  fields: [
    field("Kit", { links: [toKit("Kit")] }),
    field("State", { mappings: [STATE_CODES], cell: "color-background", width: 100 }),
    field("Last seen", {
      unit: UNITS.Seconds,
      decimals: 0,
      thresholds: rising(60, 300),
      cell: "color-text",
      description: "Time since the kit last answered well.",
    }),
    field("CPU", {
      unit: UNITS.PercentUnit,
      decimals: 0,
      min: 0,
      max: 1,
      thresholds: rising(0.8, 0.95),
      cell: "gauge",
    }),
    field("Memory", {
      unit: UNITS.PercentUnit,
      decimals: 0,
      min: 0,
      max: 1,
      thresholds: rising(0.8, 0.95),
      cell: "gauge",
    }),
    field("Disk", {
      unit: UNITS.PercentUnit,
      decimals: 0,
      min: 0,
      max: 1,
      thresholds: rising(0.8, 0.95),
      cell: "gauge",
    }),
    field("Hottest", { unit: UNITS.Celsius, decimals: 0, thresholds: rising(75, 85), cell: "color-text" }),
    field("Back-off", {
      unit: UNITS.Seconds,
      decimals: 0,
      thresholds: rising(1),
      cell: "color-text",
      description: "Pause now in force after failures.",
    }),
  ],
});

const timeline = stateTimeline({
  title: "State of each kit",
  description: "How each kit fared. Click a bar for the kit's own dashboard.",
  ...{ w: 9, h: 10, mappings: [STATE_CODES], links: [seriesLink], interval: "15s" },
  queries: [prom(kitStateCode(), "{{kit}}")],
});

const places = map({
  title: "Kits and recent drones",
  description:
    "Where each kit is, by its own GPS, coloured by its state, and where drones were in the last five minutes of the time range. Needs the internet for the map itself.",
  ...{ w: 9, h: 10 },
  queries: [
    rows(`
      select k.kit_id as "Kit", k.name as "Name", k.status as "State", h.lat, h.lon, h.time as "Position of"
      from kits k
      cross join lateral (
        select time, lat, lon from system_health
        where kit_id = k.kit_id and lat is not null and $__timeFilter(time)
        order by time desc limit 1) h
      where k.enabled
      order by k.kit_id limit 1000`),
    rows(`
      select distinct on (drone_id) drone_id as "Drone", track_type as "Type", kit_id as "Kit", time as "Seen",
             lat, lon, alt as "Altitude", speed as "Speed"
      from drones
      where time between $__timeTo()::timestamptz - interval '5 minutes' and $__timeTo()::timestamptz
        and track_type = 'drone' and lat is not null and lon is not null
      order by drone_id, time desc limit 1000`),
  ],
  layers: [
    { name: "Kits", query: "A", colorBy: "State", label: "Name", size: 8, symbol: "square" },
    { name: "Drones", query: "B", color: "purple", size: 5, symbol: "triangle" },
  ],
  fields: [
    field("State", { mappings: [STATE_WORDS] }),
    field("Kit", { links: [toKit("Kit")] }),
    field("Altitude", { unit: UNITS.Meter, decimals: 0 }),
    field("Speed", { unit: UNITS.MetersPerSecond, decimals: 1 }),
  ],
});

const overTime = timeseries({
  title: "Kits by state over time",
  description: "How many kits were in each state.",
  ...{ w: 12, h: 8, stacked: true, decimals: 0, unit: UNITS.Short },
  queries: KIT_STATES.map((state) =>
    prom(`sum(max by (kit) (${metric("gleaner_kit_state", `state="${state}"`)}))`, state),
  ),
  fields: KIT_STATES.map((state) => field(state, { color: STATES[state].color })),
});

/** Polls of all kits, whichever plugins speak with them. */
function pollsOf(installed: readonly Plugin[]) {
  const ids = installed.filter(({ health }) => health === "kit").map(({ id }) => id);
  const ofKits = `plugin=~"${ids.join("|")}"`;
  return timeseries({
    title: "Polls by outcome",
    description: "Polls of kits a second, and the failed ones among them by kind of failure.",
    ...{ w: 12, h: 8, unit: UNITS.CountsPerSecond },
    queries: [
      prom(`sum(${rate("gleaner_job_runs_total", ofKits)})`, "all"),
      prom(orNone("kind", `sum by (kind) (${rate("gleaner_job_failures_total", ofKits)})`), "failed: {{kind}}"),
    ],
  });
}

/** Every kit at a glance: which of them need somebody, and what they hear. */
export const fleet = (installed: readonly Plugin[]): Definition => ({
  uid: UIDS.fleet,
  title: "gleaner / Fleet",
  description: "Every kit at a glance: which of them need somebody, and what they hear.",
  range: "1h",
  variables: BOTH,
  annotations: [transitions(`kind <> 'target' and ${NEWS}`)],
  tiles: [byState, ...sightings, stored, kits, places, timeline, alertList({ w: 6, h: 10 })],
  folded: [{ title: "Over time", tiles: [overTime, pollsOf(installed)] }],
});
