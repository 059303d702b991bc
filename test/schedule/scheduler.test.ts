import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import fc from "fast-check";
import type { SkipReason } from "../../src/model/run.ts";
import { cronProblem } from "../../src/schedule/cron.ts";
import { createHeap } from "../../src/schedule/heap.ts";
import { nextOnGrid, phaseOf } from "../../src/schedule/phase.ts";
import { createScheduler, type SchedulerDeps, type Slot } from "../../src/schedule/scheduler.ts";

/** A scheduler on a clock that the test moves: node:test's mock timers, with the monotonic clock tied to them. */
function onTestClock(overrides: Partial<SchedulerDeps> = {}, wallAtStart = 1_000_000_007) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: wallAtStart });
  const now = () => Date.now() - wallAtStart;
  const runs: { slot: Slot; at: number }[] = [];
  const skips: { slot: Slot; reason: SkipReason; count: number }[] = [];
  const scheduler = createScheduler({
    run: async (slot) => void runs.push({ slot, at: now() }),
    hold: () => undefined,
    skipped: (slot, reason, count) => void skips.push({ slot, reason, count }),
    now,
    wall: Date.now,
    ...overrides,
  });
  const advance = async (ms: number, step = 10) => {
    for (let t = 0; t < ms; t += step) {
      mock.timers.tick(step);
      await Promise.resolve();
    }
  };
  return { scheduler, runs, skips, advance, now, end: () => mock.timers.reset() };
}

const slots = (n: number, every: number): Slot[] =>
  Array.from({ length: n }, (_, i) => ({ targetId: `kit-${i}`, job: "drones", trigger: { every } }));

describe("scheduler", () => {
  it("runs everything at once on start, then on each job's own phase, without drift", async () => {
    const t = onTestClock();
    t.scheduler.add(slots(4, 1_000));
    await t.advance(10);
    assert.equal(t.runs.length, 4);
    await t.advance(20_000);
    for (const slot of slots(4, 1_000)) {
      const at = t.runs.filter((run) => run.slot.targetId === slot.targetId).map((run) => run.at);
      const gaps = at.slice(2).map((time, i) => time - (at[i + 1] as number));
      assert.ok(gaps.length >= 17);
      assert.ok(
        gaps.every((gap) => gap === 1_000),
        `gaps of ${slot.targetId}: ${gaps}`,
      );
    }
    await t.scheduler.stop();
    t.end();
  });

  it("lets half an interval pass between the first run, which is off the grid, and the second, and counts none as missed", async () => {
    const t = onTestClock();
    t.scheduler.add(slots(200, 1_000));
    await t.advance(3_000);
    for (const { targetId } of slots(200, 1_000)) {
      const [first = 0, second = 0] = t.runs.filter((run) => run.slot.targetId === targetId).map(({ at }) => at);
      assert.ok(second - first >= 490 && second - first <= 1_510, `${targetId}: ${first}, ${second}`);
    }
    assert.deepEqual(t.skips, []);
    await t.scheduler.stop();
    t.end();
  });

  it("runs each job once where its time lies between two ticks of the timer, at the nearer one", async () => {
    for (const fraction of [0, 0.3, 0.5, 0.7]) {
      const wallAtStart = 1_000_000_007;
      const t = onTestClock({ wall: () => Date.now() + fraction }, wallAtStart);
      t.scheduler.add(slots(50, 1_000));
      await t.advance(10_000, 1);
      for (const { targetId, job } of slots(50, 1_000)) {
        const phase = phaseOf(targetId, job, 1_000);
        const at = t.runs.filter((run) => run.slot.targetId === targetId).map((run) => run.at);
        assert.ok(at.length === 10 || at.length === 11, `${at.length} runs`);
        for (const time of at.slice(1)) {
          const late = (wallAtStart + fraction + time - phase) % 1_000;
          assert.ok(late <= 0.5 || late >= 999.5, `started ${late} ms after its time`);
        }
      }
      await t.scheduler.stop();
      t.end();
    }
  });

  it("tells a run when it was due, however late the timer comes", async () => {
    const dues: number[] = [];
    const t = onTestClock({ run: async (_slot, due) => void dues.push(due) });
    t.scheduler.add([{ targetId: "one", job: "main", trigger: { every: 1_000 } }]);
    await t.advance(5_000);
    mock.timers.tick(7_350);
    await t.advance(2_000);
    const grid = dues.slice(1);
    assert.ok(grid.length >= 6, dues.join());
    for (const due of grid) assert.equal((due - (grid[0] ?? 0)) % 1_000, 0, dues.join());
    await t.scheduler.stop();
    t.end();
  });

  it("lists and removes every job of a target, in the order they came", async () => {
    const t = onTestClock();
    const jobs = ["drones", "signals", "status"].map((job) => ({ targetId: "kit-0", job, trigger: { every: 1_000 } }));
    t.scheduler.add([...jobs, ...slots(1, 1_000).map((slot) => ({ ...slot, targetId: "kit-1" }))]);
    const listed = () => t.scheduler.list().map(({ targetId, job }) => `${targetId} ${job}`);
    assert.deepEqual(listed(), ["kit-0 drones", "kit-0 signals", "kit-0 status", "kit-1 drones"]);
    t.scheduler.remove("kit-0");
    t.runs.length = 0;
    await t.advance(3_000);
    assert.deepEqual(listed(), ["kit-1 drones"]);
    assert.deepEqual(new Set(t.runs.map((run) => run.slot.targetId)), new Set(["kit-1"]));
    await t.scheduler.stop();
    t.end();
  });

  it("spreads the jobs of one interval over it", async () => {
    const t = onTestClock();
    t.scheduler.add(slots(500, 5_000));
    await t.advance(10_000);
    const settled = t.runs.filter((run) => run.at > 5_000);
    const perSecond = [0, 1, 2, 3, 4].map((s) => settled.filter((run) => Math.floor(run.at / 1_000) % 5 === s).length);
    assert.ok(Math.max(...perSecond) < 2 * (settled.length / 5), `runs a second: ${perSecond}`);
    await t.scheduler.stop();
    t.end();
  });

  it("never overlaps a job with itself, and counts the ticks it skipped", async () => {
    let release = () => {};
    const started: number[] = [];
    const t = onTestClock({
      run: () => {
        started.push(1);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    t.scheduler.add(slots(1, 1_000));
    await t.advance(5_500);
    assert.equal(started.length, 1);
    assert.ok(t.skips.length >= 4 && t.skips.every((skip) => skip.reason === "overlap"));
    release();
    await t.advance(1_000);
    assert.equal(started.length, 2);
    release();
    await t.scheduler.stop();
    t.end();
  });

  it("does not make up for ticks missed in a stall, and counts them", async () => {
    const t = onTestClock();
    t.scheduler.add(slots(1, 1_000));
    await t.advance(1_100);
    const before = t.runs.length;
    mock.timers.setTime(Date.now() + 30_000);
    await t.advance(10);
    assert.equal(t.runs.length, before + 1);
    const missed = t.skips.reduce((sum, skip) => sum + skip.count, 0);
    assert.ok(missed >= 28 && missed <= 30, `missed ${missed}`);
    await t.scheduler.stop();
    t.end();
  });

  it("asks for a hold before each run and passes its reason on", async () => {
    const t = onTestClock({ hold: () => "open_circuit" });
    t.scheduler.add(slots(1, 1_000));
    await t.advance(2_100);
    assert.equal(t.runs.length, 0);
    assert.ok(t.skips.length >= 2 && t.skips.every((skip) => skip.reason === "open_circuit"));
    await t.scheduler.stop();
    t.end();
  });

  it("forgets a removed target and waits for runs in flight when stopped", async () => {
    let finished = false;
    const t = onTestClock({
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        finished = true;
      },
    });
    t.scheduler.add(slots(2, 1_000));
    await t.advance(10);
    t.scheduler.remove("kit-1");
    assert.deepEqual(
      t.scheduler.list().map((view) => view.targetId),
      ["kit-0"],
    );
    const stopping = t.scheduler.stop();
    await t.advance(400);
    await stopping;
    assert.equal(finished, true);
    t.end();
  });

  it("lists the next run of interval and cron jobs", async () => {
    const t = onTestClock({}, Date.UTC(2026, 10, 22, 12, 0, 30));
    t.end();
    const live = createScheduler({
      run: async () => undefined,
      hold: () => undefined,
      skipped: () => undefined,
      now: () => performance.now(),
      wall: Date.now,
    });
    live.add([
      { targetId: "a", job: "main", trigger: { every: 60_000 } },
      { targetId: "b", job: "main", trigger: { cron: "0 3 * * *", timezone: "Europe/Vienna" } },
    ]);
    const [interval, cron] = live.list();
    assert.ok(interval?.nextRun && interval.nextRun.getTime() - Date.now() <= 60_000);
    const viennaHour = new Intl.DateTimeFormat("en", { hour: "numeric", hour12: false, timeZone: "Europe/Vienna" });
    assert.equal(Number(viennaHour.format(cron?.nextRun as Date)), 3);
    await live.stop();
  });

  it("says what a cron expression should look like", () => {
    assert.equal(cronProblem("*/5 * * * *"), undefined);
    assert.match(cronProblem("every day") ?? "", /expected a cron expression such as/);
  });
});

describe("phase grid", () => {
  it("is stable, within the interval, and strictly ahead of now", () => {
    assert.equal(phaseOf("kit-001", "drones", 5_000), phaseOf("kit-001", "drones", 5_000));
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1, max: 86_400_000 }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 2e12, noNaN: true }),
        (id, every, now, offset) => {
          const phase = phaseOf(id, "job", every);
          assert.ok(phase >= 0 && phase < every);
          const next = nextOnGrid(now, every, phase, offset);
          assert.ok(next > now && next <= now + every);
        },
      ),
    );
  });
});

describe("heap", () => {
  it("gives items back by due time, whatever the order they came in", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (dues) => {
        const heap = createHeap<{ due: number }>();
        for (const due of dues) heap.push({ due });
        const out: number[] = [];
        for (let item = heap.pop(); item; item = heap.pop()) out.push(item.due);
        assert.deepEqual(
          out,
          dues.toSorted((a, b) => a - b),
        );
      }),
    );
  });
});
