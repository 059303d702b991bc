import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fitOf, MAX_KEY_TEXT, toKeyText } from "../../src/store/cells.ts";
import { canonicalJson, canonicalJsonText, cleanText } from "../../src/store/json.ts";

describe("cells", () => {
  it("are what every engine can hold, whatever comes in", () => {
    const types = ["text", "double", "integer", "bigint", "boolean", "time", "json"] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc
          .oneof(fc.anything(), fc.double(), fc.date({ noInvalidDate: false }), anyText)
          .filter((value) => value !== null && value !== undefined),
        (type, value) => {
          const cell = fitOf(type)(value);
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
    assert.equal(fitOf("bigint")(2n ** 63n - 1n), 2n ** 63n - 1n);
    assert.equal(fitOf("bigint")(2n ** 63n), null);
    assert.equal(fitOf("bigint")(2 ** 63), null);
    assert.equal(fitOf("bigint")(-(2 ** 63)), -(2n ** 63n));
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

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom("\0", "\t", "\n", "\r", "\\", "N", "'", '"', "{", "\ud800"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});
