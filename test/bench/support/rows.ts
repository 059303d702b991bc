import { collectRows, type TableRows } from "../../../src/store/rows.ts";
import type { TakenBatch } from "../../../src/store/taken.ts";

const T0 = Date.parse("2026-03-01T00:00:00Z");
const PERIOD_MS = 5_000;

/** Rows of a poll of a kit, and of a run of a plugin. */
const ROWS_PER_BATCH = 20;
const TARGETS = 100;

/** Rows as they are handed to a store, and what tells how many they are. */
export interface Rows {
  readonly table: "drones" | "samples";
  readonly batches: readonly TakenBatch[];
  readonly count: number;
}

/** n rows of drones as kits send them, 22 columns with a value beside the kit's id, the time and the time of receipt. */
export function drones(n: number): Rows {
  return make("drones", n, (k, each) => ({
    ...{ targetId: `kit-${String(k % TARGETS).padStart(3, "0")}`, pluginId: "dragonsync", job: "drones", samples: [] },
    rows: each((i) => ({ table: "drones", at: startOf(k) + (i % ROWS_PER_BATCH), values: drone(i) })),
  }));
}

const drone = (i: number) => ({
  drone_id: `drone-F6Q8D${i % ROWS_PER_BATCH}-${Math.floor(i / (ROWS_PER_BATCH * TARGETS))}`,
  ...{ lat: 42.3 + (i % 997) / 1e4, lon: -71.1 + (i % 991) / 1e4, alt: 80 + (i % 61), speed: (i % 23) / 2 },
  ...{ heading: i % 360, vspeed: ((i % 7) - 3) / 2, height: i % 120, direction: i % 360 },
  ...{ pilot_lat: 42.31, pilot_lon: -71.09, home_lat: 42.31, home_lon: -71.09, freq_mhz: 5_756.5 },
  ...{ rssi: -40 - (i % 50), op_status: "Airborne", id_type: "Serial Number (ANSI/CTA-2063-A)", mac: "" },
  ...{ ua_type: "2", operator_id: "", track_type: "drone", description: "DJI O4 (Decrypted)" },
});

/** n samples of 2,000 series with a label each. */
export function samples(n: number): Rows {
  return make("samples", n, (k, each) => ({
    ...{ targetId: `host-${k % TARGETS}`, pluginId: "bench", job: "main", rows: [] },
    samples: each((i) => ({
      ...{ metric: `bench_value_${i % 4}`, labels: { sensor: `sensor-${(i % ROWS_PER_BATCH) >> 2}` } },
      value: Math.sin(i) * 1e3,
    })),
  }));
}

const startOf = (k: number) => T0 + Math.floor(k / TARGETS) * PERIOD_MS + (k % TARGETS);

type Parts = Pick<TakenBatch, "targetId" | "pluginId" | "job" | "samples" | "rows">;

function make(
  table: Rows["table"],
  n: number,
  parts: (k: number, each: <T>(row: (i: number) => T) => T[]) => Parts,
): Rows {
  const batches = Array.from({ length: n / ROWS_PER_BATCH }, (_, k): TakenBatch => {
    const each = <T>(row: (i: number) => T) =>
      Array.from({ length: ROWS_PER_BATCH }, (_, j) => row(k * ROWS_PER_BATCH + j));
    const outcome = { status: "ok", errorKind: null, message: null, recorded: false } as const;
    const times = { startedAt: startOf(k), finishedAt: startOf(k) + 12, durationMs: 12 };
    return { ...parts(k, each), ...outcome, ...times, attempts: 1, documents: [] };
  });
  return { table, batches, count: batches.length * ROWS_PER_BATCH };
}

/** The first n of the rows. */
export function firstOf({ table, batches }: Rows, n: number): Rows {
  const first = batches.slice(0, n / ROWS_PER_BATCH);
  return { table, batches: first, count: first.length * ROWS_PER_BATCH };
}

/** Groups of so many rows, as a writer hands them over. */
export function groupsOf({ batches }: Rows, size: number): TakenBatch[][] {
  const each = size / ROWS_PER_BATCH;
  return Array.from({ length: Math.ceil(batches.length / each) }, (_, i) => batches.slice(i * each, (i + 1) * each));
}

/** The rows as an engine binds them, for competitors that get them ready-made. Samples get the numbers 1 … 2,000 as series. */
export function readyMade({ table, batches }: Rows): TableRows {
  const rows = collectRows();
  for (const { targetId, finishedAt, startedAt, rows: typed, samples: narrow } of batches) {
    for (const { at, values } of typed)
      rows.add(table, { ...values, time: at, kit_id: targetId, received_at: finishedAt });
    narrow.forEach(({ value }, j) => {
      const series_id = 1 + Number(targetId.split("-")[1]) * ROWS_PER_BATCH + j;
      rows.add(table, { series_id, time: startedAt, value });
    });
  }
  return rows.tables()[0] as TableRows;
}
