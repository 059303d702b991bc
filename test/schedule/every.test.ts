import assert from "node:assert/strict";
import { it, mock } from "node:test";
import { startEvery } from "../../src/schedule/every.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

it("comes once at its place of every interval, also when its timer is early, and makes up for nothing", (t) => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.UTC(2026, 10, 22, 12, 30) });
  t.after(() => mock.timers.reset());
  const came: string[] = [];
  let behind = 0;
  const now = () => Date.now() - behind;
  const tick = () => came.push(new Date(now()).toISOString().slice(11));
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += MINUTE) mock.timers.tick(MINUTE);
  };
  const hourly = startEvery(HOUR, 7 * MINUTE, tick, now);
  pass(2 * HOUR);
  behind = 2; // the timer of 15:07 comes 2 ms early
  pass(2 * HOUR);
  assert.deepEqual(came.splice(0), ["13:07:00.000Z", "14:07:00.000Z", "15:06:59.998Z", "16:07:59.998Z"]);
  behind = 0;
  mock.timers.tick(10 * HOUR);
  pass(HOUR);
  assert.deepEqual(came.splice(0), ["02:30:00.000Z", "03:07:00.000Z"]);
  hourly.stop();
  pass(2 * HOUR);
  assert.deepEqual(came, []);
});
