import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after as afterAll, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { Transition } from "../../src/model/health.ts";
import { openSpool, type SpoolOptions } from "../../src/store/spool.ts";
import type { WriteCounts } from "../../src/store/store.ts";
import { rowsOf, type TakenBatch } from "../../src/store/taken.ts";
import { createWriter, type DropReason, type WritableStore, type WriterOptions } from "../../src/store/writer.ts";
import { after, kit, status, T0, wholeBatch } from "./make.ts";

const folder = mkdtempSync(join(tmpdir(), "gleaner-writer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let spools = 0;

const idOf = ({ targetId, startedAt }: TakenBatch) => `${targetId}@${new Date(startedAt).getTime() - T0.getTime()}`;
const counts = (stored: number): WriteCounts => ({
  stored: { samples: stored },
  duplicate: {},
  rejected: {},
  refused: {},
});

/** A store that remembers what it was told to write, and fails or stalls on demand. */
function fakeStore() {
  const written: { what: string; ids: string[] }[] = [];
  const state = {
    fail: undefined as Error | undefined,
    gate: undefined as Promise<void> | undefined,
    busy: 0,
    most: 0,
    tries: 0,
    repairs: 0,
    history: "first" as string | undefined,
    failEvents: undefined as Error | undefined,
  };
  const write = async (what: string, ids: string[]) => {
    state.most = Math.max(state.most, ++state.busy);
    state.tries++;
    try {
      await state.gate;
      await Promise.resolve();
      if (state.fail) throw state.fail;
      if (state.failEvents && what === "events") throw state.failEvents;
      written.push({ what, ids });
    } finally {
      state.busy--;
    }
  };
  const store: WritableStore = {
    async writeBatches(batches) {
      await write("batches", batches.map(idOf));
      return counts(batches.reduce((sum, each) => sum + rowsOf(each), 0));
    },
    async writeEvents(events) {
      await write(
        "events",
        events.map((event) => event.id),
      );
      return counts(events.length);
    },
    upsertStatus: (statuses) =>
      write(
        "status",
        statuses.map((each) => `${each.targetId}=${each.state}`),
      ),
    upsertKits: (kits) =>
      write(
        "kits",
        kits.map((each) => `${each.kitId}=${each.status}`),
      ),
    async repair() {
      state.repairs++;
    },
    history: async () => state.history,
  };
  const ids = (what: string) => written.filter((w) => w.what === what).flatMap((w) => w.ids);
  return { store, state, written, ids };
}

function setUp(options: Partial<WriterOptions> & { path?: string; limits?: Partial<SpoolOptions> } = {}) {
  const fake = fakeStore();
  const path = options.path ?? join(folder, `${spools++}`, "spool.db");
  const told = {
    taken: 0,
    stored: 0,
    replayed: 0,
    dropped: [] as [DropReason, number][],
    downs: 0,
    ups: 0,
    failures: 0,
  };
  const lost = () => told.dropped.reduce((sum, [, rows]) => sum + rows, 0);
  const { limits, path: _path, ...rest } = options;
  const writer = createWriter({
    store: () => fake.store,
    spool: (hooks) =>
      openSpool({
        ...{ path, maxBytes: 1e9, minFreeBytes: 0, whenFull: "drop_oldest", now: () => new Date(), onNote() {} },
        ...hooks,
        ...limits,
      }),
    embedded: false,
    pauseWhenFull: false,
    batchSize: 10,
    batchTimeout: 40,
    backoff: { initial: 5, max: 20 },
    closeTimeout: 60,
    onTaken: (rows) => {
      told.taken += rows;
    },
    onStored: ({ stored }) => {
      told.stored += Object.values(stored).reduce((sum, rows) => sum + rows, 0);
    },
    onDropped: (reason, rows) => void told.dropped.push([reason, rows]),
    onFailed: () => void told.failures++,
    onDown: () => void told.downs++,
    onUp: () => void told.ups++,
    onReplayed: (rows) => {
      told.replayed += rows;
    },
    ...rest,
  });
  return { ...fake, writer, told, lost, path };
}

/** A batch that comes to `rows` rows: its samples and the execution record. */
const rowsBatch = (n: number, rows = 1) =>
  wholeBatch({
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
const all = (n: number) => Array.from({ length: n }, (_, i) => `t@${i}`);

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 800 && !condition(); i++) await sleep(5);
  assert.ok(condition(), "it did not happen within four seconds");
}

for (const embedded of [false, true]) {
  describe("a batch whose sender keeps it until it is durable", () => {
    for (const embedded of [false, true])
      it(`is on disk when it says so, and written once${embedded ? ", beside an embedded store too" : ""}`, async () => {
        const { writer, told, ids, state } = setUp({ embedded });
        state.fail = new Error("ECONNREFUSED");
        const answers = await Promise.all([1, 2, 3].map((n) => writer.offer(rowsBatch(n, 2))));
        assert.deepEqual(answers, [true, true, true]);
        assert.ok(writer.spooled().records === 1, "one fsync for all of them");
        assert.equal(told.taken, 6);
        state.fail = undefined;
        await writer.flush();
        assert.deepEqual(ids("batches"), ["t@1", "t@2", "t@3"]);
        await writer.close();
        assert.equal(await writer.offer(rowsBatch(4)), false, "a writer that is closed takes nothing");
        assert.equal(told.taken, 6);
      });

    it("is not taken at all while nothing can be kept, and what was taken before stays", async () => {
      const limits = { minFreeBytes: Number.MAX_SAFE_INTEGER, whenFull: "block" } as const;
      const { writer, told, lost } = setUp({ limits, store: () => undefined, pauseWhenFull: true });
      writer.accept(rowsBatch(0, 3));
      for (let n = 1; n < 50; n++) assert.equal(await writer.offer(rowsBatch(n, 5)), false);
      assert.deepEqual([told.taken, writer.pendingRows(), lost()], [3, 3, 0]);
      await writer.close();
    });

    it("that is offered while the writer closes is either durable or refused", async () => {
      const { writer, path } = setUp({ store: () => undefined });
      const offered = [1, 2, 3].map((n) => writer.offer(rowsBatch(n)));
      await writer.close();
      assert.deepEqual(await Promise.all(offered), [true, true, true]);
      const { writer: next } = setUp({ path, store: () => undefined });
      assert.equal(next.pendingRows(), 3);
      await next.close();
    });
  });

  describe(`the writer in front of ${embedded ? "the embedded store" : "a database server"}`, () => {
    it("writes everything once, in order, never two writes at a time", async () => {
      const { writer, ids, state, told } = setUp({ embedded });
      for (let i = 0; i < 200; i++) writer.accept(rowsBatch(i, 5));
      await writer.flush();
      assert.deepEqual(ids("batches"), all(200));
      assert.equal(state.most, 1);
      assert.equal(writer.pendingRows(), 0);
      assert.deepEqual([told.taken, told.stored], [1_000, 1_000]);
      await writer.close();
    });

    it("writes batches, then events, then states, and of states only the latest", async () => {
      const { writer, written } = setUp({ embedded });
      writer.status(status({ targetId: "a", state: "healthy" }));
      writer.kit(kit({ kitId: "k", status: "online" }));
      writer.status(status({ targetId: "a", state: "failing" }));
      writer.kit(kit({ kitId: "k", status: "stale" }));
      writer.event(event("e"));
      writer.accept(rowsBatch(0));
      await writer.flush();
      assert.deepEqual(written, [
        { what: "batches", ids: ["t@0"] },
        { what: "events", ids: ["e"] },
        { what: "status", ids: ["a=failing"] },
        { what: "kits", ids: ["k=stale"] },
      ]);
      await writer.close();
    });

    it("keeps everything while the store is down, says so once, and recovers by itself", async () => {
      const { writer, state, ids, told } = setUp({ embedded });
      state.fail = new Error("connection to postgresql://me:secret@db refused");
      for (let i = 0; i < 30; i++) writer.accept(rowsBatch(i));
      await until(() => told.failures >= 3);
      assert.match(writer.isDown() ?? "", /\*\*\*@db refused \(for 0 s\)/);
      assert.equal(writer.pendingRows(), 30);
      assert.ok(writer.spooled().records > 0);
      state.fail = undefined;
      await until(() => writer.isDown() === undefined);
      await writer.flush();
      assert.deepEqual(ids("batches"), all(30));
      assert.deepEqual([told.downs, told.ups], [1, 1]);
      assert.equal(writer.spooled().records, 0);
      await writer.close();
    });

    it("leaves what it could not write to the next start, and that writes it", async () => {
      const first = setUp({ embedded });
      first.state.fail = new Error("down");
      for (let i = 0; i < 20; i++) first.writer.accept(rowsBatch(i, 3));
      first.writer.event(event("e"));
      await first.writer.close();
      assert.deepEqual(first.told.dropped, []);
      const second = setUp({ embedded, path: first.path });
      assert.equal(second.writer.pendingRows(), 61);
      await second.writer.flush();
      assert.deepEqual(second.ids("batches"), all(20));
      assert.deepEqual(second.ids("events"), ["e"]);
      await second.writer.close();
    });

    it("writes from memory while the spool takes nothing, and gives up the oldest only beyond its bound", async () => {
      const path = "/dev/null/no/folder/spool.db";
      const { writer, state, ids, told, lost } = setUp({ embedded, path, maxRows: 50 });
      writer.accept(rowsBatch(0));
      await writer.flush();
      assert.deepEqual(ids("batches"), ["t@0"]);
      state.fail = new Error("down");
      for (let i = 1; i <= 100; i++) writer.accept(rowsBatch(i));
      await until(() => lost() > 0 && writer.pendingRows() <= 50);
      state.fail = undefined;
      await until(() => writer.isDown() === undefined);
      await writer.flush();
      assert.equal(told.taken, told.stored + lost());
      assert.ok(told.dropped.every(([reason]) => reason === "memory_full"));
      assert.deepEqual(ids("batches").slice(1), all(101).slice(-50));
      await writer.close();
    });

    it("brings the schema back at once when it is gone, and tries seldom when that is no help", async () => {
      const { writer, state, told } = setUp({ embedded, backoff: { initial: 5, max: 60 } });
      state.fail = Object.assign(new Error('relation "drones" does not exist'), { code: "42P01" });
      writer.accept(rowsBatch(0, 10));
      await until(() => told.failures === 2);
      assert.equal(state.repairs, 1);
      const begun = performance.now();
      await until(() => told.failures === 3);
      assert.ok(performance.now() - begun >= 50);
      state.fail = undefined;
      await until(() => writer.pendingRows() === 0);
      await writer.close();
    });

    it("counts rows once when they are written twice, because the events after them failed", async () => {
      const { writer, state, told } = setUp({ embedded });
      state.failEvents = new Error("down");
      writer.accept(rowsBatch(0, 10));
      writer.event(event("e"));
      await until(() => told.failures >= 2);
      state.failEvents = undefined;
      await until(() => writer.pendingRows() === 0 && writer.isDown() === undefined);
      assert.deepEqual([told.taken, told.stored], [11, 11]);
      await writer.close();
    });

    it("counts what comes after close", async () => {
      const { writer, told } = setUp({ embedded });
      await writer.close();
      writer.accept(rowsBatch(0, 4));
      assert.deepEqual(told.dropped, [["closed", 4]]);
      assert.equal(told.taken, 4);
    });

    it("accounts for every row, whatever fails in between", async () => {
      const step = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({ kind: fc.constant("accept" as const), rows: fc.integer({ min: 1, max: 20 }) }),
        },
        { weight: 1, arbitrary: fc.constant({ kind: "fail" as const }) },
        { weight: 2, arbitrary: fc.constant({ kind: "mend" as const }) },
        { weight: 1, arbitrary: fc.constant({ kind: "wait" as const }) },
        { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          let current = setUp({ embedded, limits: { maxBytes: 3_000 } });
          const { path } = current;
          const all = [current];
          let n = 0;
          for (const action of steps) {
            if (action.kind === "accept") current.writer.accept(rowsBatch(n++, action.rows));
            if (action.kind === "fail") current.state.fail = new Error("down");
            if (action.kind === "mend") current.state.fail = undefined;
            if (action.kind === "wait") await sleep(12);
            if (action.kind === "restart") {
              await current.writer.close();
              current = setUp({ embedded, path, limits: { maxBytes: 3_000 } });
              all.push(current);
            }
          }
          current.state.fail = undefined;
          await until(() => current.writer.isDown() === undefined || current.writer.pendingRows() === 0);
          await current.writer.flush();
          await current.writer.close();
          const sum = (of: (each: typeof current) => number) => all.reduce((total, each) => total + of(each), 0);
          assert.equal(
            sum((each) => each.told.taken),
            sum((each) => each.told.stored) + sum((each) => each.lost()),
          );
          const ids = all.flatMap((each) => each.ids("batches"));
          assert.equal(new Set(ids).size, ids.length, "nothing is written twice");
        }),
        { numRuns: 25 },
      );
    });
  });
}

describe("in front of a database server, the writer", () => {
  it("waits for a full batch or the time-out, with everything on disk meanwhile", async () => {
    const { writer, written, ids } = setUp({ batchTimeout: 150 });
    writer.accept(rowsBatch(0, 9));
    await sleep(60);
    assert.equal(written.length, 0, "nine rows wait");
    assert.equal(writer.spooled().rows, 9, "on disk");
    writer.accept(rowsBatch(1, 1));
    await until(() => writer.pendingRows() === 0);
    assert.deepEqual(ids("batches"), ["t@0", "t@1"]);
    assert.equal(written.length, 1, "in one write");
    writer.accept(rowsBatch(2));
    await until(() => writer.pendingRows() === 0);
    await writer.close();
  });

  it("survives kill -9 with all it took more than an instant ago", async () => {
    // What a killed process leaves is the file as it is: a second opening of a copy stands for it.
    const { writer, path, state } = setUp();
    state.fail = new Error("down");
    for (let i = 0; i < 50; i++) writer.accept(rowsBatch(i, 10));
    await until(() => writer.spooled().rows === 500);
    await writer.close();
    const next = setUp({ path });
    assert.equal(next.writer.pendingRows(), 500);
    await next.writer.close();
  });

  it("reads back from disk what an outage left there beyond what fits in memory", async () => {
    const { writer, state, ids, told } = setUp();
    state.fail = new Error("down");
    for (let i = 0; i < 60; i++) {
      writer.accept(rowsBatch(i, 1_000));
      if (i % 10 === 9) await sleep(15);
    }
    await until(() => writer.spooled().rows === 60_000);
    state.fail = undefined;
    await until(() => writer.isDown() === undefined);
    for (let i = 60; i < 70; i++) writer.accept(rowsBatch(i, 10));
    await writer.flush();
    assert.deepEqual(ids("batches"), all(70));
    assert.equal(told.taken, told.stored);
    await writer.close();
  });

  it("keeps what it wrote for a while, and writes it again when the database is another one", async () => {
    const { writer, state, ids, told, path } = setUp({ limits: { keepFor: 60_000 } });
    for (let i = 0; i < 20; i++) writer.accept(rowsBatch(i, 2));
    await writer.flush();
    assert.deepEqual([ids("batches"), writer.pendingRows(), writer.spooled().records], [all(20), 0, 0]);
    state.history = "second";
    writer.accept(rowsBatch(20, 2));
    await writer.flush();
    assert.deepEqual(ids("batches").slice(20), all(21), "the oldest first");
    assert.deepEqual([told.taken, told.replayed, told.stored], [42, 40, 82]);
    await writer.close();

    // Also when that happened while no gleaner ran.
    const next = setUp({ path, limits: { keepFor: 60_000 } });
    next.state.history = "third";
    assert.equal(next.writer.pendingRows(), 0);
    next.writer.accept(rowsBatch(21, 2));
    await next.writer.flush();
    assert.deepEqual(next.ids("batches"), all(22));
    await next.writer.close();

    const without = setUp({ path });
    without.state.history = "fourth";
    without.writer.accept(rowsBatch(22, 2));
    await without.writer.flush();
    assert.deepEqual(without.ids("batches"), ["t@22"], "switched off, nothing is kept");
    await without.writer.close();
  });

  it("writes less at a time to a slow database, in proportion, and more again when it is quick", async (t) => {
    const real = performance.now.bind(performance);
    let jumped = 0;
    t.mock.method(performance, "now", () => real() + jumped);
    const { writer, state, written } = setUp();
    const sizes = () => written.filter(({ what }) => what === "batches").map(({ ids }) => ids.length * 50);
    const put = async (groups: number) => {
      for (let i = 0; i < groups; i++) {
        for (let n = 0; n < 2; n++) writer.accept(rowsBatch(sizes().length * 1_000 + i * 2 + n, 50));
        await sleep(12);
      }
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    await put(30);
    jumped += 4_000;
    resolve();
    await until(() => sizes().length > 0);
    const [slow = 0] = sizes();
    state.gate = undefined;
    await writer.flush();
    const [, next = 0, ...later] = sizes();
    assert.ok(next <= slow * 0.55 + 400, `${slow} rows took 4 s, and then ${next} were tried`);
    assert.ok(Math.max(...later) > next, `${sizes()}`);
    await writer.close();
  });

  it("starts without a database, and writes when it comes", async () => {
    let reached = false;
    const fake = fakeStore();
    const { writer } = setUp({ store: () => (reached ? fake.store : undefined) });
    for (let i = 0; i < 20; i++) writer.accept(rowsBatch(i));
    await until(() => writer.isDown() !== undefined);
    assert.match(writer.isDown() ?? "", /has not been reached yet/);
    reached = true;
    await until(() => fake.ids("batches").length === 20);
    await writer.close();
  });

  it("says when there is no room left and rows must not be given up", async () => {
    const { writer, state, told } = setUp({ pauseWhenFull: true, limits: { maxBytes: 100, whenFull: "block" } });
    state.fail = new Error("down");
    writer.accept(rowsBatch(0, 100));
    await until(() => writer.spooled().records === 1);
    for (let i = 1; i < 40; i++) writer.accept(rowsBatch(i, 100));
    await until(() => writer.isFull());
    state.fail = undefined;
    await until(() => writer.pendingRows() === 0);
    assert.equal(writer.isFull(), false);
    assert.equal(told.taken, told.stored);
    await writer.close();
  });
});
