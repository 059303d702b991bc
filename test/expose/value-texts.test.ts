import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatValue } from "../../src/expose/format.ts";
import { growingBuffer } from "../../src/expose/growing-buffer.ts";
import { createValueTexts } from "../../src/expose/value-texts.ts";

const special = fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 1e21, 5e-324, 2 ** 53 + 2);
const value = fc.oneof({ weight: 8, arbitrary: fc.double() }, { weight: 4, arbitrary: fc.integer() }, special);

test("values come as each would be written alone, in order, in batches with and without those JSON has no text for", () => {
  const plain = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 40 });
  const lists = fc.oneof(plain, fc.array(value, { maxLength: 40 }));
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 40 }), (some, times) => {
      const values = Array.from({ length: times }, () => some).flat();
      let taken = 0;
      const texts = createValueTexts((batch, most) => {
        batch.push(...values.slice(taken, taken + most));
        taken += most;
      });
      const out = growingBuffer(1);
      for (const _ of values) {
        texts.append(out);
        out.byte(0x20);
      }
      assert.equal(String(out.bytes()), values.map((each) => `${formatValue(each)} `).join(""));
    }),
  );
});
