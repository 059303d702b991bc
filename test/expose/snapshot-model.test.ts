import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encode } from "../../src/expose/encode.ts";
import { createSnapshot } from "../../src/expose/snapshot.ts";
import type { Point } from "../../src/expose/types.ts";
import { identity } from "../support/sample-line.ts";
import { gauge, point, read } from "./support.ts";

/** Now and then there is no room for all. */
const MAX_SERIES = 8;

/** The plainest snapshot: a list of series, searched from the front each time. */
function naiveSnapshot() {
  let series: { owner: string; slot: string; id: string; value: number }[] = [];
  const drops = { conflict: 0, duplicate: 0, series_limit: 0 };
  const idOf = ({ family, labels }: Point): string => identity({ name: family.name, labels: Object.entries(labels) });
  return {
    drops,
    replace(owner: string, slot: string, points: readonly Point[]): void {
      const mine = points.map((given) => ({ owner, slot, id: idOf(given), value: given.value }));
      const others = series.filter((held) => held.owner !== owner || held.slot !== slot);
      const wanted = mine.filter((given, i) => {
        if (mine.findIndex(({ id }) => id === given.id) < i) {
          // A second point of a series that another slot holds is one more conflict, not a duplicate.
          drops[others.some(({ id }) => id === given.id) ? "conflict" : "duplicate"] += 1;
          return false;
        }
        if (others.some(({ id }) => id === given.id)) {
          drops.conflict += 1;
          return false;
        }
        return true;
      });
      // Those that were there before stay; the others get room family by family.
      const isKept = ({ id }: { id: string }): boolean => series.some((held) => held.id === id);
      const newcomers = [...Map.groupBy(wanted, ({ id }) => nameOf(id)).values()].flat().filter((it) => !isKept(it));
      const room = MAX_SERIES - others.length - wanted.filter(isKept).length;
      const refused = newcomers.slice(Math.max(0, room));
      drops.series_limit += refused.length;
      const accepted = wanted.filter((given) => !refused.includes(given));
      for (const name of new Set([...series, ...accepted].map(({ id }) => nameOf(id)))) {
        // A slot keeps its place in a family as long as it has any of it, and shows its series as they came.
        const isMine = (held: (typeof series)[number]): boolean =>
          held.owner === owner && held.slot === slot && nameOf(held.id) === name;
        const place = series.findIndex(isMine);
        const rest = series.filter((held) => !isMine(held));
        series = rest.toSpliced(
          place < 0 ? rest.length : place,
          0,
          ...accepted.filter(({ id }) => nameOf(id) === name),
        );
      }
    },
    remove(owner: string): void {
      series = series.filter((held) => held.owner !== owner);
    },
    /** Per family, in order. */
    read: (): Map<string, number> =>
      new Map(
        series
          .toSorted((a, b) => nameOf(a.id).localeCompare(nameOf(b.id)))
          .map(({ id, value }): [string, number] => [id, value]),
      ),
  };
}

const nameOf = (id: string): string => JSON.parse(id)[0];

const value = fc.oneof(fc.constantFrom(0, -0, 1, Number.NaN, Number.POSITIVE_INFINITY), fc.double());
const label = fc.constantFrom("x", "y", 'q"', "b\\", "b\\\\", "", 'x",b="y');
const labels = fc
  .record({ a: label, b: label }, { requiredKeys: [] })
  .chain((given) => fc.boolean().map((turn) => (turn ? Object.fromEntries(Object.entries(given).reverse()) : given)));
const points = fc.array(
  fc.tuple(fc.constantFrom("alpha", "beta"), labels, value).map(([name, given, v]) => point(gauge(name), given, v)),
  { maxLength: 8 },
);
const owner = fc.constantFrom("o1", "o2");
const slot = fc.constantFrom("s1", "s2");
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("replace" as const), owner, slot, points }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("withdraw" as const), owner, slot }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), owner }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("scrape" as const), meanwhile: points }) },
);

test("any sequence of changes and scrapes gives what a naive list gives, in the same order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const drops = { conflict: 0, duplicate: 0, series_limit: 0 };
      const snapshot = createSnapshot({
        maxSeries: MAX_SERIES,
        onDropped: (reason, count) => {
          assert.ok(reason === "conflict" || reason === "duplicate" || reason === "series_limit");
          drops[reason] += count;
        },
      });
      const model = naiveSnapshot();
      for (const action of [...steps, { kind: "scrape" as const, meanwhile: [] }]) {
        if (action.kind === "replace") {
          snapshot.replace(action.owner, action.slot, action.points);
          model.replace(action.owner, action.slot, action.points);
        } else if (action.kind === "withdraw") {
          snapshot.withdraw(action.owner, action.slot);
          model.replace(action.owner, action.slot, []);
        } else if (action.kind === "remove") {
          snapshot.remove(action.owner);
          model.remove(action.owner);
        } else {
          const expected = model.read();
          const size = snapshot.size();
          // Two scrapes that overlap each other and a change: both must show the moment they began.
          const scrapes = Promise.all([
            encode(snapshot.families(), "text"),
            encode(snapshot.families(), "openmetrics"),
          ]);
          snapshot.replace("o1", "s1", action.meanwhile);
          model.replace("o1", "s1", action.meanwhile);
          const [text, openMetrics] = await scrapes;
          assert.deepEqual([...read(text, "text")], [...expected]);
          assert.deepEqual([...read(openMetrics, "openmetrics")], [...expected]);
          assert.equal(size, expected.size);
        }
      }
      assert.deepEqual(drops, model.drops);
    }),
    { numRuns: 500 },
  );
});
