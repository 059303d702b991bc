import assert from "node:assert/strict";
import { it } from "node:test";
import { ratioOf } from "../../../src/plugins/client/mapping.ts";

it("a share is told where part and whole are, and the whole is something", () => {
  const of = (samples: Readonly<Record<string, number>>) =>
    ratioOf(
      Object.entries(samples).map(([metric, value]) => ({ metric, value })),
      ...(["ratio", "part", "whole"] as const),
    );
  assert.deepEqual(of({ part: 1, whole: 4, other: 9 }), [{ metric: "ratio", value: 0.25 }]);
  assert.deepEqual(of({ part: 0, whole: 4 }), [{ metric: "ratio", value: 0 }]);
  assert.deepEqual(of({}), []);
  assert.deepEqual(of({ part: 1 }), []);
  assert.deepEqual(of({ whole: 4 }), []);
  assert.deepEqual(of({ part: 1, whole: 0 }), []);
  assert.deepEqual(of({ part: 0, whole: 0 }), []);
  assert.deepEqual(of({ part: 1, whole: 5e-324 }), [], "not even where the quotient is beyond all numbers");
});
