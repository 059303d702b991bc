import { dedent } from "./queries.ts";

/** One of the places that a figure over time can come from. */
interface Part {
  readonly table: string;
  /** The table with what is joined to it; itself when absent. */
  readonly from?: string;
  readonly time: string;
  /** An aggregate for each of the values. */
  readonly values: readonly string[];
  readonly where?: string;
}

/** The same figures from rows, from hours and from days. */
export interface Tiers {
  readonly raw: Part;
  readonly hourly: Part;
  readonly daily: Part;
  /** What each value is called, and how two of them for one point become one: where one part ends and another begins. */
  readonly values: Readonly<Record<string, "sum" | "avg" | "min" | "max">>;
  /** SQL for the name of a series, when there are several. */
  readonly name?: string;
}

/** Bounds of the time range. */
export const FROM = "$__timeFrom()::timestamptz";
export const TO = "$__timeTo()::timestamptz";

/** Width of a point that the panel asks for. */
const STEP = "$__interval_ms * interval '1 millisecond'";

/** The start of the point that a time falls into; the same on PostgreSQL and TimescaleDB. */
export const bin = (time: string, width = STEP): string => `date_bin(${width}, ${time}, 'epoch'::timestamptz)`;

/** As a subquery each: a value that is known before the rows are looked for, so that indexes and chunks are chosen by it. */
const bound = (name: "days_end" | "hours_end" | "width"): string => `(select ${name} from bounds)`;

/** Divides a count of a point into a count an hour, in a part of `tiered`. */
export const PER_HOUR = `/ (extract(epoch from ${bound("width")}) / 3600)::double precision`;

/** Ranges longer than this are read from hours, and from days. */
const HOURS_FROM = "interval '2 days'";
const DAYS_FROM = "interval '60 days'";

/**
 * SQL that reads the coarsest roll-up that the time range asks for, and finer ones only for what is not rolled up yet:
 * hours after the last day, rows after the last hour. Parts that a range does not need have empty bounds and cost nothing.
 */
export function tiered({ raw, hourly, daily, values, name }: Tiers): string {
  const range = `${TO} - ${FROM}`;
  const ended = ({ table }: Part, width: string) =>
    `coalesce((select max(bucket) + interval '${width}' from ${table}), ${FROM})`;
  const merged = Object.entries(values).map(([column, merge]) => `${merge}("${column}") as "${column}"`);
  const part = (source: Part, lower: string, upper: string | null) =>
    partOf(source, { names: Object.keys(values), name, lower, upper });
  return [
    dedent(`
      with days as materialized (
        select case when ${range} > ${DAYS_FROM} then ${ended(daily, "1 day")} else ${FROM} end as ended),
      bounds as materialized (
        select ended as days_end,
               case when ${range} > ${HOURS_FROM} then greatest(ended, ${ended(hourly, "1 hour")}) else ended end as hours_end,
               greatest(${STEP}, case when ${range} > ${DAYS_FROM} then interval '24 hours'
                                      when ${range} > ${HOURS_FROM} then interval '1 hour' else interval '0' end) as width
        from days)`),
    `select time, ${name === undefined ? "" : "metric, "}${merged.join(", ")}\nfrom (`,
    part(daily, FROM, bound("days_end")),
    "union all",
    part(hourly, bound("days_end"), bound("hours_end")),
    "union all",
    part(raw, bound("hours_end"), null),
    `) as parts\ngroup by ${name === undefined ? "1" : "1, 2"} order by 1`,
  ].join("\n");
}

interface Within {
  readonly names: readonly string[];
  readonly name: string | undefined;
  readonly lower: string;
  readonly upper: string | null;
}

function partOf({ table, from = table, time, values, where }: Part, { names, name, lower, upper }: Within): string {
  const columns = names.map((column, index) => `${values[index]} as "${column}"`);
  const conditions = [
    `$__timeFilter(${time})`,
    ...(where === undefined ? [] : [where]),
    `${time} >= ${lower}`,
    // The second half knows without a row that a short range has no such part.
    ...(upper === null ? [] : [`${time} < ${upper}`, `${lower} < ${upper}`]),
  ];
  return dedent(`
    select ${bin(time, bound("width"))} as time, ${name === undefined ? "" : `${name} as metric, `}${columns.join(", ")}
    from ${from}
    where ${conditions.join(" and ")}
    group by ${name === undefined ? "1" : "1, 2"}`);
}
