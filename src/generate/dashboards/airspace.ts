// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import { ACTIVE, band, HEIGHT, LAST_DAY, OF_KITS, TOO_FAST, TOO_HIGH, TRACKS } from "./airspace-sql.ts";
import { NEWS, transitions } from "./annotations.ts";
import type { Definition } from "./assemble.ts";
import { bars, stat, table, timeseries } from "./kinds.ts";
import { link, UIDS } from "./links.ts";
import { map } from "./maps.ts";
import { field, NEUTRAL, NONE_WELCOME } from "./panels.ts";
import { metric, most, prom, rows, series } from "./queries.ts";
import { words } from "./states.ts";
import { bin, tiered } from "./tiers.ts";
import { UNITS } from "./units.ts";
import { BOTH, choice, KITS_OF_INTEREST, numeric } from "./variables.ts";

const toKit = link("Open the kit", UIDS.airspace, UIDS.kit, { kit: "${__data.fields.Kit}" });
const DRONES = 'kit=~"$kit", track_type="drone"';
const WARNED = ["Above the altitude limit", "Above the speed limit", "At night", "Seen by several kits", "Came again"];

const summary = stat({
  title: "Airspace",
  description:
    "Active: seen in the last five minutes of the time range. Everything else: drones of its last day. What several kits saw, and what came again after ten minutes, leaves out ids that many drones share.",
  ...{ w: 24, h: 4, named: true, unit: UNITS.Short, decimals: 0, thresholds: NEUTRAL },
  queries: [
    rows(`${TRACKS}
      select count(*) filter (where track_type = 'drone' and last_seen > ${ACTIVE}) as "Active drones",
             count(*) filter (where track_type = 'aircraft' and last_seen > ${ACTIVE}) as "Active aircraft",
             count(*) filter (where track_type = 'drone') as "Drones in a day",
             count(distinct operator) as "Operators",
             count(*) filter (where track_type = 'drone' and ${TOO_HIGH}) as "${WARNED[0]}",
             count(*) filter (where track_type = 'drone' and ${TOO_FAST}) as "${WARNED[1]}",
             count(*) filter (where track_type = 'drone' and at_night) as "${WARNED[2]}",
             count(*) filter (where track_type = 'drone' and kits > 1 and not is_shared) as "${WARNED[3]}",
             count(*) filter (where track_type = 'drone' and visits > 1 and not is_shared) as "${WARNED[4]}"
      from tracks`),
  ],
  fields: WARNED.slice(0, 3).map((name) => field(name, { thresholds: NONE_WELCOME })),
});

const places = map({
  title: "Active tracks",
  description:
    "Drones and aircraft of the last five minutes of the time range, each at its last position, and pilots where they are broadcast. Needs the internet for the map itself.",
  ...{ w: 8, h: 10 },
  queries: ["drone", "aircraft"].map((type) =>
    rows(`
      select distinct on (drone_id) drone_id as "Track", kit_id as "Kit", time as "Seen", lat, lon,
             alt as "Altitude", speed as "Speed", coalesce(flight, operator_id) as "Flight or operator"
      from drones
      where $__timeFilter(time) and time > ${ACTIVE} and track_type = '${type}' and lat is not null and ${OF_KITS}
      order by drone_id, time desc limit 1000`),
  ),
  layers: [
    { name: "Drones", query: "A", color: "purple", size: 6, symbol: "triangle" },
    { name: "Aircraft", query: "B", color: "blue", label: "Flight or operator", size: 5, symbol: "circle" },
  ],
  fields: [
    field("Altitude", { unit: UNITS.Meter, decimals: 0 }),
    field("Speed", { unit: UNITS.MetersPerSecond, decimals: 1 }),
    field("Kit", { links: [toKit] }),
  ],
});

const FLAG = words({ true: { text: "yes", color: "yellow" }, false: { text: "no", color: "text" } });

const drones = table({
  title: "Drones",
  description:
    "Every drone of the last day of the time range, the last seen first: first and last seen, operator, the highest and fastest it was, and what is odd about it. Heights are above ground where it tells them.",
  ...{ w: 16, h: 10, sortBy: "Last seen", descending: true },
  queries: [
    rows(`${TRACKS}
      select drone_id as "Drone", what as "What", operator as "Operator", first_seen as "First seen", last_seen as "Last seen",
             height as "Highest", speed as "Fastest", has_pilot as "Pilot known", at_night as "At night",
             kits as "Kits", visits as "Visits"
      from tracks where track_type = 'drone' order by last_seen desc limit 500`),
  ],
  fields: [
    field("Highest", { unit: UNITS.Meter, decimals: 0, width: 80 }),
    field("Fastest", { unit: UNITS.MetersPerSecond, decimals: 0, width: 80 }),
    field(/^(Pilot known|At night)$/, { mappings: [FLAG], width: 90 }),
    field(/^(Kits|Visits)$/, { decimals: 0, width: 60 }),
  ],
});

/** The highest or fastest drone over time beside the limit. */
function againstLimit(what: { title: string; value: string; limit: string; unit: string; description: string }) {
  const { title, value, limit, unit, description } = what;
  return timeseries({
    ...{ title, description, w: 6, h: 7, unit, decimals: 0, interval: "15s" },
    queries: [
      series(`
        select ${bin("time")} as time, max(${value}) as "highest", avg(${value}) as "mean", ${numeric(limit)} as "limit"
        from drones
        where ${LAST_DAY} and ${OF_KITS} and track_type = 'drone' and ${value} is not null
        group by 1 order by 1`),
    ],
    fields: [field("limit", { color: "red", bare: true })],
  });
}

const altitude = againstLimit({
  title: "Altitude of drones",
  ...{ value: HEIGHT, limit: "altitude_limit", unit: UNITS.Meter },
  description:
    "Height above ground where a drone tells it, else above the ellipsoid: the highest, the mean, and the limit chosen above.",
});

const speed = againstLimit({
  title: "Speed of drones",
  ...{ value: "speed", limit: "speed_limit", unit: UNITS.MetersPerSecond },
  description: "The fastest, the mean, and the limit chosen above.",
});

const bands = timeseries({
  title: "Signals by band",
  description: "Observations of video and telemetry signals in each interval, by frequency band.",
  ...{ w: 6, h: 7, unit: UNITS.Short, decimals: 0, bars: true, stacked: true, interval: "1m" },
  queries: [
    series(`
      select ${bin("time")} as time, ${band("freq_mhz")} as metric, count(*) as signals
      from signals
      where ${LAST_DAY} and ${OF_KITS}
      group by 1, 2 order by 1`),
  ],
});

const frequencies = bars({
  title: "Frequencies in use",
  description:
    "The ten frequencies with the most observations, of drones and of signals, in the last day of the time range.",
  ...{ w: 6, h: 7, unit: UNITS.Short, decimals: 0, min: 0, thresholds: NEUTRAL },
  queries: [
    rows(`
      select round(freq_mhz) || ' MHz' as frequency, count(*) as observations
      from (select freq_mhz from signals where ${LAST_DAY} and ${OF_KITS}
            union all
            select freq_mhz from drones where ${LAST_DAY} and ${OF_KITS} and freq_mhz is not null) as heard
      group by 1 order by 2 desc limit 10`),
  ],
  transformations: [{ id: "rowsToFields", options: { mappings: [] } }],
});

/** Distinct tracks a point; a roll-up has them for each kit, and what several kits heard counts for each. */
function unique(tier: string) {
  const values = ["unique_drones_rid", "unique_aircraft_adsb"].map((column) => `sum(${column})::double precision`);
  return { table: `drones_${tier}`, time: "bucket", where: OF_KITS, values };
}

const busy = timeseries({
  title: "Drones and aircraft over time",
  description:
    "How many different ones each kit saw in each interval, summed over the kits: hours and days for long ranges. The place to look for weekly habits.",
  ...{ w: 24, h: 8, unit: UNITS.Short, decimals: 0, bars: true, interval: "1m" },
  queries: [
    series(
      tiered({
        values: { drones: "max", aircraft: "max" },
        raw: {
          ...{ table: "drones", time: "time", where: OF_KITS },
          values: ["drone", "aircraft"].map(
            (type) =>
              `count(distinct case when track_type = '${type}' then kit_id || ' ' || drone_id end)::double precision`,
          ),
        },
        hourly: unique("hourly"),
        daily: unique("daily"),
      }),
    ),
  ],
});

const listed = timeseries({
  title: "Drones listed by each kit",
  description: "How many drones each kit lists, of the twelve kits that had the most at one time.",
  ...{ w: 24, h: 8, unit: UNITS.Short, decimals: 0, calcs: ["lastNotNull", "max"], placement: "right" },
  queries: [
    prom(
      most(
        12,
        `max by (kit) (${metric("gleaner_kit_drones", DRONES)})`,
        `max by (kit) (max_over_time(${metric("gleaner_kit_drones", DRONES)}[$__range] @ end()))`,
      ),
      "{{kit}}",
    ),
  ],
  links: [link("Open the kit", UIDS.airspace, UIDS.kit, { kit: "${__field.labels.kit}" })],
});

const aircraft = table({
  title: "Aircraft",
  description: "Every aircraft of the last day of the time range, by its ADS-B, the last seen first.",
  ...{ w: 12, h: 9, sortBy: "Last seen", descending: true },
  queries: [
    rows(`${TRACKS}
      select drone_id as "Aircraft", what as "Flight", first_seen as "First seen", last_seen as "Last seen",
             height as "Highest", speed as "Fastest", kits as "Kits"
      from tracks where track_type = 'aircraft' order by last_seen desc limit 500`),
  ],
  fields: [
    field("Highest", { unit: UNITS.Meter, decimals: 0 }),
    field("Fastest", { unit: UNITS.MetersPerSecond, decimals: 0 }),
  ],
});

const operators = table({
  title: "Operators and pilots",
  description:
    "Who flew, in the last day of the time range: operators with their drones, and where the pilot last stood.",
  ...{ w: 12, h: 9, sortBy: "Last seen", descending: true },
  queries: [
    rows(`
      select coalesce(nullif(operator_id, ''), '(not told)') as "Operator", string_agg(distinct drone_id, ', ') as "Drones",
             min(time) as "First seen", max(time) as "Last seen",
             (array_agg(pilot_lat order by time desc) filter (where pilot_lat is not null))[1] as "Pilot's latitude",
             (array_agg(pilot_lon order by time desc) filter (where pilot_lat is not null))[1] as "Pilot's longitude"
      from drones
      where ${LAST_DAY} and ${OF_KITS} and (nullif(operator_id, '') is not null or pilot_lat is not null)
      group by coalesce(nullif(operator_id, ''), '(not told)'), case when nullif(operator_id, '') is null then drone_id end
      order by max(time) desc limit 500`),
  ],
  fields: [field(/^Pilot's/, { decimals: 5 })],
});

/** Who is in the air, who flew, and whether they kept to the rules. */
export const airspace: Definition = {
  uid: UIDS.airspace,
  title: "gleaner / Airspace",
  description: "Who is in the air, who flew, and whether they kept to the rules.",
  range: "3h",
  refresh: "1m",
  variables: [
    ...BOTH,
    KITS_OF_INTEREST,
    choice(
      "altitude_limit",
      "Altitude limit (m)",
      "Drones above this height are pointed out.",
      [120, 30, 50, 90, 150, 300],
    ),
    choice("speed_limit", "Speed limit (m/s)", "Drones faster than this are pointed out.", [19, 5, 12, 28, 40]),
    choice(
      "night_from",
      "Night from (hour)",
      "In your own time zone, which is set at the time range.",
      [22, 18, 19, 20, 21, 23],
    ),
    choice(
      "night_until",
      "Night until (hour)",
      "In your own time zone, which is set at the time range.",
      [6, 4, 5, 7, 8],
    ),
  ],
  annotations: [transitions(`kind <> 'target' and ${NEWS}`)],
  tiles: [summary, places, drones, altitude, speed, bands, frequencies],
  folded: [{ title: "Over time, aircraft, operators", tiles: [listed, busy, aircraft, operators] }],
};
