import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createPending } from "../../src/store/pending.ts";
import { type Group, rowsIn, rowsOnly, toTakenEvent } from "../../src/store/taken.ts";
import { T0 } from "./make.ts";

const batch = (rows: number) => rowsOnly(Array(rows).fill({ table: "drones", at: T0, values: {} }), 0);
const event = (id: string) =>
  toTakenEvent({ at: T0, kind: "kit", id, from: "a", to: "b", severity: "info", details: "" });
const sizes = ({ batches }: Group) => batches.map(({ rows }) => rows.length);

describe("what is pending", () => {
  it("gives up the oldest batches beyond its bound, and no events", () => {
    const pending = createPending();
    for (const rows of [3, 4, 5]) pending.batch(batch(rows));
    pending.event(event("e"));
    assert.equal(pending.trim(13), 0);
    assert.equal(pending.trim(10), 3);
    assert.deepEqual(sizes(pending.group()), [4, 5]);
    assert.equal(pending.trim(0), 9);
    assert.equal(pending.rows(), 1);
    assert.equal(pending.isEmpty(), false);
  });

  it("takes back what could not be written as older than what came meanwhile", () => {
    const pending = createPending();
    pending.batch(batch(1));
    pending.event(event("first"));
    const group = pending.group();
    pending.replace(undefined);
    assert.ok(pending.isEmpty());
    pending.batch(batch(2));
    pending.event(event("second"));
    pending.putBack(group);
    assert.deepEqual(sizes(pending.group()), [1, 2]);
    assert.deepEqual(
      pending.group().events.map(({ id }) => id),
      ["first", "second"],
    );
  });

  it("leaves a group alone that was handed out, once it was replaced", () => {
    const pending = createPending();
    pending.batch(batch(1));
    const group = pending.group();
    pending.replace(group);
    pending.batch(batch(2));
    assert.deepEqual(sizes(group), [1]);
  });

  it("counts a batch of no rows as something that waits", () => {
    const pending = createPending();
    pending.batch(batch(0));
    assert.equal(pending.rows(), 0);
    assert.ok(pending.hasBatches() && !pending.isEmpty());
  });

  it("counts its rows right, whatever is done with it", () => {
    const step = fc.oneof(
      fc.record({ what: fc.constantFrom("batch", "trim"), n: fc.nat(20) }),
      fc.record({ what: fc.constantFrom("event", "keep", "clear", "back"), n: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const pending = createPending();
        let expected = 0;
        for (const { what, n } of steps) {
          const before = pending.group();
          if (what === "batch") {
            pending.batch(batch(n));
            expected += n;
          } else if (what === "event") {
            pending.event(event("e"));
            expected += 1;
          } else if (what === "trim") expected -= pending.trim(n);
          else if (what === "keep") pending.replace(before);
          else {
            pending.replace(undefined);
            if (what === "back") pending.putBack(before);
            else expected = 0;
          }
          assert.equal(pending.rows(), expected);
          assert.equal(rowsIn(pending.group()), expected);
        }
      }),
    );
  });
});
