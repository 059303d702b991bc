import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { days, formatDuration, hours, minutes, parseDuration, seconds } from "../../src/model/duration.ts";

const cases: readonly (readonly [string | number, number])[] = [
  ["5s", 5_000],
  ["250ms", 250],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["7d", 604_800_000],
  ["1.5h", 5_400_000],
  [" 5 s ", 5_000],
  ["5", 5_000],
  ["5.0", 5_000],
  [5, 5_000],
  [0.25, 250],
  [0, 0],
];

for (const [given, expected] of cases) {
  test(`parseDuration(${JSON.stringify(given)})`, () => assert.equal(parseDuration(given), expected));
}

for (const given of [
  "",
  "s",
  "-5s",
  "5 seconds",
  "1h30m",
  "5S",
  "0x10",
  "1e3",
  "5ss",
  ".5",
  -1,
  Number.NaN,
  Infinity,
]) {
  test(`parseDuration(${JSON.stringify(given)}) of ${given} is refused`, () => {
    assert.throws(() => parseDuration(given), RangeError);
  });
}

test("formatDuration takes the largest unit that stays whole", () => {
  const shown = [0, 250, 1_500, 90_000, 3_600_000, 86_400_000, 90_000_000].map(formatDuration);
  assert.deepEqual(shown, ["0ms", "250ms", "1.5s", "90s", "1h", "1d", "25h"]);
});

test("what formatDuration writes, parseDuration reads", () => {
  fc.assert(fc.property(fc.nat({ max: 400 * 86_400_000 }), (ms) => parseDuration(formatDuration(ms)) === ms));
});

test("a number of seconds, with or without unit, is the same", () => {
  fc.assert(
    fc.property(fc.nat(), (n) => parseDuration(n) === parseDuration(`${n}s`) && parseDuration(n) === seconds(n)),
  );
});

test("units", () => {
  assert.deepEqual([seconds(2), minutes(2), hours(2), days(2)], [2_000, 120_000, 7_200_000, 172_800_000]);
});
