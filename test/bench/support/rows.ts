import { collectRows, type TableRows } from "../../../src/store/rows.ts";

export type { TableRows };

const T0 = Date.parse("2026-03-01T00:00:00Z");

/** n rows of drones as kits send them: 22 columns with a value, each key once. */
export function droneRows(n: number, kits = 100): TableRows {
  const rows = collectRows();
  for (let i = 0; i < n; i++)
    rows.add("drones", {
      time: T0 + Math.floor(i / (20 * kits)) * 5_000 + (i % 5_000),
      kit_id: `kit-${String(Math.floor(i / 20) % kits).padStart(3, "0")}`,
      drone_id: `drone-F6Q8D${i % 20}-${Math.floor(i / (20 * kits))}`,
      ...{ lat: 42.3 + (i % 997) / 1e4, lon: -71.1 + (i % 991) / 1e4, alt: 80 + (i % 61), speed: (i % 23) / 2 },
      ...{ heading: i % 360, vspeed: ((i % 7) - 3) / 2, height: i % 120, direction: i % 360 },
      ...{ pilot_lat: 42.31, pilot_lon: -71.09, home_lat: 42.31, home_lon: -71.09, freq_mhz: 5_756.5 },
      ...{ rssi: -40 - (i % 50), op_status: "Airborne", id_type: "Serial Number (ANSI/CTA-2063-A)", mac: "" },
      ...{ ua_type: "2", operator_id: "", track_type: "drone", description: "DJI O4 (Decrypted)" },
    });
  return rows.tables()[0] as TableRows;
}

/** n samples of 500 series. */
export function sampleRows(n: number): TableRows {
  const rows = collectRows();
  for (let i = 0; i < n; i++)
    rows.add("samples", { series_id: 1 + (i % 500), time: T0 + Math.floor(i / 500) * 1_000, value: Math.sin(i) * 1e3 });
  return rows.tables()[0] as TableRows;
}
