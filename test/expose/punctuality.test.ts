import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createPunctuality, ON_TIME_SECONDS } from "../../src/expose/punctuality.ts";

const SLICE_MS = 5_000;
const MINUTE_MS = 60_000;

/** A run that began so late, or one that did not happen, so long after what was before it. */
const event = fc.record({
  after: fc.integer({ min: 0, max: 40_000 }),
  lag: fc.option(fc.double({ min: 0, max: 2, noNaN: true }), { nil: undefined }),
});

test("what is read are the runs of the last minute, in whole slices", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 0, max: 90_000 }), (events, idle) => {
      const clock = { now: 0 };
      const punctuality = createPunctuality(() => clock.now);
      const seen: { at: number; lag: number | undefined }[] = [];
      for (const { after, lag } of events) {
        clock.now += after;
        seen.push({ at: clock.now, lag });
        if (lag === undefined) punctuality.missed(1);
        else punctuality.began(lag);
      }
      clock.now += idle;
      const from = (Math.floor(clock.now / SLICE_MS) + 1) * SLICE_MS - MINUTE_MS;
      const recent = seen.filter(({ at }) => at >= from);
      const lags = recent.flatMap(({ lag }) => (lag === undefined ? [] : [lag]));
      const onTime = lags.filter((lag) => lag <= ON_TIME_SECONDS).length / recent.length;
      assert.deepEqual(punctuality.read(), { onTime, maxLag: Math.max(0, ...lags) });
    }),
  );
});

test("several runs missed at once are several", () => {
  const punctuality = createPunctuality(() => 0);
  punctuality.began(0);
  punctuality.missed(3);
  assert.deepEqual(punctuality.read(), { onTime: 0.25, maxLag: 0 });
});
