import assert from "node:assert/strict";
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { openSpool, type Spool, type SpoolOptions } from "../../src/store/spool.ts";

const folder = mkdtempSync(join(tmpdir(), "gleaner-spool-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
interface Opened {
  spool: Spool;
  path: string;
  lost: { reason: string; rows: number; upTo: number }[];
  notes: string[];
}

function open(overrides: Partial<SpoolOptions> = {}): Opened {
  const path = overrides.path ?? join(folder, `${files++}`, "spool.db");
  const lost: Opened["lost"] = [];
  const notes: string[] = [];
  const spool = openSpool({
    path,
    maxBytes: 1e9,
    minFreeBytes: 0,
    whenFull: "drop_oldest",
    now: () => new Date(),
    inFlight: () => 0,
    onLost: (reason, rows, upTo) => void lost.push({ reason, rows, upTo }),
    onNote: (note) => void notes.push(note),
    ...overrides,
  });
  return { spool, path, lost, notes };
}

const bodies = (spool: Spool, after = 0) => spool.read(after, 1e9).map((record) => record.body);
/** Text that does not compress to nothing. */
const noise = (n: number) => Array.from({ length: n }, () => Math.random().toString(36).slice(2, 12)).join("");

describe("spool", () => {
  it("gives back what it took, oldest first, until it is removed", () => {
    const { spool } = open();
    const ids = ["a", "b", "c"].map((body, i) => spool.append(body, i + 1) as number);
    assert.deepEqual(bodies(spool), ["a", "b", "c"]);
    assert.deepEqual(spool.size(), { records: 3, rows: 6, bytes: spool.size().bytes });
    spool.remove(ids.slice(0, 1));
    assert.deepEqual(bodies(spool), ["b", "c"]);
    assert.deepEqual(bodies(spool, ids[1]), ["c"]);
    spool.remove(ids);
    assert.deepEqual(spool.size(), { records: 0, rows: 0, bytes: 0 });
    spool.close();
  });

  it("reads about as many rows as asked for, and at least one record", () => {
    const { spool } = open();
    for (const rows of [10, 10, 10]) spool.append("x", rows);
    assert.equal(spool.read(0, 1).length, 1);
    assert.equal(spool.read(0, 20).length, 2);
    assert.equal(spool.read(0, 25).length, 2);
    spool.close();
  });

  it("keeps what is written for as long as it is told to, apart from what waits", () => {
    let at = Date.parse("2026-03-01T12:00:00Z");
    const { spool, lost } = open({ keepFor: 60_000, maxBytes: 20_000, now: () => new Date(at) });
    const ids = Array.from({ length: 5 }, (_, i) => spool.append(`${i}`, 1) as number);
    assert.equal(spool.follow("one"), false, "the first is none other");
    assert.equal(spool.done(ids.slice(0, 2)), true);
    at += 30_000;
    spool.done(ids.slice(2, 4));
    assert.deepEqual([bodies(spool), spool.size().rows, spool.oldestAt()], [["4"], 1, at - 30_000]);
    assert.equal(spool.follow("one"), false);
    at += 30_001;
    spool.done(ids.slice(4));
    assert.deepEqual([bodies(spool), spool.size(), spool.oldestAt()], [[], { records: 0, rows: 0, bytes: 0 }, null]);
    assert.equal(spool.follow("two"), true);
    assert.deepEqual(bodies(spool), ["2", "3", "4"], "what was kept for longer has gone");
    assert.equal(spool.size().rows, 3);
    assert.equal(spool.follow("three"), false, "nothing is kept that could be written again");

    spool.done(spool.read(0, 9).map(({ id }) => id));
    const big = () => spool.append(noise(600), 1);
    while (spool.size().bytes < 19_000) assert.ok(big());
    assert.ok(big());
    assert.deepEqual(lost, [], "what is kept goes before what waits");
    for (let i = 0; i < 5; i++) big();
    assert.ok(lost.length > 0);
    spool.close();
  });

  it("keeps its records and its counts over a restart, and never gives an id twice", () => {
    const first = open();
    const id = first.spool.append("kept", 7) as number;
    const size = first.spool.size();
    first.spool.close();
    const second = open({ path: first.path });
    assert.deepEqual(second.spool.size(), size);
    assert.deepEqual(bodies(second.spool), ["kept"]);
    second.spool.remove([id]);
    assert.ok((second.spool.append("next", 1) as number) > id);
    second.spool.close();
  });

  it("is readable by its owner only", () => {
    const { spool, path } = open();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(path, "..")).mode & 0o777, 0o700);
    spool.close();
  });

  it("refuses a second collector, and lets it in when the first has gone", () => {
    const first = open();
    first.spool.append("mine", 1);
    assert.throws(() => open({ path: first.path }), /another gleaner runs on the spool .*GLEANER_DATA_DIR/);
    first.spool.close();
    const second = open({ path: first.path });
    assert.deepEqual(bodies(second.spool), ["mine"]);
    second.spool.close();
  });

  it("drops the oldest when full, counts them, and spares what is on its way into the database", () => {
    let inFlight = 0;
    const { spool, lost } = open({ maxBytes: 20_000, inFlight: () => inFlight });
    const first = spool.append(noise(500), 1) as number;
    inFlight = first;
    for (let i = 0; i < 20; i++) assert.ok(spool.append(noise(500), 1));
    const dropped = lost.reduce((sum, loss) => sum + loss.rows, 0);
    assert.ok(dropped > 0);
    assert.ok(lost.every((loss) => loss.reason === "spool_full" && loss.upTo > first));
    assert.equal(spool.size().rows + dropped, 21);
    assert.equal(spool.read(0, 1)[0]?.id, first);
    assert.ok(spool.size().bytes < 30_000);
    spool.close();
  });

  it("takes nothing more when full and told to block, and takes again when there is room", () => {
    const { spool, lost } = open({ maxBytes: 5_000, whenFull: "block" });
    const ids: number[] = [];
    for (let id = spool.append(noise(300), 1); id !== undefined; id = spool.append(noise(300), 1)) ids.push(id);
    assert.equal(spool.problem(), "the spool is full");
    assert.deepEqual(lost, []);
    spool.remove(ids);
    assert.ok(spool.append("x", 1));
    assert.equal(spool.problem(), undefined);
    spool.close();
  });

  it("on a disk that is short of space gives up about as much as comes, and not the backlog", () => {
    const { spool, path } = open();
    const [many, more] = [400, 200];
    for (let i = 0; i < many; i++) spool.append(noise(200), 1);
    spool.close();
    const short = open({ path, minFreeBytes: Number.MAX_SAFE_INTEGER });
    const before = statSync(path).size;
    for (let i = 0; i < more; i++) assert.ok(short.spool.append(noise(200), 1));
    const gone = short.lost.reduce((sum, { rows }) => sum + rows, 0);
    assert.ok(gone > more / 2 && gone < more * 1.5, `${gone} rows were given up for ${more}`);
    assert.equal(short.spool.size().rows, many + more - gone);
    short.spool.close();
    assert.ok(statSync(path).size <= before * 1.1, "the file does not grow");
  });

  it("counts a disk with too little space left as full", () => {
    const { spool } = open({ minFreeBytes: Number.MAX_SAFE_INTEGER });
    assert.equal(spool.append("x", 1), undefined);
    spool.close();
  });
});

describe("a spool whose file is removed under it", () => {
  it("goes on in a new file with everything that waited", () => {
    const clock = { at: Date.parse("2026-11-22T12:00:00Z") };
    const { spool, path, notes } = open({ now: () => new Date(clock.at) });
    const bodies = Array.from({ length: 150 }, (_, i) => `${i} ${noise(50)}`);
    for (const body of bodies) spool.append(body, 2);
    rmSync(dirname(path), { recursive: true });
    clock.at += 1_500;
    assert.notEqual(spool.append("the next", 1), undefined);
    assert.match(notes.join(), /was removed while it was in use; 300 rows were brought over/);
    assert.equal(spool.oldestAt(), clock.at - 1_500);
    spool.close();
    const again = open({ path }).spool;
    const found: (string | undefined)[] = [];
    for (let records = again.read(0, 1e6); records.length > 0; records = again.read(0, 1e6)) {
      found.push(...records.map(({ body }) => body));
      again.remove(records.map(({ id }) => id));
    }
    assert.deepEqual(found, [...bodies, "the next"]);
    again.close();
  });
});

describe("a damaged spool", () => {
  /** A closed spool of n records, one page or more each. */
  function filled(n: number): { path: string; bodies: string[] } {
    const { spool, path } = open();
    const written = Array.from({ length: n }, () => noise(400));
    for (const body of written) spool.append(body, 2);
    spool.close();
    return { path, bodies: written };
  }
  const overwrite = (path: string, at: number, bytes: Buffer) => {
    const file = openSync(path, "r+");
    writeSync(file, bytes, 0, bytes.length, at);
    closeSync(file);
  };

  it("that is no database at all is put aside, and a new one is started", () => {
    const { path } = filled(3);
    writeFileSync(path, noise(1_000));
    const { spool, notes } = open({ path });
    assert.equal(spool.append("works", 1) !== undefined, true);
    assert.match(notes[0] ?? "", /is damaged .* was kept as .*spool\.db\.damaged-/);
    assert.ok(readdirSync(join(path, "..")).some((name) => name.includes("damaged")));
    spool.close();
  });

  it("that is empty starts empty", () => {
    const { path } = filled(2);
    writeFileSync(path, "");
    rmSync(`${path}-wal`, { force: true });
    const { spool } = open({ path });
    assert.deepEqual(bodies(spool), []);
    spool.close();
  });

  it("of a newer gleaner is kept untouched", () => {
    const { path } = filled(2);
    const database = new DatabaseSync(path);
    database.exec("pragma user_version = 99");
    database.close();
    const { spool, notes, path: same } = open({ path });
    assert.deepEqual(bodies(spool), []);
    assert.match(notes[0] ?? "", /of a newer gleaner/);
    assert.equal(same, path);
    spool.close();
  });

  it("that lost its end gives back what is before it", () => {
    const { path, bodies: written } = filled(40);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, Math.floor(whole.length / 2 / 4_096) * 4_096));
    const { spool } = open({ path });
    const found = spool.read(0, 1e9).flatMap((record) => record.body ?? []);
    assert.ok(found.every((body) => written.includes(body)));
    assert.equal(spool.append("works", 1) !== undefined, true);
    spool.close();
  });

  it("whose first page is gone gives back all the others hold", () => {
    const first = open();
    const taken = Array.from({ length: 40 }, (_, i) => `${i} ${noise(500)}`);
    for (const body of taken) first.spool.append(body, 1);
    first.spool.close();
    const bytes = readFileSync(first.path);
    for (const [from, to] of [
      [0, 16],
      [28, 32],
      [0, 4_096],
    ] as const) {
      writeFileSync(first.path, Buffer.from(bytes).fill(0xff, from, to));
      const again = open({ path: first.path });
      assert.deepEqual(bodies(again.spool), taken, `bytes ${from} to ${to}`);
      assert.equal(again.notes.length, 1);
      assert.deepEqual(again.lost, []);
      again.spool.close();
      assert.deepEqual(
        readdirSync(dirname(first.path)).filter((name) => /-(new|mended)/.test(name)),
        [],
      );
    }
  });

  it("whose tree leads astray where SQLite does not notice ends all the same, with what can be found given back", () => {
    const whole = open();
    const taken = Array.from({ length: 60 }, (_, i) => `${i} ${noise(100)}`);
    for (const body of taken) whole.spool.append(body, 1);
    whole.spool.close();
    const good = readFileSync(whole.path);
    // The second page is the root of the records: its cells hold the ids that lead to the leaves.
    for (let at = 8_192 - 130; at < 8_192; at += 3) {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ 0x20;
      writeFileSync(whole.path, bytes);
      const { spool, lost, notes } = open({ path: whole.path });
      const found = new Set<string>();
      for (let turn = 0; spool.size().records > 0; turn++) {
        assert.ok(turn < 100, `byte ${at}: it does not end`);
        const records = spool.read(0, 50);
        for (const { body } of records) if (body !== undefined) found.add(body);
        spool.remove(records.map(({ id }) => id));
      }
      const gone = taken.filter((body) => !found.has(body)).length;
      const counted = lost.reduce((sum, { rows }) => sum + rows, 0);
      const told = Number(/(\d+) could not be read/.exec(notes.join())?.[1] ?? 0);
      assert.ok(
        gone <= Math.max(counted, told) && gone < 20,
        `byte ${at}: ${gone} are gone, ${counted} and ${told} told`,
      );
      spool.close();
    }
  });

  it("with a flipped bit in a body says so for that record only", () => {
    const { path, bodies: written } = filled(20);
    const file = openSync(path, "r");
    const { size } = fstatSync(file);
    closeSync(file);
    overwrite(path, size - 2_000, Buffer.from([0xff, 0x00, 0xff]));
    const { spool } = open({ path });
    const records = spool.read(0, 1e9);
    const good = records.filter((record) => record.body !== undefined);
    assert.ok(good.length >= 18 && good.length < 20, `${good.length} of 20`);
    assert.ok(good.every((record) => written.includes(record.body as string)));
    spool.close();
  });

  it("whatever happened to its bytes, starts, tells nothing wrong, and works", () => {
    const { path, bodies: written } = filled(30);
    const whole = readFileSync(path);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 600 })), { maxLength: 6 }),
        fc.option(fc.nat(whole.length)),
        (scribbles, cut) => {
          const hurt = Buffer.from(whole);
          for (const [at, bytes] of scribbles) hurt.set(bytes.subarray(0, hurt.length - at), at);
          const own = join(folder, `hurt-${files++}`, "spool.db");
          const { spool: maker } = open({ path: own });
          maker.close();
          writeFileSync(own, cut === null ? hurt : hurt.subarray(0, cut));
          const { spool } = open({ path: own });
          for (const { body } of spool.read(0, 1e9)) assert.ok(body === undefined || written.includes(body));
          const id = spool.append("after", 1) as number;
          assert.ok(id);
          const back = spool.read(id - 1, 1)[0];
          assert.equal(back?.body, "after");
          spool.close();
          rmSync(join(own, ".."), { recursive: true });
        },
      ),
      { numRuns: 60, examples: [[[], 139_269]] },
    );
  });
});

describe("spool against a model", () => {
  it("holds what was appended and not removed, over any sequence of appends, removals and restarts", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("append" as const), body: fc.string(), rows: fc.nat(50) }),
      fc.record({ kind: fc.constant("remove" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ kind: fc.constant("restart" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let { spool, path } = open();
        const model = new Map<number, { body: string; rows: number }>();
        for (const action of steps) {
          if (action.kind === "append") {
            model.set(spool.append(action.body, action.rows) as number, { body: action.body, rows: action.rows });
          } else if (action.kind === "remove") {
            const ids = [...model.keys()].slice(0, Math.floor(action.share * model.size));
            spool.remove(ids);
            for (const id of ids) model.delete(id);
          } else {
            spool.close();
            ({ spool, path } = open({ path }));
          }
          assert.deepEqual(
            bodies(spool),
            [...model.values()].map((entry) => entry.body),
          );
          assert.equal(
            spool.size().rows,
            [...model.values()].reduce((sum, entry) => sum + entry.rows, 0),
          );
        }
        spool.close();
      }),
      { numRuns: 60 },
    );
  });
});
