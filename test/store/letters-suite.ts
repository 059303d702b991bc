import assert from "node:assert/strict";
import { after as afterAll, before, describe, it } from "node:test";
import fc from "fast-check";
import { type Letters, withLetters } from "../../src/store/inspect.ts";
import { type Bench, contents, type Subject } from "./harness.ts";
import { after, batch, drone, T0 } from "./make.ts";

/** What every engine must do with rows that it refuses: here drones named poison-…. */
export function lettersSuite(subject: Subject): void {
  describe(`dead letters on ${subject.name}`, { timeout: 60_000 }, () => {
    let bench: Bench;
    before(async () => {
      bench = await subject.open();
      await bench.refuse("drone_id", "poison-%");
    });
    afterAll(() => bench.close());
    const letters = <T>(work: (letters: Letters) => Promise<T>) => withLetters(bench.url, work);
    const write = (target: string, ids: readonly string[]) =>
      bench.store.writeBatches([
        batch({ target, health: "kit", rows: ids.map((id) => drone(id, T0, { lat: 1.5, extra: '{"a":[1]}' })) }),
      ]);
    const lettersOf = async (target: string) =>
      (await letters(({ list }) => list(10_000))).filter(({ row }) => row["kit_id"] === target);
    const dronesOf = async (target: string) =>
      (await contents(bench, "drones", `kit_id = '${target}'`)).map((row) => row["drone_id"]);

    it("whatever rows of a write are bad: exactly they are letters, once, and all others are stored", async () => {
      let run = 0;
      const ids = fc.uniqueArray(fc.tuple(fc.boolean(), fc.nat(99)), { maxLength: 40, selector: ([, n]) => n });
      await fc.assert(
        fc.asyncProperty(ids, async (given) => {
          const target = `any${++run}`;
          const names = given.map(([bad, n]) => (bad ? `poison-${n}` : `good-${n}`));
          const bad = names.filter((name) => name.startsWith("poison")).toSorted();
          const good = names.filter((name) => name.startsWith("good")).toSorted();
          const counts = await write(target, names);
          assert.deepEqual(counts.stored["drones"] ?? 0, good.length);
          assert.deepEqual(counts.refused["drones"] ?? 0, bad.length);
          const again = await write(target, names);
          assert.deepEqual([again.stored["drones"] ?? 0, again.duplicate["drones"] ?? 0], [0, good.length]);
          assert.deepEqual(await dronesOf(target), good);
          assert.deepEqual((await lettersOf(target)).map(({ row }) => row["drone_id"]).toSorted(), bad);
        }),
        { numRuns: 15 },
      );
    });

    it("a letter has the row by column, its table, its time and a reason without secrets", async () => {
      const begun = Date.now();
      await write("tells", ["poison-1"]);
      const [letter, ...others] = await lettersOf("tells");
      assert.ok(letter && others.length === 0);
      assert.match(letter.id, /^[\w+/=-]{20,}$/);
      assert.equal(letter.table, "drones");
      assert.match(letter.reason, /poison/);
      assert.ok(letter.time.getTime() >= begun - 1_000 && letter.time.getTime() <= Date.now() + 1_000);
      const given = Object.fromEntries(Object.entries(letter.row).filter(([, value]) => value !== null));
      assert.deepEqual(given, {
        ...{ time: T0.getTime(), received_at: after(20).getTime(), kit_id: "tells", drone_id: "poison-1" },
        ...{ track_type: "drone", lat: 1.5, extra: '{"a":[1]}' },
      });
    });

    it("a dropped letter is gone, and its row with it", async () => {
      await write("drops", ["poison-1", "poison-2"]);
      const [one, two] = await lettersOf("drops");
      assert.ok(one && two);
      assert.equal(await letters(({ drop }) => drop([one.id, "no such letter"])), 1);
      assert.deepEqual(
        (await lettersOf("drops")).map(({ id }) => id),
        [two.id],
      );
      assert.equal(await letters(({ drop }) => drop([])), 0);
    });

    it("a letter that is tried again stays while the row is refused, and is a row like others once it is not", async () => {
      await write("again", ["poison-1", "poison-2", "good"]);
      const [one, two] = await lettersOf("again");
      assert.ok(one && two);
      await assert.rejects(
        letters(({ retry }) => retry(one)),
        /poison/,
      );
      assert.equal((await lettersOf("again")).length, 2);
      await bench.accept();
      try {
        await letters(async ({ retry }) => {
          await retry(one);
          await retry(two);
        });
      } finally {
        await bench.refuse("drone_id", "poison-%");
      }
      assert.deepEqual(await lettersOf("again"), []);
      const rows = await contents(bench, "drones", "kit_id = 'again'");
      const [good, ...bad] = rows.toSorted((a, b) => String(a["drone_id"]).localeCompare(String(b["drone_id"])));
      assert.deepEqual(
        bad,
        ["poison-1", "poison-2"].map((drone_id) => ({ ...good, drone_id })),
      );
    });
  });
}
