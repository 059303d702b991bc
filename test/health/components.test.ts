import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { stepComponent, trendOf, worst } from "../../src/health/component.ts";
import { createComponents } from "../../src/health/components.ts";
import {
  type JobFacts,
  judgedOver,
  judgeJob,
  judgeScheduler,
  judgeSpool,
  judgeStore,
  judgeTarget,
  slowAfter,
  type Verdict,
} from "../../src/health/verdicts.ts";
import { COMPONENT_STATES, type ComponentState, type Transition } from "../../src/model/health.ts";

const AT = new Date("2026-03-01T12:00:00Z");
const verdict = (state: ComponentState, reason = state === "healthy" ? "" : "it is said why"): Verdict => ({
  state,
  reason,
});

describe("how a job is judged", () => {
  const facts = (over: Partial<Omit<JobFacts, "last">> & Partial<JobFacts["last"]> = {}): JobFacts => {
    const { every = 5_000, everWell = true, success = { runs: 60, ratio: 1 }, failure = null } = over;
    return { every, everWell, success, last: { failure, durationMs: over.durationMs ?? 10, age: over.age ?? 1_000 } };
  };
  const state = (...args: Parameters<typeof facts>) => judgeJob(facts(...args)).state;

  it("healthy when its runs succeed in time", () => {
    assert.deepEqual(judgeJob(facts()), { state: "healthy", reason: "" });
  });

  it("unhealthy when its last run failed, and critical when none ever succeeded", () => {
    assert.deepEqual(judgeJob(facts({ failure: "no route" })), { state: "unhealthy", reason: "no route" });
    assert.equal(state({ failure: "no route", everWell: false }), "critical");
  });

  it("degraded below 80 % of good runs, unhealthy below 50 %", () => {
    const at = (ratio: number) => state({ success: { runs: 100, ratio } });
    assert.deepEqual([0.8, 0.79, 0.5, 0.49, 0].map(at), ["healthy", "degraded", "degraded", "unhealthy", "unhealthy"]);
    assert.equal(judgeJob(facts({ success: { runs: 60, ratio: 0.7 } })).reason, "70 % of the last 60 runs succeeded");
  });

  it("degraded when it is slow: over 2 s at 1 s, over 3 s at 2 s and 5 s, and by the interval above", () => {
    assert.deepEqual(
      [500, 1_000, 2_000, 5_000, 12_000, 30_000, 60_000, 3_600_000, null].map(slowAfter),
      [2_000, 2_000, 3_000, 3_000, 3_000, 7_500, 15_000, 15_000, 15_000],
    );
    assert.equal(state({ every: 1_000, durationMs: 2_000 }), "healthy");
    assert.equal(state({ every: 1_000, durationMs: 2_001 }), "degraded");
    assert.equal(state({ every: 2_000, durationMs: 3_001 }), "degraded");
  });

  it("degraded when it does not run any more, which nobody can say of cron", () => {
    assert.equal(state({ every: 1_000, age: 30_000 }), "healthy");
    assert.equal(state({ every: 1_000, age: 30_001 }), "degraded");
    assert.equal(state({ every: 60_000, age: 179_000 }), "healthy");
    assert.equal(state({ every: 60_000, age: 181_000 }), "degraded");
    assert.equal(state({ every: null, age: 1e9 }), "healthy");
  });

  it("by the runs of five minutes, or by ten of them", () => {
    assert.deepEqual([1_000, 30_000, 60_000, null].map(judgedOver), [300_000, 300_000, 600_000, 300_000]);
  });
});

describe("how other components are judged", () => {
  it("the way to a target: by the mean of its jobs, however often each of them runs", () => {
    const states = [[], [1, 1, 1], [1, 0.6], [1, 0.5], [1, 0.55], [0, 0, 1], [0.4, 0.5]].map(
      (r) => judgeTarget(r).state,
    );
    assert.deepEqual(states, ["healthy", "healthy", "healthy", "degraded", "degraded", "critical", "critical"]);
  });

  it("the store: unhealthy while it cannot be written, critical after two minutes, and when it was never reached", () => {
    const down = (ms: number) => ({ reason: "connection refused", for: ms });
    assert.equal(judgeStore(null, true).state, "healthy");
    assert.equal(judgeStore(down(119_999), true).state, "unhealthy");
    assert.equal(judgeStore(down(120_000), true).state, "critical");
    assert.equal(judgeStore(null, false).state, "critical");
    assert.equal(judgeStore(down(0), false).state, "critical");
  });

  it("the spool: by how full it is and how long something waits in it", () => {
    const state = (bytes: number, age: number | null = null, isFull = false) =>
      judgeSpool({ bytes, maxBytes: 100, age, isFull }).state;
    assert.deepEqual(
      [0, 49, 50, 79, 80, 100].map((n) => state(n)),
      [...["healthy", "healthy", "degraded", "degraded", "unhealthy", "unhealthy"]],
    );
    assert.equal(state(1, 899_999), "healthy");
    assert.equal(state(1, 900_000), "degraded");
    assert.equal(state(1, 0, true), "critical");
  });

  it("the scheduler: by the run that it came latest to", () => {
    const state = (lag: number) => judgeScheduler(lag).state;
    assert.deepEqual([0, 1_000, 1_001, 5_000, 5_001].map(state), [
      ...["healthy", "healthy", "degraded", "degraded", "unhealthy"],
    ]);
  });
});

describe("a component", () => {
  const history = (...states: ComponentState[]) => ({
    history: states.map((state) => ({ ...verdict(state), at: AT })),
  });
  const [h, d, u] = ["healthy", "degraded", "unhealthy"] as const;

  it("has a trend: steps into healthy against steps out of it, in the last ten evaluations", () => {
    assert.equal(trendOf(history()), "stable");
    assert.equal(trendOf(history(u)), "stable");
    assert.equal(trendOf(history(u, h)), "improving");
    assert.equal(trendOf(history(h, d)), "degrading");
    assert.equal(trendOf(history(h, d, h)), "stable");
    assert.equal(trendOf(history(d, h, d, h)), "improving");
    assert.equal(trendOf(history(d, u)), "stable", "neither is healthy");
    assert.equal(trendOf(history(h, d, ...Array<ComponentState>(9).fill(d))), "stable", "it is longer ago");
    assert.equal(trendOf(history(h, d, ...Array<ComponentState>(8).fill(d))), "degrading");
  });

  it("keeps a hundred evaluations, and the time it came into its state", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...COMPONENT_STATES), { minLength: 1, maxLength: 150 }), (states) => {
        let health: ReturnType<typeof stepComponent> | undefined;
        let since = 0;
        for (const [i, state] of states.entries()) {
          if (states[i - 1] !== state) since = i;
          health = stepComponent(health, verdict(state), new Date(i));
        }
        assert.equal(health?.state, states.at(-1));
        assert.equal(health?.since.getTime(), since);
        assert.deepEqual(
          health?.history.map(({ state }) => state),
          states.slice(-100),
        );
      }),
    );
  });

  it("is one of several, of which the worst counts", () => {
    assert.equal(worst([]), "healthy");
    assert.equal(worst(["healthy", "critical", "degraded"]), "critical");
    assert.equal(worst(["healthy", "degraded", "unhealthy"]), "unhealthy");
  });
});

describe("the components", () => {
  function fixture() {
    const told: Transition[] = [];
    const clock = { at: 0 };
    const wall = () => new Date(clock.at);
    const components = createComponents({ wall, onTransition: (change) => told.push(change) });
    const evaluate = (states: Record<string, ComponentState>) => {
      clock.at += 30_000;
      components.evaluate(new Map(Object.entries(states).map(([id, state]) => [id, verdict(state)])));
    };
    return { told, components, evaluate };
  }

  it("tell of every change but the first report, with the severity of what it came to", () => {
    const { told, evaluate, components } = fixture();
    for (const a of ["critical", "critical", "healthy", "degraded", "unhealthy", "critical"] as const) evaluate({ a });
    assert.deepEqual(
      told.map(({ kind, id, from, to, severity }) => [kind, id, from, to, severity]),
      [
        ["component", "a", "critical", "healthy", "info"],
        ["component", "a", "healthy", "degraded", "warning"],
        ["component", "a", "degraded", "unhealthy", "error"],
        ["component", "a", "unhealthy", "critical", "critical"],
      ],
    );
    assert.deepEqual(components.view().alerts, told);
    assert.deepEqual([told[0]?.details, told[1]?.details], ["well again", "it is said why"]);
  });

  it("keep fifty alerts", () => {
    const { told, evaluate, components } = fixture();
    for (let i = 0; i < 70; i++) evaluate({ a: i % 2 === 0 ? "healthy" : "degraded" });
    assert.equal(told.length, 69);
    assert.deepEqual(components.view().alerts, told.slice(-50));
  });

  it("are together what the worst of them is; what is gone is forgotten", () => {
    const { evaluate, components, told } = fixture();
    assert.deepEqual([components.view().overall, components.view().components], ["healthy", []]);
    evaluate({ a: "healthy", b: "unhealthy" });
    assert.deepEqual([components.view().overall, components.view().trend], ["unhealthy", "stable"]);
    evaluate({ a: "healthy" });
    const { overall, trend, since, components: left } = components.view();
    assert.deepEqual(
      [overall, trend, since?.getTime(), left.map(({ id }) => id)],
      ["healthy", "improving", 60_000, ["a"]],
    );
    evaluate({ a: "healthy", b: "critical" });
    assert.deepEqual(told, [], "b is reported for the first time again");
  });
});
