import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createLimit, nextWrite, type Pace, type Waiting } from "../../src/store/pace.ts";

const NOW = 10_000;
const server: Pace = { embedded: false, batchSize: 10, batchTimeout: 1_000 };
const embedded: Pace = { ...server, embedded: true };
const idle: Waiting = {
  ...{ rows: 0, inMemory: false, statesAt: Number.POSITIVE_INFINITY, lastWrite: Number.NEGATIVE_INFINITY },
  ...{ pause: undefined, limit: 100 },
};

describe("when the next write starts", () => {
  const rows: readonly [what: string, pace: Pace, waiting: Partial<Waiting>, at: number][] = [
    ["never, while nothing waits", server, {}, Number.POSITIVE_INFINITY],
    ["never, while nothing waits for a database that failed", server, { pause: 5 }, Number.POSITIVE_INFINITY],
    ["when the time-out is over, for a few rows", server, { rows: 9 }, NOW + 1_000],
    ["at once, for a full batch", server, { rows: 10 }, NOW],
    ["a quarter of a second after the last one", server, { rows: 10, lastWrite: NOW - 50 }, NOW + 200],
    ["sooner when a whole write waits", server, { rows: 100, lastWrite: NOW - 50 }, NOW + 50],
    ["at once, for a batch that is in memory only", embedded, { rows: 1, inMemory: true }, NOW],
    ["after a tenth of a second, there", embedded, { rows: 1, inMemory: true, lastWrite: NOW - 50 }, NOW + 50],
    ["when the time-out is over, for what is on disk", embedded, { rows: 1 }, NOW + 1_000],
    ["when the time-out is over, for a batch of no rows", server, { inMemory: true }, NOW + 1_000],
    ["when the time-out is over, for states that are due", server, { statesAt: NOW - 1 }, NOW + 1_000],
    ["when they are due, for states that are not", server, { statesAt: NOW + 4_000 }, NOW + 4_000],
    ["after the pause, for a database that failed", server, { rows: 1_000, pause: 7_000 }, NOW + 7_000],
    ["after the pause, for states as well", server, { statesAt: NOW, pause: 7_000 }, NOW + 7_000],
  ];
  for (const [what, pace, waiting, at] of rows)
    it(what, () => assert.equal(nextWrite(NOW, pace, { ...idle, ...waiting }), at));

  it("is never in the past", () => {
    const time = fc.integer({ min: 0, max: 2 * NOW });
    fc.assert(
      fc.property(
        fc.record({ embedded: fc.boolean(), batchSize: fc.nat(5_000), batchTimeout: fc.nat(10_000) }),
        fc.record({
          ...{ rows: fc.nat(10_000), inMemory: fc.boolean(), statesAt: time, lastWrite: time },
          ...{ pause: fc.option(fc.nat(30_000), { nil: undefined }), limit: fc.integer({ min: 100, max: 5_000 }) },
        }),
        (pace, waiting) => assert.ok(nextWrite(NOW, pace, waiting) >= NOW),
      ),
    );
  });
});

describe("rows of one write", () => {
  /** A limit after writes of so many rows that took so long; null for one that failed. */
  const after = (...writes: readonly (readonly [rows: number, took: number | null])[]): number => {
    const limit = createLimit();
    for (const [rows, took] of writes) {
      limit.start();
      limit.sending(rows);
      if (took === null) limit.failed();
      else limit.sent(took);
    }
    return limit.rows();
  };

  it("are many at first", () => assert.equal(after(), 5_000));
  it("are what a slow database manages in two seconds", () => assert.equal(after([5_000, 20_000]), 500));
  it("are counted by what was written, not by what was allowed", () => assert.equal(after([1_000, 4_000]), 500));
  it("stay while it is neither slow nor quick", () => assert.equal(after([5_000, 20_000], [500, 1_000]), 500));
  it("double when it is quick again", () => assert.equal(after([5_000, 20_000], [500, 100], [1_000, 100]), 2_000));
  it("do not grow by a write that was mostly empty", () => assert.equal(after([5_000, 20_000], [249, 1]), 500));
  it("are half of those that failed", () => assert.equal(after([3_000, null]), 1_500));
  it("are not raised by a failure", () => assert.equal(after([5_000, 20_000], [800, null]), 250));
  it("are never fewer than a hundred", () => assert.equal(after([150, null], [100, 60_000]), 100));
  it("do not shrink for a failure before anything was sent", () => {
    const limit = createLimit();
    limit.sending(3_000);
    limit.start();
    limit.failed();
    assert.equal(limit.rows(), 5_000);
  });

  it("stay within their bounds, whatever becomes of writes that do", () => {
    const write = fc.tuple(fc.nat(50_000), fc.option(fc.nat(100_000)));
    fc.assert(
      fc.property(fc.array(write), (writes) => {
        const rows = after(...writes);
        assert.ok(Number.isInteger(rows) && rows >= 100 && rows <= 5_000, String(rows));
      }),
    );
  });
});
