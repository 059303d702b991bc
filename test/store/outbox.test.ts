import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createOutbox } from "../../src/store/outbox.ts";
import { openSpool, type Spool } from "../../src/store/spool.ts";
import { rowsIn, rowsOf, type TakenBatch } from "../../src/store/taken.ts";
import { batch, after as later } from "./make.ts";

const folder = mkdtempSync(join(tmpdir(), "gleaner-outbox-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const group = (n: number) => ({ batches: [batch({ target: "t", at: later(n) })], events: [] });

const NOTHING_LOST = { onDamaged: () => assert.fail(), onUnstorable: () => assert.fail() };

/** A spool that can be read and, for a while, not written. */
function stubborn(path: string) {
  const spool = openSpool({
    ...{ path, maxBytes: 1e9, minFreeBytes: 0, whenFull: "drop_oldest", now: () => new Date() },
    ...{ onLost() {}, onNote() {}, inFlight: () => 0 },
  });
  const state = { isStuck: false };
  const wrapped: Spool = { ...spool, done: (ids) => !state.isStuck && spool.done(ids) };
  return { spool: wrapped, state };
}

describe("groups that are written while the spool cannot be told", () => {
  for (const restart of [false, true])
    it(`are not written again, nor waited for${restart ? ", read from disk" : ""}`, () => {
      const path = join(folder, `${restart}`, "spool.db");
      const first = stubborn(path);
      const before = createOutbox(first.spool, NOTHING_LOST);
      for (let i = 0; i < 3; i++) before.add(group(i));
      if (restart) first.spool.close();
      const { spool, state } = restart ? stubborn(path) : first;
      const outbox = restart ? createOutbox(spool, NOTHING_LOST) : before;

      state.isStuck = true;
      const one = outbox.next(2);
      assert.ok(one && one.ids.length === 2);
      outbox.done(one);
      assert.deepEqual([outbox.rows(), outbox.writtenUpTo()], [1, one.ids[1]]);
      const two = outbox.next(100);
      assert.equal(two?.ids.length, 1);
      assert.ok(!one.ids.includes(two?.ids[0] ?? 0), "the next");
      if (two) outbox.done(two);
      assert.equal(outbox.next(100), undefined);
      assert.deepEqual([outbox.rows(), spool.size().records], [0, 3]);

      state.isStuck = false;
      outbox.add(group(3));
      const three = outbox.next(100);
      assert.ok(three);
      outbox.done(three);
      assert.deepEqual([outbox.rows(), outbox.writtenUpTo(), spool.size().records], [0, 0, 0]);
      spool.close();
    });
});

describe("a group that came to the disk although its append failed", () => {
  it("is written from there", () => {
    const { spool } = stubborn(join(folder, "unsure", "spool.db"));
    const state = { isUnsure: true };
    const append: Spool["append"] = (body, rows) => {
      const id = spool.append(body, rows);
      return state.isUnsure ? undefined : id;
    };
    const outbox = createOutbox({ ...spool, append }, NOTHING_LOST);
    assert.deepEqual(outbox.add(group(0)), group(0));
    state.isUnsure = false;
    assert.equal(outbox.add(group(1)), undefined);
    const ids: number[] = [];
    for (let parcel = outbox.next(100); parcel; parcel = outbox.next(100)) {
      ids.push(...parcel.ids);
      outbox.done(parcel);
    }
    assert.equal(new Set(ids).size, 2);
    assert.deepEqual([outbox.rows(), spool.size().records], [0, 0]);
    spool.close();
  });
});

describe("what piled up in memory", () => {
  const many = (n: number) => ({
    batches: Array.from({ length: n }, (_, i) => batch({ target: "t", at: later(i) })),
    events: [],
  });
  const one = rowsIn(group(0));

  it("becomes records of a bounded size, and nothing of it is lost or doubled when the spool takes only a part", () => {
    const { spool } = stubborn(join(folder, "pile", "spool.db"));
    let room = 2;
    const append: Spool["append"] = (body, rows) => (room-- > 0 ? spool.append(body, rows) : undefined);
    const outbox = createOutbox({ ...spool, append }, NOTHING_LOST);
    const all = many(Math.ceil(20_000 / one));
    const left = outbox.add(all);
    assert.ok(left && rowsIn(left) < rowsIn(all));
    assert.equal(outbox.rows() + rowsIn(left), rowsIn(all));
    room = Number.POSITIVE_INFINITY;
    assert.equal(outbox.add(left), undefined);
    assert.equal(outbox.rows(), rowsIn(all));
    assert.ok(spool.size().records >= 4);
    const starts: string[] = [];
    for (let parcel = outbox.next(5_000); parcel; parcel = outbox.next(5_000)) {
      starts.push(...parcel.group.batches.map(({ startedAt }) => new Date(startedAt).toISOString()));
      outbox.done(parcel);
    }
    assert.deepEqual(
      starts,
      all.batches.map(({ startedAt }) => new Date(startedAt).toISOString()),
    );
    spool.close();
  });

  it("costs only the batch that is no plain data", () => {
    const { spool } = stubborn(join(folder, "odd", "spool.db"));
    const lost: number[] = [];
    const outbox = createOutbox(spool, { ...NOTHING_LOST, onUnstorable: (rows) => void lost.push(rows) });
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const { batches } = many(5);
    const odd = { ...(batches[2] as TakenBatch), documents: [{ name: "cycle", body: cycle }] };
    assert.equal(outbox.add({ batches: batches.with(2, odd), events: [] }), undefined);
    assert.deepEqual(lost, [rowsOf(odd)]);
    assert.equal(outbox.rows(), 4 * one);
    spool.close();
  });
});

describe("more than memory holds", () => {
  it("goes out oldest first, partly from disk, and once the disk is read out from memory again", () => {
    const { spool } = stubborn(join(folder, "overflow", "spool.db"));
    const reads: number[] = [];
    const read: Spool["read"] = (after, maxRows) => {
      const records = spool.read(after, maxRows);
      reads.push(records.length);
      return records;
    };
    const outbox = createOutbox({ ...spool, read }, NOTHING_LOST);
    const big = (at: number) => ({
      batches: Array.from({ length: 4_000 }, () => batch({ target: `${at}`, at: later(at) })),
      events: [],
    });
    const rows = rowsIn(big(0));
    const n = Math.ceil(40_000 / rows);
    for (let i = 0; i < n; i++) outbox.add(big(i));
    const order: string[] = [];
    const take = () => {
      const parcel = outbox.next(rows);
      order.push(parcel?.group.batches[0]?.targetId ?? "none");
      if (parcel) outbox.done(parcel);
    };
    take();
    assert.deepEqual(reads, [], "the oldest were in memory");
    for (let i = 1; i < n; i++) take();
    assert.ok(reads.length > 0);
    assert.deepEqual(
      order,
      Array.from({ length: n }, (_, i) => `${i}`),
    );
    const before = reads.length;
    for (let i = n; i < n + 3; i++) {
      outbox.add(big(i));
      take();
    }
    assert.deepEqual([order.slice(n), reads.length], [[`${n}`, `${n + 1}`, `${n + 2}`], before]);
    assert.deepEqual([outbox.rows(), spool.size().records], [0, 0]);
    spool.close();
  });
});
