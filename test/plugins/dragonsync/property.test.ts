import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CollectError } from "../../../src/model/run.ts";
import type { Collected } from "../../../src/model/sample.ts";
import { DRONE_COLUMNS, HEALTH_COLUMNS, SIGNAL_COLUMNS } from "../../../src/plugins/dragonsync/columns.ts";
import { dragonsync } from "../../../src/plugins/dragonsync.ts";
import { entriesOf, giving, read, rejected } from "./support.ts";

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  drones: DRONE_COLUMNS,
  signals: SIGNAL_COLUMNS,
  system_health: HEALTH_COLUMNS,
};
const INTEGERS = new Set(["runtime", "rssi", "message_index", "kit_updated_epoch"]);
const BOOLEANS = new Set(["rid_lookup_attempted", "rid_lookup_success", "on_ground", "gps_fix"]);
const LOST = ["not_an_object", "no_id", "no_frequency"];

/** Values a kit, or something that answers in its place, may put anywhere. */
const value = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    -0,
    1,
    255,
    361,
    -1000,
    65531,
    1e300,
    5e-324,
    1_795_318_300,
    1.8e12,
    true,
    null,
    "",
    "N/A",
  ),
  fc.constantFrom<unknown>("a\0b", "\ud800", "1e5", "0x10", "x".repeat(600), "drone", "aircraft", [], {}, { a: [1] }),
  fc.double(),
  fc.string({ unit: "binary" }),
  fc.jsonValue({ maxDepth: 3 }),
);
const FIELDS = ["drones", "signals", "status"].flatMap((job) =>
  Object.keys(
    entriesOf(
      {
        drones: "v2head_drones_dji_pilot_home",
        signals: "v2head_signals_fpv_confirm_no_rssi",
        status: "v2head_status_gps_fix",
      }[job] as string,
      job as "drones",
    )[0] ?? {},
  ),
);
const entry = fc.dictionary(
  fc.oneof(
    { arbitrary: fc.constantFrom(...FIELDS, "ground_speed", "track", "hex"), weight: 9 },
    { arbitrary: fc.string(), weight: 1 },
  ),
  value,
  { maxKeys: 12 },
);
const likely = fc
  .tuple(entry, fc.constantFrom("a", "b", "c"), fc.constantFrom(1_795_318_300, 1_795_318_301.5, null))
  .map(([fields, id, at]) => ({ id, uid: id, center_hz: 5e9, last_update_time: at, observed_at: at, ...fields }));
const entries = fc.array(fc.oneof({ arbitrary: likely, weight: 4 }, { arbitrary: entry, weight: 2 }, value), {
  maxLength: 12,
});

/** Fails on a text, key or value, that a jsonb column refuses. */
function assertCleanDeep(json: unknown): void {
  if (typeof json === "string") assert.ok(json.isWellFormed() && !json.includes("\0"), JSON.stringify(json));
  if (typeof json !== "object" || json === null) return;
  for (const [key, inner] of Object.entries(json)) {
    assertCleanDeep(key);
    assertCleanDeep(inner);
  }
}

/** Fails unless every row would be taken by every database's table. */
function assertStorable(collected: Collected): void {
  for (const { table, at, values } of collected.rows ?? []) {
    assert.ok(Number.isFinite(at.getTime()));
    assert.deepEqual(Object.keys(values).sort(), [...(COLUMNS[table] ?? [])].sort());
    for (const [column, cell] of Object.entries(values)) {
      if (cell === null) continue;
      if (INTEGERS.has(column))
        assert.ok(Number.isInteger(cell) && Math.abs(cell as number) < 2 ** 33, `${column} ${cell}`);
      if (BOOLEANS.has(column)) assert.equal(typeof cell, "boolean", column);
      if (column.endsWith("_percent")) assert.ok(Number(cell) >= 0 && Number(cell) <= 100, `${column} ${cell}`);
      if (cell instanceof Date) assert.ok(Number.isFinite(cell.getTime()), column);
      else if (typeof cell === "number") assert.ok(Number.isFinite(cell), `${column} ${cell}`);
      else if (typeof cell === "string") {
        assert.ok(cell.isWellFormed() && !cell.includes("\0"), column);
        assert.ok(cell.length <= (column === "extra" ? 16_384 : 512), column);
      }
    }
    if (values["extra"] !== null) assertCleanDeep(JSON.parse(String(values["extra"])));
  }
  const metrics = dragonsync.metrics as Readonly<Record<string, { labels?: readonly string[] }>>;
  for (const { metric, value: measured, labels } of collected.samples) {
    assert.ok(Number.isFinite(measured));
    assert.deepEqual(Object.keys(labels ?? {}), metrics[metric]?.labels ?? []);
  }
}

describe("whatever a kit answers", () => {
  it("any JSON is either read or refused as a CollectError", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("drones", "signals", "status", "about"), fc.jsonValue(), async (job, body) => {
        try {
          assertStorable(await read(job as "drones", JSON.stringify(body)));
        } catch (error) {
          if (!(error instanceof CollectError)) throw error;
          assert.equal(error.kind, "bad_data");
        }
      }),
      { numRuns: 300 },
    );
  });

  it("any bytes are either read or refused as a CollectError", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc.string().map((text) => Buffer.from(`{"drones":[${text}]}`)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (body) => {
        await read("drones", "", { http: giving(body) }).catch((error) =>
          assert.ok(error instanceof CollectError, error),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("rows = offered - rejected - unchanged, each as its table takes it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("drones" as const, "signals" as const), entries, async (job, offered) => {
        const state = new Map<string, unknown>();
        const body = JSON.stringify({ [job]: offered });
        const first = await read(job, body, { state });
        assertStorable(first);
        const counted = rejected(first);
        const lost = LOST.reduce((sum, reason) => sum + (counted[reason] ?? 0), 0);
        const usable = first.samples.reduce((sum, one) => sum + one.value, 0);
        assert.equal(usable, offered.length - lost);
        // Within one answer, unchanged is what has the key of an earlier entry.
        const keys = (first.rows ?? []).map(
          (row) =>
            `${row.at.getTime()} ${row.values["drone_id"] ?? ""} ${row.values["uid"] ?? ""} ${row.values["freq_mhz"] ?? ""}`,
        );
        assert.ok((first.rows?.length ?? 0) <= usable);
        if (new Set(keys).size === usable) assert.equal(first.rows?.length, usable);
        const stored = new Set(keys);
        const second = await read(job, body, { state });
        for (const row of second.rows ?? []) {
          const key = `${row.at.getTime()} ${row.values["drone_id"] ?? ""} ${row.values["uid"] ?? ""} ${row.values["freq_mhz"] ?? ""}`;
          assert.ok(stored.has(key), "a row that the first answer did not give");
        }
      }),
      { numRuns: 400 },
    );
  });

  it("no key is ever lost to the skip, over any sequence of answers", async () => {
    const track = fc.record({
      id: fc.constantFrom("a", "b", "c"),
      last_update_time: fc.constantFrom(1.79e9, 1.791e9, 1.792e9),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(track, { maxLength: 5 }), { maxLength: 8 }), async (polls) => {
        const state = new Map<string, unknown>();
        const offered = new Set<string>();
        const given = new Set<string>();
        for (const drones of polls) {
          for (const { id, last_update_time } of drones) offered.add(`${id} ${last_update_time * 1_000}`);
          const { rows } = await read("drones", { drones }, { state });
          for (const row of rows ?? []) given.add(`${row.values["drone_id"]} ${row.at.getTime()}`);
        }
        assert.deepEqual([...given].sort(), [...offered].sort());
      }),
      { numRuns: 200 },
    );
  });
});
