// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import { bin, TO } from "./tiers.ts";
import { numeric, quoted } from "./variables.ts";

/** Only kits of interest. */
export const OF_KITS = `kit_id in (${quoted("kit")})`;

/**
 * Rows of drones and signals are many: what looks at each of them reads a day at most, the last of the time range.
 * Longer courses come from the roll-ups.
 */
export const LAST_DAY = `$__timeFilter(time) and time > ${TO} - interval '1 day'`;

/** Seen this recently, a track is active. */
export const ACTIVE = `${TO} - interval '5 minutes'`;

/** The reader's own time zone, as Grafana tells it; an older Grafana that does not leaves the variable as it is. */
const ZONE = "case when '${__timezone}' ~ '^[A-Za-z]' then '${__timezone}' else 'UTC' end";

/** Whether a time is at night: from and until which hour, the reader chose. */
const isNight = (time: string): string => {
  const hour = `extract(hour from ${time} at time zone ${ZONE})`;
  const [from, until] = [numeric("night_from"), numeric("night_until")];
  return `case when ${from} > ${until} then ${hour} >= ${from} or ${hour} < ${until}
                      else ${hour} >= ${from} and ${hour} < ${until} end`;
};

/** A track that was away longer than this and comes again is a visitor for another time. */
const VISIT_GAP = "interval '10 minutes'";

/** Ids that many drones have: undecoded ones, and radios whose network id is a factory setting. They tell of no one drone. */
const SHARED_IDS = "drone_id = 'drone-alert' or drone_id like 'drone-900FHSS-NETID-%'";

/** Height above ground where it is told, which 0 does not; else above the ellipsoid. */
export const HEIGHT = "coalesce(nullif(height, 0), alt)";

/**
 * `tracks`: one row a drone and aircraft of the last day. Minutes first, so that visits and nights are counted over
 * some thousand rows and not over all.
 */
export const TRACKS = `
  with minutes as materialized (
    select drone_id, kit_id, ${bin("time", "interval '1 minute'")} as minute, min(time) as first_seen, max(time) as last_seen,
           max(track_type) as track_type, max(${HEIGHT}) as height, max(speed) as speed, max(nullif(operator_id, '')) as operator,
           max(coalesce(rid_model, nullif(description, ''), flight, ua_type_name)) as what,
           bool_or(pilot_lat is not null) as has_pilot
    from drones
    where ${LAST_DAY} and ${OF_KITS}
    group by 1, 2, 3),
  visits as (
    select *, minute - lag(minute) over (partition by drone_id order by minute) > ${VISIT_GAP} as is_again from minutes),
  tracks as materialized (
    select drone_id, max(track_type) as track_type, max(what) as what, max(operator) as operator,
           min(first_seen) as first_seen, max(last_seen) as last_seen, max(height) as height, max(speed) as speed,
           bool_or(has_pilot) as has_pilot, count(distinct kit_id) as kits, 1 + count(*) filter (where is_again) as visits,
           bool_or(${isNight("minute")}) as at_night, ${SHARED_IDS} as is_shared
    from visits group by drone_id)`;

/** Over the limits that the reader chose. */
export const TOO_HIGH = `height > ${numeric("altitude_limit")}`;
export const TOO_FAST = `speed > ${numeric("speed_limit")}`;

/** The band of a frequency in MHz, as SQL. */
export const band = (mhz: string): string => `
         case when ${mhz} between 430 and 440 then '433 MHz' when ${mhz} between 863 and 870 then '868 MHz'
              when ${mhz} between 902 and 928 then '915 MHz' when ${mhz} between 1160 and 1360 then '1.2 GHz'
              when ${mhz} between 2400 and 2500 then '2.4 GHz' when ${mhz} between 3100 and 3600 then '3.3 GHz'
              when ${mhz} between 4900 and 6100 then '5.8 GHz' else 'other' end`;
