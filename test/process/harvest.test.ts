import assert from "node:assert/strict";
import { test } from "node:test";
import type { Document, Row } from "../../src/model/sample.ts";
import { soundHarvest } from "../../src/process/harvest.ts";

const at = new Date("2026-03-01T12:00:00.000Z");
const row: Row = { table: "drones", at, values: { kit_id: "kit-001" } };
const document: Document = { name: "config", body: { gain: 3 } };

test("rows and documents that are none are counted, and cost no other", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  const odd = [null, 7, {}, { ...row, at: "2026" }, { ...row, at: new Date(Number.NaN) }, { ...row, values: null }];
  const texts = [{ name: 7, body: 1 }, { name: "big", body: 1n }, { name: "cycle", body: cycle }, undefined];
  const found = soundHarvest({ rows: [...odd, row] as Row[], documents: [document, ...texts] as Document[] });
  assert.deepEqual(found.rows, [row]);
  assert.deepEqual(found.documents, [document]);
  assert.deepEqual(
    found.rejected.map(({ reason, count }) => [reason, count]),
    [
      ["bad_row", odd.length],
      ["bad_document", texts.length],
    ],
  );
});

test("a run has a bounded number of rows, and a document a bounded length", () => {
  const many = soundHarvest({ rows: Array.from({ length: 100_007 }, () => row) });
  assert.equal(many.rows.length, 100_000);
  assert.deepEqual(
    many.rejected.map(({ reason, count }) => [reason, count]),
    [["too_many_rows", 7]],
  );
  const long = soundHarvest({ documents: [{ name: "long", body: "x".repeat(8 * 1024 * 1024) }] });
  assert.deepEqual([long.documents.length, long.rejected[0]?.reason], [0, "bad_document"]);
});

test("nothing comes of nothing", () => {
  assert.deepEqual(soundHarvest({}), { rows: [], documents: [], rejected: [] });
});
