import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createStates } from "../../src/store/states.ts";
import type { KitRecord, TargetStatus } from "../../src/store/store.ts";
import { kit, status } from "./make.ts";

function setUp() {
  const clock = { now: 1_000 };
  const written: string[] = [];
  let failure: Error | undefined;
  const store = {
    upsertStatus: async (all: readonly TargetStatus[]) => {
      if (failure) throw failure;
      written.push(...all.map(({ targetId, state, errorCount }) => `${targetId} ${state} ${errorCount}`));
    },
    upsertKits: async (all: readonly KitRecord[]) => void written.push(...all.map(({ kitId }) => kitId)),
  };
  const states = createStates(() => clock.now);
  return {
    ...{ states, clock },
    fail: (error: Error | undefined) => {
      failure = error;
    },
    async write() {
      await states.write(store);
      return written.splice(0);
    },
  };
}

describe("states that wait for the database", () => {
  it("are due at once when a target's or a kit's state changed, and else a few seconds after the last write", async () => {
    const { states, clock, write } = setUp();
    assert.equal(states.dueAt(), Number.POSITIVE_INFINITY);
    states.status(status({ targetId: "a", state: "healthy", errorCount: 0 }));
    states.kit(kit({ kitId: "k", status: "online" }));
    assert.equal(states.dueAt(), 1_000);
    assert.deepEqual(await write(), ["a healthy 0", "k"]);

    clock.now = 2_000;
    states.status(status({ targetId: "a", state: "healthy", errorCount: 1 }));
    states.kit(kit({ kitId: "k", status: "online" }));
    assert.equal(states.dueAt(), 6_000, "only newer");
    states.kit(kit({ kitId: "k", status: "offline" }));
    assert.equal(states.dueAt(), 2_000, "another state");
    assert.deepEqual(await write(), ["a healthy 1", "k"]);
    assert.equal(states.dueAt(), Number.POSITIVE_INFINITY);
  });

  it("wait again when they could not be written, unless something newer came", async () => {
    const { states, fail, write } = setUp();
    states.status(status({ targetId: "a", state: "healthy" }));
    states.status(status({ targetId: "b", state: "healthy", errorCount: 0 }));
    fail(new Error("gone"));
    const writing = write();
    states.status(status({ targetId: "a", state: "failing", errorCount: 3 }));
    await assert.rejects(writing, /gone/);
    fail(undefined);
    assert.equal(states.dueAt(), 1_000);
    assert.deepEqual((await write()).sort(), ["a failing 3", "b healthy 0"]);
  });
});
