import assert from "node:assert/strict";
import { it } from "node:test";
import { createCollecting } from "../../src/app/collecting.ts";
import type { Run } from "../../src/model/run.ts";
import { pluginOf, targetOf } from "../support/targets.ts";

const span = { set() {}, fail() {} };

it("a due run's lag reaches from when it was due to when it began, the wait for a place included", async () => {
  const clock = { now: 1_000 };
  const lags: number[] = [];
  const accepted: Run[] = [];
  const target = targetOf(pluginOf(async () => ({ samples: [] })));
  const when = new Date(0);
  const { runDue, collect } = createCollecting({
    runner: {
      async run({ id }, job, _signal, onBegin) {
        clock.now += 30;
        onBegin?.();
        clock.now += 500;
        const outcome = { status: "empty", reason: "nothing" } as const;
        const base = { targetId: id, pluginId: "probe", job, attempts: 1, outcome };
        return { ...base, startedAt: when, finishedAt: when, durationMs: 500 };
      },
    },
    telemetry: {
      run: (_name, _attributes, fn) => fn(span),
      runApart: (_name, _attributes, fn) => fn(span),
      recordRun() {},
    },
    find: (id) => (id === target.id ? target : undefined),
    async accept(target, run) {
      accepted.push(run);
      return { target, run, metrics: {}, samples: [], rows: [], documents: [], rejected: [] };
    },
    monotonic: () => clock.now,
    began: (lag) => void lags.push(lag),
    abort: new AbortController().signal,
  });
  await runDue({ targetId: target.id, job: "main" }, 980);
  assert.deepEqual(lags, [50]);
  clock.now = 2_000;
  // The timer knows whole milliseconds, and may come half of one early.
  await runDue({ targetId: target.id, job: "main" }, 2_030.4);
  assert.deepEqual(lags, [50, 0]);
  await runDue({ targetId: "gone", job: "main" }, 0);
  await collect(target, "main", new AbortController().signal);
  assert.deepEqual([lags.length, accepted.length], [2, 2]);
});
