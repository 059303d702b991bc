import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { backoffDelay } from "../../src/health/backoff.ts";
import { kitState, stepKit } from "../../src/health/kit.ts";
import { createMonitor } from "../../src/health/monitor.ts";
import { stepPlugin } from "../../src/health/plugin.ts";
import {
  consecutiveFailures,
  type HealthRules,
  jobHealth,
  type TargetHealth,
  UNKNOWN,
} from "../../src/health/target.ts";
import { KIT_STATES, PLUGIN_STATES, type Transition } from "../../src/model/health.ts";
import { ERROR_KINDS, type Run } from "../../src/model/run.ts";
import { empty, failed, ok, pluginOf, targetOf } from "../support/targets.ts";

const pause = { initialBackoff: 5_000, maxBackoff: 300_000, staleAfter: 60_000 };
const pluginRules: HealthRules = { every: { main: 60_000 }, pause };
const kitRules: HealthRules = { every: { drones: 5_000, signals: 5_000, status: 30_000 }, pause };

type Event = [job: string, at: number, outcome: Run["outcome"], took?: number];
const fold = (step: typeof stepKit, rules: HealthRules, events: Event[], from: TargetHealth = UNKNOWN) =>
  events.reduce(
    (health, [job, at, outcome, took = 10]) =>
      step(health, { job, started: at - took, finished: at, outcome, random: 0.5 }, rules),
    from,
  );
const plugin = (...events: Event[]) => fold(stepPlugin, pluginRules, events);
const kit = (...events: Event[]) => fold(stepKit, kitRules, events);

describe("back-off", () => {
  it("is 5, 10, 20, 40, 80, 160, 300, 300 s", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 500].map((n) => backoffDelay(n, pause, 0.5) / 1_000);
    assert.deepEqual(delays, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it("is spread by ten percent to either side", () => {
    assert.equal(backoffDelay(1, pause, 0), 4_500);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (n, random) => {
        const ratio = backoffDelay(n, pause, random) / backoffDelay(n, pause, 0.5);
        assert.ok(ratio >= 0.9 - 1e-9 && ratio <= 1.1 + 1e-9);
      }),
    );
  });
});

describe("health of a plugin's target", () => {
  const failures = (n: number): Event[] => Array.from({ length: n }, (_, i) => ["main", 1_000 + i, failed("timeout")]);

  it("is unknown, healthy on the first success, degraded at 2 failures in a row, failing at 5", () => {
    assert.equal(UNKNOWN.state, "unknown");
    assert.equal(plugin(["main", 1, failed("timeout")]).state, "unknown");
    assert.equal(plugin(["main", 1, ok()]).state, "healthy");
    assert.equal(plugin(["main", 1, ok()], ...failures(1)).state, "healthy");
    assert.equal(plugin(["main", 1, ok()], ...failures(2)).state, "degraded");
    assert.equal(plugin(["main", 1, ok()], ...failures(4)).state, "degraded");
    assert.equal(plugin(["main", 1, ok()], ...failures(5)).state, "failing");
    assert.equal(plugin(...failures(9), ["main", 2_000, ok()]).state, "healthy");
  });

  it("doubles the interval from degraded on, up to eight times, and pauses by back-off steps when failing", () => {
    const holds = [1, 2, 3, 4, 5, 6].map((n) => {
      const health = fold(
        stepPlugin,
        pluginRules,
        Array.from({ length: n }, () => ["main", 0, failed("timeout"), 0]),
      );
      return jobHealth(health, "main").holdUntil / 1_000;
    });
    assert.deepEqual(holds, [0, 2 * 60 - 30, 4 * 60 - 30, 8 * 60 - 30, 5, 10]);
    assert.equal(jobHealth(plugin(...failures(6), ["main", 2_000, ok()]), "main").holdUntil, 0);
  });

  it("judges each job by itself: one job's success does not hide another's failures", () => {
    const rules = { every: { a: 1_000, b: 1_000 }, pause };
    const health = fold(stepPlugin, rules, [
      ["a", 1, failed("bad_data")],
      ["b", 2, ok()],
      ["a", 3, failed("bad_data")],
      ["b", 4, ok()],
    ]);
    assert.equal(health.state, "degraded");
    assert.equal(consecutiveFailures(health), 2);
  });
});

describe("health of a kit", () => {
  it("is unknown until something was collected", () => {
    assert.equal(UNKNOWN.state, "unknown");
    assert.equal(kit(["status", 1, empty("still booting")]).state, "unknown");
  });

  it("is online when its endpoints answer; a feature it lacks and a status still booting are no failures", () => {
    const health = kit(["drones", 1, ok()], ["signals", 2, empty("no /signals")], ["status", 3, empty("booting")]);
    assert.equal(health.state, "online");
  });

  it("is error, not online, when /drones always fails though the others answer", () => {
    assert.equal(kit(["status", 1, ok()], ["signals", 2, ok()], ["drones", 3, failed("http_status")]).state, "error");
    assert.equal(kit(["status", 1, ok()], ["drones", 2, failed("bad_data")], ["signals", 3, ok()]).state, "error");
  });

  it("is offline when nothing answers any more, whichever endpoint notices first", () => {
    const up: Event[] = [
      ["status", 1_000, ok()],
      ["drones", 2_000, ok()],
      ["signals", 2_100, ok()],
    ];
    assert.equal(kit(...up, ["drones", 7_000, failed("unreachable")]).state, "offline");
    assert.equal(kit(...up, ["drones", 17_000, failed("timeout"), 10_000]).state, "offline");
  });

  it("is error while one endpoint hangs and another goes on answering, without flapping to offline", () => {
    let health = kit(["drones", 1_000, ok()], ["status", 1_000, ok()]);
    const states = new Set<string>();
    for (let t = 10_000; t < 100_000; t += 5_000) {
      health = fold(
        stepKit,
        kitRules,
        [
          ["drones", t - 1_000, ok()],
          ["signals", t, failed("timeout"), 9_000],
        ],
        health,
      );
      states.add(health.state);
    }
    assert.deepEqual([...states], ["error"]);
  });

  it("is stale when good data stops coming, at three intervals or the threshold", () => {
    const health = kit(["drones", 1_000, ok()]);
    assert.equal(kitState(health, 60_999, kitRules), "online");
    assert.equal(kitState(health, 61_001, kitRules), "stale");
    const slow: HealthRules = { every: { drones: 300_000 }, pause };
    assert.equal(kitState(fold(stepKit, slow, [["drones", 1_000, ok()]]), 800_000, slow), "online");
    assert.equal(kitState(fold(stepKit, slow, [["drones", 1_000, ok()]]), 902_000, slow), "stale");
  });

  it("is stale when its status stands still though the API answers", () => {
    const at = new Date("2026-11-22T03:00:00Z");
    const polls = (times: number[]): Event[] =>
      times.flatMap(
        (t) =>
          [
            ["drones", t - 1, ok()],
            ["status", t, ok({ sourceTime: at })],
          ] as Event[],
      );
    assert.equal(kit(...polls([30_000, 60_000, 90_000])).state, "online");
    assert.equal(kit(...polls([30_000, 60_000, 90_001])).state, "stale");
    const moved = kit(...polls([30_000, 90_001]), ["status", 120_000, ok({ sourceTime: new Date(at.getTime() + 1) })]);
    assert.equal(moved.state, "online");
  });

  it("backs a failing endpoint off by itself, and lets every endpoint go when an offline kit answers again", () => {
    const partly = kit(["drones", 1_000, ok()], ["signals", 2_000, failed("http_status", { status: 500 })]);
    assert.equal(jobHealth(partly, "signals").holdUntil, 7_000);
    assert.equal(jobHealth(partly, "drones").holdUntil, 0);
    assert.equal(partly.backoff, 5_000);

    const down = kit(
      ["drones", 1_000, failed("unreachable")],
      ["status", 1_500, failed("unreachable")],
      ["drones", 9_000, failed("unreachable")],
    );
    assert.equal(down.state, "offline");
    assert.equal(down.backoff, 10_000);
    const back = fold(stepKit, kitRules, [["drones", 19_500, ok()]], down);
    assert.equal(jobHealth(back, "status").holdUntil, 0);
    assert.equal(back.backoff, 0);
  });

  it("leaves the whole kit alone for as long as it asks, at most the longest back-off", () => {
    const asked = (retryAfter: number) =>
      kit(["drones", 0, ok()], ["signals", 1_000, failed("http_status", { status: 429, retryAfter })]);
    for (const job of ["drones", "signals", "status"]) assert.equal(jobHealth(asked(60_000), job).holdUntil, 61_000);
    assert.equal(jobHealth(asked(1e12), "drones").holdUntil, 301_000);
  });
});

describe("folds, whatever happens", () => {
  const outcome = fc.oneof(
    fc.constant(ok()),
    fc.constant(empty()),
    fc.constantFrom(...ERROR_KINDS).map((kind) => failed(kind)),
  );
  const events = fc.array(
    fc.tuple(fc.constantFrom("drones", "signals", "status"), fc.integer({ min: 1, max: 60_000 }), outcome),
  );

  it("end in a state of their vocabulary, and one success of every job heals", () => {
    fc.assert(
      fc.property(events, (steps) => {
        let t = 0;
        const timed: Event[] = steps.map(([job, gap, what]) => {
          t += gap;
          return [job, t, what];
        });
        assert.ok((KIT_STATES as readonly string[]).includes(kit(...timed).state));
        assert.ok((PLUGIN_STATES as readonly string[]).includes(fold(stepPlugin, kitRules, timed).state));
        const healing: Event[] = ["drones", "signals", "status"].map((job, i) => [job, t + 20 + i, ok()]);
        assert.equal(kit(...timed, ...healing).state, "online");
        assert.equal(fold(stepPlugin, kitRules, [...timed, ...healing]).state, "healthy");
      }),
    );
  });
});

describe("monitor", () => {
  const target = targetOf(
    pluginOf(async () => ({ samples: [] }), { health: "kit" }),
    {
      id: "kit-001",
      jobs: { drones: { trigger: { every: 5_000 }, timeout: 1_000 } },
    },
  );
  const run = (result: Run["outcome"]): Run => ({
    targetId: "kit-001",
    pluginId: "probe",
    job: "drones",
    startedAt: new Date(0),
    finishedAt: new Date(5),
    durationMs: 5,
    attempts: 1,
    outcome: result,
  });

  function watching() {
    const transitions: Transition[] = [];
    const clock = { now: 1_000 };
    const monitor = createMonitor({
      now: () => clock.now,
      wall: () => new Date(clock.now),
      random: () => 0.5,
      onTransition: (transition) => void transitions.push(transition),
    });
    monitor.add(target);
    return { monitor, transitions, clock };
  }

  it("tells of each change once, with where from, where to, why and how bad", () => {
    const { monitor, transitions } = watching();
    monitor.observe(run(ok()));
    monitor.observe(run(ok()));
    monitor.observe(run(failed("http_status")));
    assert.deepEqual(
      transitions.map(({ kind, id, from, to, severity, details }) => ({ kind, id, from, to, severity, details })),
      [
        { kind: "kit", id: "kit-001", from: "unknown", to: "online", severity: "info", details: "drones answered" },
        {
          kind: "kit",
          id: "kit-001",
          from: "online",
          to: "error",
          severity: "error",
          details: "drones: it was http_status",
        },
      ],
    );
  });

  it("moves last success by successes only", () => {
    const { monitor } = watching();
    assert.equal(monitor.observe(run(failed("timeout")))?.lastSuccess, null);
    assert.equal(monitor.observe(run(empty()))?.lastSuccess, null);
    assert.equal(monitor.observe(run(ok()))?.lastSuccess?.getTime(), 5);
  });

  it("turns a quiet kit stale as time passes, and names the jobs whose data is too old", () => {
    const { monitor, transitions, clock } = watching();
    monitor.observe(run(ok()));
    clock.now = 62_000;
    assert.deepEqual(
      monitor.tick().map((view) => [view.state, view.staleJobs]),
      [["stale", ["drones"]]],
    );
    assert.equal(monitor.tick().length, 0);
    assert.equal(transitions.at(-1)?.to, "stale");
  });

  it("reports a changed identity once, and not the first one told", () => {
    const { monitor, transitions } = watching();
    monitor.observe(run(ok({ identity: "wardragon-A" })));
    monitor.observe(run(ok({ identity: "wardragon-B" })));
    monitor.observe(run(ok({ identity: "wardragon-B" })));
    const changes = transitions.filter((transition) => transition.kind === "identity");
    assert.deepEqual(
      changes.map(({ from, to }) => [from, to]),
      [["wardragon-A", "wardragon-B"]],
    );
    assert.equal(monitor.view(target.id)?.identityChanges, 1);
  });

  it("tells of two targets that call themselves the same, and keeps them two", () => {
    const { monitor, transitions } = watching();
    monitor.add({ ...target, id: "kit-002" });
    monitor.observe(run(ok({ identity: "wardragon-A" })));
    monitor.observe({ ...run(ok({ identity: "wardragon-A" })), targetId: "kit-002" });
    const told = transitions.filter((transition) => transition.kind === "identity");
    assert.deepEqual(
      told.map(({ id, from, to, details }) => [id, from, to, details]),
      [["kit-002", "unknown", "wardragon-A", "kit-001 calls itself the same; its rows keep the configured id"]],
    );
    assert.deepEqual(
      monitor.views().map(({ target: { id }, identity }) => [id, identity]),
      [
        ["kit-001", "wardragon-A"],
        ["kit-002", "wardragon-A"],
      ],
    );
  });

  it("holds a job while its pause lasts and counts what was skipped", () => {
    const { monitor, clock } = watching();
    monitor.observe(run(failed("unreachable")));
    assert.equal(monitor.hold("kit-001", "drones"), "open_circuit");
    monitor.skipped("kit-001", "drones", "open_circuit", 2);
    assert.deepEqual({ ...monitor.view("kit-001")?.runs["drones"]?.skipped }, { open_circuit: 2 });
    clock.now += 5_001;
    assert.equal(monitor.hold("kit-001", "drones"), undefined);
  });
});

describe("a kit's rare job", () => {
  const rules: HealthRules = { ...kitRules, every: { ...kitRules.every, about: 3_600_000 } };

  it("does not hold the kit ill until its next run, which may be an hour away", () => {
    const away: Event[] = ["drones", "signals", "status", "about"].map((job) => [job, 1_000, failed("unreachable")]);
    const back: Event[] = ["drones", "signals", "status"].map((job) => [job, 9_000, ok()]);
    assert.equal(fold(stepKit, rules, away).state, "offline");
    assert.equal(fold(stepKit, rules, [...away, ...back]).state, "online");
  });

  it("decides when there is no other", () => {
    const alone: HealthRules = { every: { about: 3_600_000 }, pause };
    assert.equal(fold(stepKit, alone, [["about", 1_000, failed("http_status")]]).state, "error");
  });
});
