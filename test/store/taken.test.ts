import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeGroup, encodeGroup } from "../../src/store/taken.ts";
import { after, batch, T0 } from "./make.ts";

describe("a batch as plain data", () => {
  const values = { drone_id: "d", lat: 54.5, op_status: null, observed_at: after(-500), extra: '{"a":1}' };
  const taken = batch({ target: "k", rows: [{ table: "drones", at: T0, values }] });

  it("has its times as numbers, and leaves what it was made from as it is", () => {
    assert.deepEqual(taken.rows, [
      { table: "drones", at: T0.getTime(), values: { ...values, observed_at: after(-500).getTime() } },
    ]);
    assert.deepEqual(values.observed_at, after(-500));
  });

  it("comes back from the spool as it went in", () => {
    const group = { batches: [taken], events: [] };
    assert.deepEqual(decodeGroup(encodeGroup(group)), group);
  });
});
