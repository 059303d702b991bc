import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { Transition } from "../../src/model/health.ts";
import type { Batch } from "../../src/model/target.ts";
import type { KitRecord, Store, TargetStatus, WriteCounts } from "../../src/store/store.ts";
import { createWriter, type WriteProblem, type WriterOptions } from "../../src/store/writer.ts";
import { after, batch, kit, status, T0 } from "./make.ts";

/** A store that remembers what it was told to write, and fails or stalls on demand. */
function fakeStore() {
  const written: { what: string; ids: string[] }[] = [];
  const state = {
    fail: undefined as Error | undefined,
    gate: undefined as Promise<void> | undefined,
    busy: 0,
    most: 0,
  };
  const write = async (what: string, ids: string[]) => {
    state.most = Math.max(state.most, ++state.busy);
    try {
      await state.gate;
      await Promise.resolve();
      if (state.fail) throw state.fail;
      written.push({ what, ids });
    } finally {
      state.busy--;
    }
  };
  const store: WriterOptions["store"] = {
    async writeBatches(batches): Promise<WriteCounts> {
      await write("batches", batches.map(idOf));
      return { stored: { samples: batches.length }, duplicate: {}, rejected: {} };
    },
    writeEvents: (events: readonly Transition[]) =>
      write(
        "events",
        events.map((event) => event.id),
      ),
    upsertStatus: (statuses: readonly TargetStatus[]) =>
      write(
        "status",
        statuses.map((s) => `${s.targetId}=${s.state}`),
      ),
    upsertKits: (kits: readonly KitRecord[]) =>
      write(
        "kits",
        kits.map((k) => `${k.kitId}=${k.status}`),
      ),
  } satisfies Partial<Store>;
  const ids = (what: string) => written.filter((w) => w.what === what).flatMap((w) => w.ids);
  return { store, state, written, ids };
}

const idOf = ({ target, run }: Batch) => `${target.id}@${run.startedAt.getTime() - T0.getTime()}`;

function setUp(options: Partial<WriterOptions> = {}) {
  const fake = fakeStore();
  const problems: [WriteProblem, string, number][] = [];
  const stored: WriteCounts[] = [];
  const writer = createWriter({
    store: fake.store,
    backoff: { initial: 5, max: 20 },
    closeTimeout: 60,
    now: () => T0,
    onStored: (counts) => stored.push(counts),
    onError: (reason, error, lost) =>
      problems.push([reason, error instanceof Error ? error.message : String(error), lost]),
    ...options,
  });
  return { ...fake, writer, problems, stored };
}

/** A batch that comes to `rows` rows: its samples and the execution record. */
const rowsBatch = (n: number, rows = 1) =>
  batch({
    target: "t",
    at: after(n),
    samples: Array.from({ length: rows - 1 }, (_, i) => ({ metric: "m", value: i, at: after(i) })),
  });
const event = (id: string): Transition => ({
  at: T0,
  kind: "kit",
  id,
  from: "a",
  to: "b",
  severity: "info",
  details: "",
});

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await sleep(5);
  assert.ok(condition(), "it did not happen within two seconds");
}

describe("the writer", () => {
  it("waits for a full batch, or for the time-out, whichever is first", async () => {
    const { writer, written, ids } = setUp({ batchSize: 10, batchTimeout: 40 });
    writer.accept(rowsBatch(0, 9));
    assert.equal(writer.pendingRows(), 9);
    await sleep(10);
    assert.equal(written.length, 0, "nine rows wait");
    writer.accept(rowsBatch(1, 1));
    await until(() => writer.pendingRows() === 0);
    assert.deepEqual(ids("batches"), ["t@0", "t@1"]);
    assert.equal(written.length, 1, "in one write");
    const began = performance.now();
    writer.accept(rowsBatch(2));
    await until(() => writer.pendingRows() === 0);
    assert.ok(performance.now() - began >= 35, "a single row waits for the time-out");
    await writer.close();
  });

  it("takes all that came meanwhile in one flush, up to about 5,000 rows, in order and never two at once", async () => {
    const { writer, written, state, ids } = setUp({ batchSize: 10 });
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    writer.accept(rowsBatch(0, 10));
    await until(() => state.busy === 1);
    for (let i = 1; i <= 12; i++) writer.accept(rowsBatch(i, 1_000));
    assert.equal(writer.pendingRows(), 12_010);
    resolve();
    await writer.flush();
    assert.deepEqual(
      written.map((w) => w.ids.length),
      [1, 5, 5, 2],
    );
    assert.deepEqual(
      ids("batches"),
      Array.from({ length: 13 }, (_, i) => `t@${i}`),
    );
    assert.equal(state.most, 1);
    assert.equal(writer.pendingRows(), 0);
    await writer.close();
  });

  it("takes a batch that is larger than a flush whole", async () => {
    const { writer, ids } = setUp();
    writer.accept(rowsBatch(0, 20_000));
    await writer.flush();
    assert.deepEqual(ids("batches"), ["t@0"]);
    await writer.close();
  });

  it("writes batches, then events, then states, and of states only the latest", async () => {
    const { writer, written } = setUp();
    writer.status(status({ targetId: "a", state: "healthy" }));
    writer.kit(kit({ kitId: "k", status: "online" }));
    writer.status(status({ targetId: "a", state: "failing" }));
    writer.event(event("e1"));
    writer.accept(rowsBatch(0));
    writer.kit(kit({ kitId: "k", status: "stale" }));
    writer.event(event("e2"));
    await writer.flush();
    assert.deepEqual(written, [
      { what: "batches", ids: ["t@0"] },
      { what: "events", ids: ["e1", "e2"] },
      { what: "status", ids: ["a=failing"] },
      { what: "kits", ids: ["k=stale"] },
    ]);
    await writer.close();
  });

  it("flushes states and events that come alone", async () => {
    const { writer, written } = setUp({ batchTimeout: 5 });
    writer.status(status({ targetId: "a" }));
    await until(() => written.length === 1);
    writer.event(event("e"));
    await until(() => written.length === 2);
    await writer.close();
  });

  it("keeps everything in order while the store is down, says so, and recovers by itself", async () => {
    const { writer, state, problems, ids, stored } = setUp({ batchSize: 1 });
    state.fail = new Error("connect ECONNREFUSED postgres://me:hunter2@db/x");
    writer.accept(rowsBatch(0));
    await until(() => problems.length >= 3);
    writer.accept(rowsBatch(1));
    assert.equal(writer.pendingRows(), 2);
    assert.equal(writer.isDown(), "connect ECONNREFUSED postgres://***@db/x (since 2026-03-01T12:00:00.000Z)");
    assert.deepEqual(new Set(problems.map(([reason, , lost]) => `${reason} ${lost}`)), new Set(["write_failed 0"]));
    state.fail = undefined;
    await until(() => writer.pendingRows() === 0);
    assert.equal(writer.isDown(), undefined);
    assert.deepEqual(ids("batches"), ["t@0", "t@1"]);
    assert.equal(
      stored.reduce((sum, counts) => sum + (counts.stored["samples"] ?? 0), 0),
      2,
    );
    await writer.close();
  });

  it("backs off between tries", async () => {
    const { writer, state, problems } = setUp({ batchSize: 1, backoff: { initial: 1_000, max: 1_000 } });
    state.fail = new Error("down");
    writer.accept(rowsBatch(0));
    await until(() => problems.length === 1);
    for (let i = 1; i < 50; i++) writer.accept(rowsBatch(i));
    await sleep(30);
    assert.equal(problems.length, 1, "rows that arrive do not make it try again");
    await assert.rejects(writer.flush(), /down/, "flush() tries at once");
    assert.equal(problems.length, 2);
    state.fail = undefined;
    await writer.flush();
    assert.equal(writer.pendingRows(), 0);
    await writer.close();
  });

  it("does not repeat parts that were stored when a later part of a flush fails", async () => {
    const { writer, store, stored, written } = setUp();
    const upsert = store.upsertStatus;
    Object.assign(store, {
      upsertStatus: async () => {
        writer.status(status({ targetId: "a", state: "failing" }));
        throw new Error("deadlock");
      },
    });
    writer.accept(rowsBatch(0));
    writer.event(event("e"));
    writer.status(status({ targetId: "a", state: "healthy" }));
    writer.status(status({ targetId: "b", state: "healthy" }));
    await assert.rejects(writer.flush(), /deadlock/);
    Object.assign(store, { upsertStatus: upsert });
    await writer.flush();
    assert.equal(stored.length, 1);
    assert.deepEqual(
      written.map((w) => w.what),
      ["batches", "events", "status"],
    );
    assert.deepEqual(
      written.at(-1)?.ids.sort(),
      ["a=failing", "b=healthy"],
      "a newer state is not overwritten by the one that failed",
    );
    await writer.close();
  });

  it("bounds its memory: the oldest rows go and are counted, the rest keep their order", async () => {
    const { writer, state, problems, ids } = setUp({ batchSize: 1_000_000, maxRows: 100 });
    state.fail = new Error("down");
    for (let i = 0; i < 30; i++) {
      writer.accept(rowsBatch(i, 10));
      assert.ok(writer.pendingRows() <= 100);
    }
    const lost = problems.filter(([reason]) => reason === "memory_full").reduce((sum, [, , rows]) => sum + rows, 0);
    assert.equal(lost, 200);
    state.fail = undefined;
    await writer.flush();
    assert.deepEqual(
      ids("batches"),
      Array.from({ length: 10 }, (_, i) => `t@${i + 20}`),
    );
    await writer.close();
  });

  it("bounds its memory also by events, and while a flush is under way", async () => {
    const { writer, state, problems, ids } = setUp({ batchSize: 1, maxRows: 10 });
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    writer.accept(rowsBatch(0, 5));
    await until(() => state.busy === 1);
    for (let i = 0; i < 20; i++) writer.event(event(`e${i}`));
    assert.equal(writer.pendingRows(), 10);
    resolve();
    await writer.flush();
    assert.deepEqual(ids("batches"), ["t@0"], "what is being written is not dropped");
    assert.deepEqual(ids("events"), ["e15", "e16", "e17", "e18", "e19"]);
    assert.equal(
      problems.reduce((sum, [, , rows]) => sum + rows, 0),
      15,
    );
    await writer.close();
  });

  it("drains at close, retrying, and counts what comes afterwards", async () => {
    const { writer, state, problems, ids } = setUp({ closeTimeout: 2_000 });
    state.fail = new Error("restarting");
    for (let i = 0; i < 12; i++) writer.accept(rowsBatch(i, 1_000));
    const closing = writer.close();
    await sleep(20);
    state.fail = undefined;
    await closing;
    assert.equal(ids("batches").length, 12);
    assert.equal(writer.pendingRows(), 0);
    writer.accept(rowsBatch(99, 7));
    assert.deepEqual(problems.at(-1), ["closed", "undefined", 7]);
    await writer.close();
  });

  it("gives up at close after its time-out, and counts what is lost", async () => {
    for (const broken of ["fails", "hangs"]) {
      const { writer, state, problems } = setUp({ closeTimeout: 40 });
      if (broken === "fails") state.fail = new Error("gone");
      else state.gate = new Promise(() => {});
      writer.accept(rowsBatch(0, 10));
      const began = performance.now();
      await writer.close();
      assert.ok(performance.now() - began < 1_000);
      const [reason, message, lost] = problems.at(-1) ?? [];
      assert.deepEqual(
        [reason, message, lost],
        ["closed", broken === "fails" ? "gone" : "the store did not answer in time", 10],
      );
    }
  });

  it("takes a hundred thousand rows without holding anybody up", async () => {
    const { writer } = setUp();
    const one = rowsBatch(0, 20);
    const began = performance.now();
    for (let i = 0; i < 5_000; i++) writer.accept(one);
    assert.ok(performance.now() - began < 500);
    await writer.flush();
    await writer.close();
  });

  it("stores everything it took exactly once and in order, whatever fails in between", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom("take", "fail", "mend", "flush"), { maxLength: 40 }), async (steps) => {
        const { writer, state, ids } = setUp({ batchSize: 3, backoff: { initial: 1, max: 2 } });
        let taken = 0;
        for (const step of steps) {
          if (step === "take") writer.accept(rowsBatch(taken++));
          else if (step === "flush") await writer.flush().catch(() => {});
          else state.fail = step === "fail" ? new Error("down") : undefined;
        }
        state.fail = undefined;
        await writer.flush();
        assert.deepEqual(
          ids("batches"),
          Array.from({ length: taken }, (_, i) => `t@${i}`),
        );
        await writer.close();
      }),
      { numRuns: 50 },
    );
  });
});
