import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { linkStore } from "../../src/app/store-link.ts";
import { type OpenStore, StoreUnreachable } from "../../src/store/open.ts";
import { keepingLog } from "./support.ts";

/** A database that is there or not, and the stores that were opened on it. */
function fakeDatabase() {
  const state = { error: undefined as Error | undefined, opened: 0, closed: 0 };
  const open = async (): Promise<OpenStore> => {
    if (state.error) throw state.error;
    state.opened++;
    const store: Partial<OpenStore> = { label: "fake", notes: [], close: async () => void state.closed++ };
    return store as OpenStore;
  };
  return { state, open };
}

const away = () => new StoreUnreachable("nobody there");

/** Lets so much time pass, and everything happen that it brings. */
async function pass(t: TestContext, ms: number): Promise<void> {
  t.mock.timers.tick(ms);
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe("the way to the database", () => {
  it("is open at once when it is there, and work is done at once", async () => {
    const { state, open } = fakeDatabase();
    const link = await linkStore({ open, log: keepingLog() });
    let done = 0;
    await link.whenOpen(async () => void done++);
    assert.deepEqual([link.current() !== undefined, done], [true, 1]);
    await link.close();
    assert.equal(state.closed, 1);
  });

  it("opens later, more and more seldom tried, and what waited is done then, in its order", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { state, open } = fakeDatabase();
    state.error = away();
    const link = await linkStore({ open, log: keepingLog() });
    const done: number[] = [];
    for (const n of [1, 2]) await link.whenOpen(async () => void done.push(n));
    for (const wait of [500, 1_000, 2_000]) await pass(t, wait);
    assert.equal(link.current(), undefined);
    state.error = undefined;
    await pass(t, 3_999);
    assert.equal(link.current(), undefined);
    await pass(t, 1);
    assert.ok(link.current());
    assert.deepEqual([done, state.opened], [[1, 2], 1]);
    await link.close();
  });

  it("closes what it opened when the database goes in the middle of what waited, and does the rest with the next", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { state, open } = fakeDatabase();
    state.error = away();
    const link = await linkStore({ open, log: keepingLog() });
    const done: string[] = [];
    let isGone = true;
    await link.whenOpen(async () => void done.push("first"));
    await link.whenOpen(async () => {
      if (isGone) throw new Error("terminated");
      done.push("second");
    });
    state.error = undefined;
    await pass(t, 500);
    assert.deepEqual([link.current(), state.opened, state.closed], [undefined, 1, 1]);
    isGone = false;
    await pass(t, 1_000);
    assert.ok(link.current());
    assert.deepEqual([done, state.opened, state.closed], [["first", "second"], 2, 1]);
    await link.close();
  });

  it("does not start with a database that answers and cannot be used, and goes on trying when that happens later", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { state, open } = fakeDatabase();
    state.error = new Error("wrong password");
    await assert.rejects(linkStore({ open, log: keepingLog() }), /wrong password/);
    state.error = away();
    const link = await linkStore({ open, log: keepingLog() });
    state.error = new Error("wrong password");
    await pass(t, 500);
    state.error = undefined;
    await pass(t, 1_000);
    assert.ok(link.current());
    await link.close();
  });

  it("tries no more once it is closed", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { state, open } = fakeDatabase();
    state.error = away();
    const link = await linkStore({ open, log: keepingLog() });
    await link.close();
    state.error = undefined;
    await pass(t, 60_000);
    assert.equal(state.opened, 0);
  });
});
