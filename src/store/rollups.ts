/**
 * Roll-ups as data: what migration 0002 creates, as continuous aggregates on TimescaleDB and as tables elsewhere,
 * and what retention.ts fills where they are tables. Never edit an entry: a change is a migration of its own.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How two values of a column for one bucket become one, when rows arrive after the bucket's raw rows are gone. */
export type Merge = "sum" | "min" | "max" | "mean";

export interface RollupColumn {
  /** Aggregate over the raw rows of one bucket; portable SQL. */
  readonly aggregate: string;
  readonly type: "double" | "bigint";
  /** `mean` weighs by the roll-up's `count`; `max` of distinct counts is a lower bound, the best there is without the rows. */
  readonly merge: Merge;
}

export interface Rollup {
  readonly name: string;
  readonly source: "drones" | "signals" | "system_health" | "samples";
  /** Width of a bucket (ms). */
  readonly width: number;
  /** What rows are grouped by beside the bucket, and its type. */
  readonly entity: "kit_id" | "series_id";
  /** Name of the column that counts rows. */
  readonly count: string;
  readonly columns: Readonly<Record<string, RollupColumn>>;
  /** On TimescaleDB: aggregates of a continuous aggregate below this one, where they give the same values. */
  readonly hierarchical?: { readonly from: string; readonly aggregates: Readonly<Record<string, string>> };
}

const stat = (name: "min" | "max", column: string): RollupColumn => ({
  aggregate: `${name}(${column})`,
  type: "double",
  merge: name,
});
// PostgreSQL squares what it averages: one 1e308 among the rows of a bucket is an error, and would stop a roll-up for good.
const mean = (column: string): RollupColumn => ({
  aggregate: `avg(case when abs(${column}) < 1e150 then ${column} end)`,
  type: "double",
  merge: "mean",
});
const rows: RollupColumn = { aggregate: "count(*)", type: "bigint", merge: "sum" };
const distinct = (expression: string): RollupColumn => ({
  aggregate: `count(distinct ${expression})`,
  type: "bigint",
  merge: "max",
});

const DRONES = {
  source: "drones",
  entity: "kit_id",
  count: "total_detections",
  columns: {
    unique_drones: distinct("drone_id"),
    total_detections: rows,
    avg_altitude: mean("alt"),
    max_altitude: stat("max", "alt"),
    avg_speed: mean("speed"),
    max_speed: stat("max", "speed"),
    unique_drones_rid: distinct("case when track_type = 'drone' then drone_id end"),
    unique_aircraft_adsb: distinct("case when track_type = 'aircraft' then drone_id end"),
  },
} as const;

const SIGNALS = {
  source: "signals",
  entity: "kit_id",
  count: "total_detections",
  columns: {
    total_detections: rows,
    unique_frequencies: distinct("freq_mhz"),
    avg_power: mean("power_dbm"),
    max_power: stat("max", "power_dbm"),
    min_power: stat("min", "power_dbm"),
  },
} as const;

const SYSTEM_HEALTH = {
  source: "system_health",
  entity: "kit_id",
  count: "count",
  columns: {
    count: rows,
    avg_cpu_percent: mean("cpu_percent"),
    max_cpu_percent: stat("max", "cpu_percent"),
    avg_memory_percent: mean("memory_percent"),
    max_memory_percent: stat("max", "memory_percent"),
    avg_disk_percent: mean("disk_percent"),
    max_disk_percent: stat("max", "disk_percent"),
    avg_temp_cpu: mean("temp_cpu"),
    max_temp_cpu: stat("max", "temp_cpu"),
  },
} as const;

const SAMPLES = {
  source: "samples",
  entity: "series_id",
  count: "count",
  columns: {
    avg: mean("value"),
    min: stat("min", "value"),
    max: stat("max", "value"),
    // Values, not rows: the mean of a day is then the weighted mean of its hours.
    count: { aggregate: "count(value)", type: "bigint", merge: "sum" },
  },
} as const;

/** Daily roll-ups read raw rows: distinct counts, and means over columns with gaps, cannot be had from hours. Samples can. */
export const ROLLUPS: readonly Rollup[] = [
  { ...DRONES, name: "drones_hourly", width: HOUR },
  { ...DRONES, name: "drones_daily", width: DAY },
  { ...SIGNALS, name: "signals_hourly", width: HOUR },
  { ...SIGNALS, name: "signals_daily", width: DAY },
  { ...SYSTEM_HEALTH, name: "system_health_hourly", width: HOUR },
  { ...SYSTEM_HEALTH, name: "system_health_daily", width: DAY },
  { ...SAMPLES, name: "samples_hourly", width: HOUR },
  {
    ...SAMPLES,
    name: "samples_daily",
    width: DAY,
    hierarchical: {
      from: "samples_hourly",
      aggregates: {
        avg: "sum(avg * count) / nullif(sum(count), 0)",
        min: "min(min)",
        max: "max(max)",
        count: "sum(count)::bigint",
      },
    },
  },
];
