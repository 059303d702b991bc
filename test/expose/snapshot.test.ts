import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encode } from "../../src/expose/encode.ts";
import { createSnapshot } from "../../src/expose/snapshot.ts";
import { identity } from "../support/sample-line.ts";
import { counter, gauge, point, readBack } from "./support.ts";

const temperature = gauge("kit_temperature_celsius");
const up = gauge("kit_up");

function counted() {
  const drops: Record<string, number> = {};
  const onDropped = (reason: string, count: number): void => {
    drops[reason] = (drops[reason] ?? 0) + count;
  };
  return { drops, onDropped };
}

describe("replace, withdraw, remove", () => {
  test("replace swaps exactly what the slot had", async () => {
    const snapshot = createSnapshot();
    snapshot.replace("kit-1", "status", [point(up, { kit: "1" }, 1)]);
    snapshot.replace("kit-1", "drones", [
      point(temperature, { kit: "1", s: "a" }, 1),
      point(temperature, { kit: "1", s: "b" }, 2),
    ]);
    snapshot.replace("kit-1", "drones", [point(temperature, { kit: "1", s: "b" }, 3)]);
    assert.deepEqual(
      await readBack(snapshot.families()),
      new Map([
        [
          identity({
            name: "kit_temperature_celsius",
            labels: [
              ["kit", "1"],
              ["s", "b"],
            ],
          }),
          3,
        ],
        [identity({ name: "kit_up", labels: [["kit", "1"]] }), 1],
      ]),
    );
    snapshot.withdraw("kit-1", "drones");
    assert.equal(snapshot.size(), 1);
    snapshot.remove("kit-1");
    snapshot.remove("kit-1");
    assert.equal((await encode(snapshot.families(), "text")).toString(), "");
    assert.equal((await encode(snapshot.families(), "openmetrics")).toString(), "# EOF\n");
  });

  test("slots keep their order, and series come as their points came", async () => {
    const snapshot = createSnapshot();
    snapshot.replace("b", "x", [point(up, { kit: "b" }, 1)]);
    snapshot.replace("a", "x", [point(up, { kit: "a" }, 1)]);
    await encode(snapshot.families(), "text");
    snapshot.replace("b", "x", [point(up, { kit: "c" }, 1), point(up, { kit: "b" }, 2)]);
    const text = (await encode(snapshot.families(), "text")).toString();
    assert.deepEqual(text.split("\n").slice(2, -1), ['kit_up{kit="c"} 1', 'kit_up{kit="b"} 2', 'kit_up{kit="a"} 1']);
  });

  test("a cut does not change afterwards, and what replaces it shows no torn state", async () => {
    const snapshot = createSnapshot();
    const state = gauge("kit_state");
    const states = (online: number) => [
      point(state, { s: "online" }, online),
      point(state, { s: "offline" }, 1 - online),
    ];
    snapshot.replace("kit", "state", states(1));
    await readBack(snapshot.families());
    const before = snapshot.families();
    snapshot.replace("kit", "state", states(0));
    const after = snapshot.families();
    snapshot.remove("kit");
    snapshot.replace("other", "state", states(0.5));
    assert.deepEqual([...(await readBack(before)).values()], [1, 0]);
    assert.deepEqual([...(await readBack(after)).values()], [0, 1]);
    assert.deepEqual([...(await readBack(snapshot.families())).values()], [0.5, 0.5]);
  });
});

test("a scrape that ends after a later one spoils nothing", async () => {
  const snapshot = createSnapshot();
  const show = (...kits: string[]) =>
    snapshot.replace(
      "o",
      "s",
      kits.map((kit, i) => point(up, { kit }, i)),
    );
  const lines = async () => (await encode(snapshot.families(), "text")).toString().split("\n").slice(2, -1);
  show("aa", "b", "c");
  const slow = snapshot.families();
  show("b", "c", "d");
  await lines();
  assert.deepEqual([...(await readBack(slow)).values()], [0, 1, 2]);
  snapshot.replace(
    "o",
    "s",
    ["b", "c", "d"].map((kit) => point(up, { kit }, 7)),
  );
  assert.deepEqual(await lines(), ['kit_up{kit="b"} 7', 'kit_up{kit="c"} 7', 'kit_up{kit="d"} 7']);
  show("d", "c", "e");
  assert.deepEqual(await lines(), ['kit_up{kit="d"} 0', 'kit_up{kit="c"} 1', 'kit_up{kit="e"} 2']);
});

describe("what is not exposed is counted", () => {
  test("a series another slot holds, whatever the order of its labels", async () => {
    const { drops, onDropped } = counted();
    const snapshot = createSnapshot({ onDropped });
    snapshot.replace("a", "x", [point(up, { kit: "1", site: "s" }, 1)]);
    snapshot.replace("b", "x", [
      point(up, { site: "s", kit: "1" }, 2),
      point(up, { kit: "1", site: "s", empty: "" }, 3),
    ]);
    snapshot.replace("a", "y", [point(up, { kit: "1", site: "s" }, 4), point(up, { kit: "2", site: "s" }, 5)]);
    assert.deepEqual(drops, { conflict: 3 });
    assert.deepEqual([...(await readBack(snapshot.families())).values()], [1, 5]);
    snapshot.remove("a");
    snapshot.replace("b", "x", [point(up, { kit: "1", site: "s" }, 2)]);
    assert.deepEqual([...(await readBack(snapshot.families())).values()], [2], "free once its holder is gone");
  });

  test("label values that look like other labels are no other series", async () => {
    const pairs: readonly [Record<string, string>, Record<string, string>][] = [
      [{ a: "x", b: "y" }, { a: 'x",b="y' }],
      [{ a: 'x",b="y' }, { a: "x", b: "y" }],
      [{ a: "x\\\\" }, { a: "x\\" }],
      [{ a: "x\\" }, { a: "x\\\\" }],
      [{ a: "x\n" }, { a: "x\\n" }],
      [
        { a: "x", b: "y", c: "z" },
        { a: 'x",b="y', c: "z" },
      ],
      [{ a: "\ufffd" }, { a: "\ufffd\ufffd" }],
    ];
    for (const [first, second] of pairs) {
      const snapshot = createSnapshot();
      for (const labels of [first, second, first]) {
        snapshot.replace("o", "s", [point(up, labels, 1)]);
        const expected = identity({ name: "kit_up", labels: Object.entries(labels) });
        assert.deepEqual([...(await readBack(snapshot.families())).keys()], [expected]);
      }
    }
  });

  test("the same series twice in one replace: the first stays", async () => {
    const { drops, onDropped } = counted();
    const snapshot = createSnapshot({ onDropped });
    const twice = [point(up, { a: "\ud800" }, 1), point(up, { a: "\ud801" }, 2), point(up, { a: "\ufffd" }, 3)];
    snapshot.replace("a", "x", twice);
    snapshot.replace("a", "x", twice);
    assert.deepEqual(drops, { duplicate: 4 }, "lone surrogates are one series once they are UTF-8");
    assert.deepEqual([...(await readBack(snapshot.families())).values()], [1]);
  });

  test("bad names, labels and values leave nothing behind", () => {
    const { drops, onDropped } = counted();
    const snapshot = createSnapshot({ onDropped });
    const bad = [
      ...["", "1x", "a-b", "a b", "_reserved", "ümlaut"].map((name) => point(gauge(name), {}, 1)),
      point(counter("polls"), {}, 1),
      point(counter("_total"), {}, 1),
      ...["", "1x", "a-b", "_a", "__name__", "__proto__", "a:b"].map((label) =>
        point(up, Object.fromEntries([[label, "x"]]), 1),
      ),
      point(up, { a: 1 as unknown as string }, 1),
      point(counter("polls_total"), {}, -1),
      point(counter("polls_total"), {}, Number.NaN),
      point(up, {}, "1" as unknown as number),
    ];
    snapshot.replace("a", "x", bad);
    assert.deepEqual(drops, { bad_name: 8, bad_label: 8, bad_value: 3 });
    assert.equal(snapshot.size(), 0);
    assert.deepEqual(snapshot.families(), []);
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  test("a series whose value goes bad is withdrawn", () => {
    const { drops, onDropped } = counted();
    const snapshot = createSnapshot({ onDropped });
    const polls = counter("polls_total");
    snapshot.replace("a", "x", [point(polls, { kit: "1" }, 1)]);
    snapshot.replace("a", "x", [point(polls, { kit: "1" }, Number.NaN)]);
    assert.deepEqual(drops, { bad_value: 1 });
    assert.equal(snapshot.size(), 0);
  });

  test("names that would clash in one of the formats", () => {
    const { drops, onDropped } = counted();
    const snapshot = createSnapshot({ onDropped });
    snapshot.reserve(["gleaner_build_info"]);
    snapshot.replace("a", "x", [
      point(counter("polls_total"), {}, 1),
      point(gauge("polls"), {}, 1),
      point(gauge("polls_created"), {}, 1),
      point(gauge("errors"), {}, 1),
      point(counter("errors_total"), {}, 1),
      point(gauge("gleaner_build_info"), {}, 1),
    ]);
    assert.deepEqual(drops, { name_clash: 4 });
    snapshot.remove("a");
    snapshot.replace("b", "x", [point(gauge("polls"), {}, 1), point(counter("errors_total"), {}, 1)]);
    assert.equal(snapshot.size(), 2, "names are free once their family is gone");
  });

  test("what is over the limit, and a full snapshot still swaps", async () => {
    const { drops, onDropped } = counted();
    const snapshot = createSnapshot({ onDropped, maxSeries: 2 });
    const three = (from: number) => [0, 1, 2].map((i) => point(up, { kit: String(from + i) }, i));
    snapshot.replace("a", "x", three(0));
    snapshot.replace("a", "x", three(10));
    assert.deepEqual(drops, { series_limit: 2 });
    assert.equal(snapshot.size(), 2);
    assert.deepEqual([...(await readBack(snapshot.families())).values()], [0, 1]);
  });

  test("a family given again with another header: the first wins while it lives", async () => {
    const snapshot = createSnapshot();
    snapshot.replace("a", "x", [point(gauge("v", { help: "first" }), { k: "1" }, 1)]);
    snapshot.replace("b", "x", [point(gauge("v", { help: "second", type: "counter" }), { k: "2" }, -2)]);
    assert.match((await encode(snapshot.families(), "text")).toString(), /^# HELP v first\n# TYPE v gauge\n/);
    snapshot.remove("a");
    snapshot.remove("b");
    snapshot.replace("c", "x", [point(gauge("v", { help: "third" }), {}, 1)]);
    assert.match((await encode(snapshot.families(), "text")).toString(), /^# HELP v third\n/);
  });
});

test("years of replaces with ever new names, owners and labels leave nothing behind", { timeout: 30_000 }, async () => {
  const snapshot = createSnapshot();
  const gc = globalThis.gc ?? (await exposeGc());
  const churn = async (from: number, scrapes: boolean): Promise<void> => {
    for (let i = from; i < from + 20_000; i++) {
      const owner = `owner-${i}`;
      snapshot.replace(owner, "x", [
        point(gauge(`family_${i % 500}`), { kit: owner, [`label_${i % 300}`]: "x" }, i),
        point(up, { kit: owner }, i),
      ]);
      snapshot.replace("steady", "x", [point(up, { kit: "steady", generation: String(i) }, i)]);
      if (scrapes && i % 2_000 === 0) await encode(snapshot.families(), "text");
      if (i % 2 === 0) snapshot.remove(owner);
      else snapshot.withdraw(owner, "x");
    }
  };
  await churn(0, true);
  gc();
  const before = process.memoryUsage().heapUsed;
  await churn(1_000_000, false);
  gc();
  const grown = process.memoryUsage().heapUsed - before;
  assert.equal(snapshot.size(), 1);
  assert.ok(grown < 1_000_000, `heap grew by ${grown} bytes over 20,000 owners`);
});

async function exposeGc(): Promise<() => void> {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
