import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasKey, keyOf } from "../../src/expose/key.ts";

/** Made of what keys are made of, so that different labels often read alike. */
const text = fc.string({
  unit: fc.constantFrom("a", "b", '"', "\\", "\n", ",", "=", "{", "}", "\ud800", "\ufffd"),
  maxLength: 5,
});
const twisted = fc.oneof(fc.constantFrom("a", "b", 'b",a="b', "b\\", "b\\\\", 'a="b",b', "\ufffd"), text);
const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom("a", "b", "ab") }, { weight: 1, arbitrary: twisted });
const labels = fc.dictionary(name, twisted, { maxKeys: 3 });
/** Two labels in the value, or in the name, of one: written without escapes they read the same. */
const forged = (given: Readonly<Record<string, string>>): Record<string, string>[] => {
  const [[a, x] = [], [b, y] = [], ...rest] = Object.entries(given);
  if (b === undefined) return [];
  const more = Object.fromEntries(rest);
  return [
    { [String(a)]: `${x}",${b}="${y}`, ...more },
    { [`${a}="${x}",${b}`]: String(y), ...more },
  ];
};

test("labels that seem to have a key have it, and plain ones are seen to", () => {
  fc.assert(
    fc.property(labels, labels, (some, others) => {
      const names: string[] = [];
      const key = keyOf(names, some);
      if (key === undefined) return;
      for (const given of [others, ...forged(some)]) if (hasKey(key, given)) assert.equal(keyOf(names, given), key);
      const isPlain = Object.values(some).every((value) => /^[ab,={}\ufffd]*$/.test(value));
      // Without reordering: the names came in this order.
      if (isPlain) assert.ok(hasKey(key, some));
    }),
    { numRuns: 20_000 },
  );
});

test("equal labels have equal keys, whatever their order and without empty ones", () => {
  fc.assert(
    fc.property(labels, fc.constantFrom("a", "b", "c"), (given, empty) => {
      const names: string[] = [];
      const key = keyOf(names, given);
      if (key === undefined) return;
      assert.equal(keyOf(names, Object.fromEntries(Object.entries(given).reverse())), key);
      if (!Object.hasOwn(given, empty)) assert.equal(keyOf(names, { [empty]: "", ...given }), key);
    }),
  );
});
