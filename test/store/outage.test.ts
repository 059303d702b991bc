import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createOutage } from "../../src/store/outage.ts";

const lost = Object.assign(new Error("connection lost"), { code: "08006" });
const noTable = Object.assign(new Error("no such table"), { code: "42P01" });
const nobody = new Error("the database has not been reached yet");

function setUp() {
  const clock = { now: 1_000 };
  const told: string[] = [];
  const outage = createOutage({
    backoff: { initial: 500, max: 30_000 },
    now: () => clock.now,
    onFailed: () => void told.push("failed"),
    onDown: () => void told.push("down"),
    onUp: (ms) => void told.push(`up after ${ms}`),
  });
  return { outage, told, clock };
}

describe("an outage of the database", () => {
  it("is told once when it begins and once when it is over, and each failure", () => {
    const { outage, told, clock } = setUp();
    outage.over();
    assert.deepEqual([outage.isOn(), outage.pause(), outage.reason()], [false, undefined, undefined]);
    for (const _ of [1, 2]) {
      outage.failed(lost, true);
      clock.now += 2_500;
    }
    assert.ok(outage.isOn());
    assert.equal(outage.reason(), "connection lost (for 5 s)");
    outage.over();
    assert.deepEqual(told, ["failed", "down", "failed", "up after 5000"]);
    assert.equal(outage.isOn(), false);
  });

  it("leaves the database alone longer each time, within bounds, and begins anew when it is over", () => {
    const { outage } = setUp();
    const pauses = Array.from({ length: 60 }, () => {
      outage.failed(lost, true);
      return outage.pause() ?? 0;
    });
    // Each is random within bounds that double.
    assert.ok((pauses[0] ?? 0) < 1_000, pauses.join(" "));
    assert.equal(Math.max(...pauses), 30_000);
    outage.over();
    outage.failed(lost, true);
    assert.ok((outage.pause() ?? 0) < 1_000, String(outage.pause()));
  });

  it("looks at the same pace for a database that was not reached yet, and counts no failure", () => {
    const { outage, told } = setUp();
    for (let i = 0; i < 20; i++) {
      outage.failed(nobody, false);
      assert.equal(outage.pause(), 500);
    }
    assert.deepEqual(told, []);
  });

  it("asks for the schema to be brought back, and tries seldom when that is no help", () => {
    const { outage } = setUp();
    outage.failed(noTable, true);
    assert.ok(outage.wantsRepair());
    assert.notEqual(outage.pause(), 30_000);
    outage.failed(noTable, true);
    assert.equal(outage.pause(), 30_000);
    outage.failed(lost, true);
    assert.equal(outage.wantsRepair(), false);
  });

  it("says why without a password", () => {
    const { outage } = setUp();
    outage.failed(new AggregateError([new Error("no way to postgresql://me:hunter2@db/x")]), true);
    assert.equal(outage.reason(), "no way to postgresql://***@db/x (for 0 s)");
    outage.failed("text", true);
    assert.equal(outage.reason(), "text (for 0 s)");
  });
});
