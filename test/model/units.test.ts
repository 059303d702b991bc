import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UNITS } from "../../src/model/sample.ts";
import { toUtc } from "../../src/model/time.ts";
import { baseUnit, SOURCE_UNITS, type SourceUnit, toBase } from "../../src/model/units.ts";

const KNOWN: readonly [number, SourceUnit, number][] = [
  [250, "ms", 0.25],
  [1.5, "h", 5_400],
  [8, "bit", 1],
  [1, "MiB", 1_048_576],
  [1, "MB", 1_000_000],
  [37, "percent", 0.37],
  [32, "fahrenheit", 0],
  [212, "fahrenheit", 100],
  [-40, "fahrenheit", -40],
  [273.15, "kelvin", 0],
  [45_500, "millicelsius", 45.5],
  [3, "ft", 0.9144],
  [1, "kWh", 3_600_000],
  [2.4, "GHz", 2_400_000_000],
  [Math.PI, "rad", 180],
];

test("known values come out as the tables have them", () => {
  for (const [value, from, expected] of KNOWN)
    assert.ok(Math.abs(toBase(value, from) - expected) < 1e-9, `${value} ${from} is ${toBase(value, from)}`);
  assert.equal(toBase(3, "ms"), 0.003, "and not 0.0030000000000000001 times something");
});

test("every unit has a base unit that metrics may declare, and keeps what is more, more", () => {
  for (const unit of SOURCE_UNITS) assert.ok(UNITS.includes(baseUnit(unit)), unit);
  const values = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.constantFrom(...SOURCE_UNITS), values, values, (unit, a, b) => {
      if (a < b - 1e-6) assert.ok(toBase(a, unit) < toBase(b, unit));
    }),
  );
});

const at = "2026-03-01T10:00:00.000Z";
const SAME: readonly unknown[] = [
  new Date(at),
  at,
  "2026-03-01T10:00:00",
  "2026-03-01 10:00:00",
  "2026-03-01T12:00:00+02:00",
  "2026-03-01T12:00:00.000+0200",
  "2026-03-01T05:30:00-0430",
  "2026-03-01T12:00+02",
  "Sun, 01 Mar 2026 10:00:00 GMT",
  1_772_359_200,
  1_772_359_200_000,
  1_772_359_200_000_000,
  1_772_359_200_000_000_000,
];
const NO_TIME = ["", "soon", "10:00", "01/03/2026", "2026-13-45T99:00:00Z", Number.NaN, Infinity, null, {}, true, 1n];

test("a time is UTC however it is written, on a machine in any zone", () => {
  const zone = process.env["TZ"];
  try {
    for (const TZ of ["UTC", "Asia/Kathmandu", "America/St_Johns"]) {
      process.env["TZ"] = TZ;
      for (const value of SAME) assert.equal(toUtc(value)?.toISOString(), at, `${value} in ${TZ}`);
    }
  } finally {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  }
  assert.equal(toUtc("2026-03-01")?.toISOString(), "2026-03-01T00:00:00.000Z");
  for (const value of NO_TIME) assert.equal(toUtc(value), undefined, String(value));
  assert.equal(toUtc(new Date(Number.NaN)), undefined);
});

test("whatever it is given it answers with a valid date or none", () => {
  fc.assert(fc.property(fc.anything(), (value) => !Number.isNaN(toUtc(value)?.getTime() ?? 0)));
  fc.assert(fc.property(fc.date({ noInvalidDate: true }), (date) => toUtc(date)?.getTime() === date.getTime()));
  fc.assert(
    fc.property(
      fc.date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") }),
      (date) => toUtc(date.toISOString())?.getTime() === date.getTime(),
    ),
  );
});
