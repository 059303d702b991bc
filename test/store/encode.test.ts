import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MAX_KEY_TEXT, toCell, toKeyText } from "../../src/store/cells.ts";
import { arrayLiteral, copyText } from "../../src/store/engines/encode.ts";
import { canonicalJson, canonicalJsonText, cleanText } from "../../src/store/json.ts";
import { scrub } from "../../src/store/url.ts";

describe("PostgreSQL's text forms", () => {
  it("writes COPY lines", () => {
    const rows = [
      [0, "a\tb\\c\nd\re", null, 1.5, true],
      [1_772_366_400_000, "\\N", "{}", -1, false],
    ];
    assert.equal(
      copyText(["time", "text", "json", "double", "boolean"], rows),
      "1970-01-01T00:00:00.000Z\ta\\tb\\\\c\\nd\\re\t\\N\t1.5\ttrue\n2026-03-01T12:00:00.000Z\t\\\\N\t{}\t-1\tfalse\n",
    );
  });

  it("writes array literals", () => {
    const rows = [
      ['a"b\\', 1e308],
      [null, null],
      ["NULL", 2n ** 62n],
    ];
    assert.equal(arrayLiteral("text", rows, 0), '{"a\\"b\\\\",NULL,"NULL"}');
    assert.equal(arrayLiteral("double", rows, 1), "{1e+308,NULL,4611686018427387904}");
    assert.equal(arrayLiteral("time", [[0]], 0), '{"1970-01-01T00:00:00.000Z"}');
    assert.equal(arrayLiteral("text", [], 0), "{}");
  });

  it("never writes a separator that is not one", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText), { minLength: 1 }), (pairs) => {
        const lines = copyText(["text", "text"], pairs).split("\n");
        assert.equal(lines.pop(), "");
        assert.equal(lines.length, pairs.length);
        const back = lines.map((line) => line.split("\t").map(unescaped));
        assert.deepEqual(back, pairs);
      }),
    );
  });
});

describe("cells", () => {
  it("are what every engine can hold, whatever comes in", () => {
    const types = ["text", "double", "integer", "bigint", "boolean", "time", "json"] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.oneof(fc.anything(), fc.double(), fc.date({ noInvalidDate: false }), anyText),
        (type, value) => {
          const cell = toCell(type, value);
          assert.ok(cell === null || ["string", "number", "boolean", "bigint"].includes(typeof cell));
          if (typeof cell === "number") assert.ok(Number.isFinite(cell) && !Object.is(cell, -0));
          if (typeof cell === "string") assert.ok(cell.isWellFormed() && !cell.includes("\0"));
          if (type === "json" && cell !== null) JSON.parse(String(cell));
        },
      ),
    );
  });

  it("stay the same when they are fitted again", () => {
    fc.assert(fc.property(anyText, (text) => assert.equal(cleanText(cleanText(text)), cleanText(text))));
    fc.assert(
      fc.property(fc.jsonValue(), (value) =>
        assert.equal(canonicalJsonText(canonicalJson(value) ?? ""), canonicalJson(value)),
      ),
    );
  });

  it("keep bigints within 64 bits", () => {
    assert.equal(toCell("bigint", 2n ** 63n - 1n), 2n ** 63n - 1n);
    assert.equal(toCell("bigint", 2n ** 63n), null);
    assert.equal(toCell("bigint", 2 ** 63), null);
    assert.equal(toCell("bigint", -(2 ** 63)), -(2n ** 63n));
  });

  it("in keys are bounded and stay different", () => {
    const long = "é".repeat(MAX_KEY_TEXT);
    assert.equal(toKeyText(long), long);
    const [a, b] = [toKeyText(`${long}a`), toKeyText(`${long}b`)].map(String);
    assert.notEqual(a, b);
    assert.ok(Math.max(String(a).length, String(b).length) <= MAX_KEY_TEXT);
    const split = toKeyText(`${"x".repeat(MAX_KEY_TEXT - 45)}𝄞${"y".repeat(99)}`);
    assert.ok(String(split).isWellFormed());
  });
});

describe("canonical JSON", () => {
  it("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, fc.jsonValue()), (value) => {
        assert.equal(canonicalJson(value), canonicalJson(Object.fromEntries(Object.entries(value).reverse())));
      }),
    );
  });

  it("has no answer for what JSON cannot hold", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    for (const value of [cycle, deep, undefined, () => 1]) assert.equal(canonicalJson(value), undefined);
    assert.equal(canonicalJson(2n ** 70n), '"1180591620717411303424"');
  });
});

it("takes passwords out of text", () => {
  assert.equal(
    scrub("at postgres://u:p@ss@h/d?password=x&a=1 and redis://:pw@r:6379, api_key=abc; see http://h/p"),
    "at postgres://***@h/d?password=***&a=1 and redis://***@r:6379, api_key=*** see http://h/p",
  );
});

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom("\0", "\t", "\n", "\r", "\\", "N", "'", '"', "{", "\ud800"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});
const ESCAPED: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", "\\": "\\" };
const unescaped = (field: string) => field.replaceAll(/\\(.)/g, (_, c: string) => ESCAPED[c] ?? c);
