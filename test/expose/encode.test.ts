import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { encode } from "../../src/expose/encode.ts";
import { allowedUnit, formatBound, formatValue } from "../../src/expose/format.ts";
import { createSnapshot } from "../../src/expose/snapshot.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { identity } from "../support/sample-line.ts";
import { parseText } from "../support/text-format.ts";
import { counter, gauge, point, read } from "./support.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(
      '"',
      "\\",
      "\n",
      "\r",
      "\0",
      "{",
      "}",
      ",",
      "=",
      " ",
      "#",
      "\u2028",
      "\ud800",
      "é",
      "日",
      "😀",
    ),
  }),
);
const labelName = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/);
const anyValue = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    Number.NaN,
    Infinity,
    -Infinity,
    -0,
    0,
    1e308,
    5e-324,
    2 ** 53 + 2,
    -(2 ** 63),
    2 ** 64,
    1e21,
    123456789012345680000,
    0.1,
    1e-7,
  ),
);
const anyPoints = fc.array(
  fc.record({ labels: fc.dictionary(labelName, anyText, { maxKeys: 4 }), value: anyValue, help: anyText }),
  { maxLength: 12 },
);

test("labels, help and values of any kind are read back equal from both formats", async () => {
  await fc.assert(
    fc.asyncProperty(anyPoints, async (given) => {
      const family = gauge("any_value", { help: given[0]?.help ?? "" });
      const snapshot = createSnapshot();
      snapshot.replace(
        "o",
        "s",
        given.map(({ labels, value }) => point(family, labels, value)),
      );
      const expected = new Map<string, number>();
      for (const { labels, value } of given) {
        // UTF-8 has no lone surrogates: they are U+FFFD, here as there.
        const wellFormed = Object.entries(labels).map(([name, text]): [string, string] => [name, text.toWellFormed()]);
        const id = identity({ name: "any_value", labels: wellFormed });
        if (!expected.has(id)) expected.set(id, value);
      }
      const text = await encode(snapshot.families(), "text");
      const openMetrics = await encode(snapshot.families(), "openmetrics");
      assert.deepEqual([...read(text, "text")], [...expected]);
      assert.deepEqual([...read(openMetrics, "openmetrics")], [...expected]);
      for (const read of [parseText(text), parseOpenMetrics(openMetrics)]) {
        if (given.length > 0) assert.equal(read[0]?.help, family.help.toWellFormed());
      }
    }),
    { numRuns: 500 },
  );
});

test("values are written as Go's ParseFloat reads them", () => {
  const written = [Number.NaN, Infinity, -Infinity, -0, 0, 1e308, 2 ** 53 + 2, 1e21, 5e-324, -1.5].map(formatValue);
  assert.deepEqual(written, [
    "NaN",
    "+Inf",
    "-Inf",
    "-0",
    "0",
    "1e+308",
    "9007199254740994",
    "1e+21",
    "5e-324",
    "-1.5",
  ]);
  assert.deepEqual(["+Inf", 1, 0.5, -2, 1e21].map(formatBound), ["+Inf", "1.0", "0.5", "-2.0", "1e+21"]);
});

describe("headers", () => {
  const families = (() => {
    const snapshot = createSnapshot();
    snapshot.replace("o", "s", [
      point({ name: "wait_seconds_total", type: "counter", help: 'A "wait"\\\n.', unit: "seconds" }, { kit: "1" }, 2),
      point(gauge("altitude_meters", { unit: "meters" }), {}, 3),
      point(gauge("kit_info", { unit: "info" }), {}, 1),
      point(gauge("load", { unit: "ratio" }), {}, 1),
    ]);
    return snapshot.families();
  })();

  test("in text 0.0.4", async () => {
    assert.equal(
      (await encode(families, "text")).toString(),
      [
        "# HELP altitude_meters Help of altitude_meters.",
        "# TYPE altitude_meters gauge",
        "altitude_meters 3",
        "# HELP kit_info Help of kit_info.",
        "# TYPE kit_info gauge",
        "kit_info 1",
        "# HELP load Help of load.",
        "# TYPE load gauge",
        "load 1",
        '# HELP wait_seconds_total A "wait"\\\\\\n.',
        "# TYPE wait_seconds_total counter",
        'wait_seconds_total{kit="1"} 2',
        "",
      ].join("\n"),
    );
  });

  test("in OpenMetrics: base names, units only as suffixes, the end marked", async () => {
    assert.equal(
      (await encode(families, "openmetrics")).toString(),
      [
        "# TYPE altitude_meters gauge",
        "# UNIT altitude_meters meters",
        "# HELP altitude_meters Help of altitude_meters.",
        "altitude_meters 3",
        "# TYPE kit_info gauge",
        "# HELP kit_info Help of kit_info.",
        "kit_info 1",
        "# TYPE load gauge",
        "# HELP load Help of load.",
        "load 1",
        "# TYPE wait_seconds counter",
        "# UNIT wait_seconds seconds",
        '# HELP wait_seconds A \\"wait\\"\\\\\\n.',
        'wait_seconds_total{kit="1"} 2',
        "# EOF",
        "",
      ].join("\n"),
    );
  });

  test("a unit with a newline in it forges nothing", () => {
    assert.equal(allowedUnit({ name: "x_a\nb 1", type: "gauge", unit: "a\nb 1" }), undefined);
  });
});

describe("large expositions", () => {
  const family = gauge("large_celsius");
  const SERIES = 40_000;
  const fill = (value: (i: number) => number) =>
    Array.from({ length: SERIES }, (_, i) => point(family, { kit: `kit-${i}` }, value(i)));

  test("lines that stayed are copied, whatever came, went or changed between them", async () => {
    const snapshot = createSnapshot();
    const fresh = createSnapshot();
    for (const round of [0, 1, 2]) {
      const points = fill((i) => (i % 7 === round ? Math.sqrt(i + round) : i)).filter((_, i) => (i + round) % 3 !== 0);
      for (let part = 0; part < 4; part++) {
        snapshot.replace(
          `owner-${part}`,
          "s",
          points.filter((_, i) => i % 4 === part),
        );
      }
      await encode(snapshot.families(), "text");
    }
    const points = fill((i) => (i % 7 === 2 ? Math.sqrt(i + 2) : i)).filter((_, i) => (i + 2) % 3 !== 0);
    fresh.replace("owner", "s", points);
    const sorted = (body: Buffer): string[] => body.toString().split("\n").toSorted();
    assert.deepEqual(sorted(await encode(snapshot.families(), "text")), sorted(await encode(fresh.families(), "text")));
  });

  test("encoding lets the event loop turn", async () => {
    const snapshot = createSnapshot();
    snapshot.replace("o", "s", fill(Math.sqrt));
    let turns = 0;
    let encoding = true;
    const turn = (): void => {
      turns += 1;
      if (encoding) setImmediate(turn);
    };
    setImmediate(turn);
    await encode(snapshot.families(), "text");
    encoding = false;
    assert.ok(turns >= SERIES / 4_000, `${turns} turns for ${SERIES} series`);
  });

  test("changes while it is being written do not show, and are not lost", async () => {
    const snapshot = createSnapshot();
    snapshot.replace(
      "o",
      "s",
      fill(() => 1),
    );
    const first = encode(snapshot.families(), "text");
    await new Promise((resolve) => setImmediate(resolve));
    snapshot.replace("o", "s", fill(() => 2).slice(1));
    const [before, after] = [await first, await encode(snapshot.families(), "text")];
    assert.deepEqual(new Set(read(before, "text").values()), new Set([1]));
    assert.deepEqual(new Set(read(after, "text").values()), new Set([2]));
    assert.equal(read(before, "text").size - read(after, "text").size, 1);
  });

  test("families come sorted by name", async () => {
    const snapshot = createSnapshot();
    for (const name of ["c", "a", "b"]) snapshot.replace(name, "s", [point(counter(`${name}_total`), {}, 1)]);
    const names = parseOpenMetrics(await encode(snapshot.families(), "openmetrics")).map(({ name }) => name);
    assert.deepEqual(names, ["a", "b", "c"]);
  });
});
