import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBackground } from "../../src/app/background.ts";
import { buffersView, healthView } from "../../src/app/background-views.ts";
import { createBuffers } from "../../src/buffer/buffers.ts";
import { createSnapshot } from "../../src/expose/snapshot.ts";
import { createComponents } from "../../src/health/components.ts";
import { createMonitor } from "../../src/health/monitor.ts";
import type { Run } from "../../src/model/run.ts";
import type { ConfiguredTarget } from "../../src/model/target.ts";
import { failed, ok, pluginOf, targetOf } from "../support/targets.ts";
import { kitOf } from "./support.ts";

const service = (id: string, jobs: string[], every = 1_000): ConfiguredTarget =>
  targetOf(
    pluginOf(async () => ({ samples: [] })),
    { id, jobs: Object.fromEntries(jobs.map((job) => [job, { trigger: { every }, timeout: 1_000 }])) },
  );

/** The real parts on a clock that the test moves, with a store that is as the test says. */
function fixture(...targets: ConfiguredTarget[]) {
  const clock = { now: Date.parse("2026-03-01T12:00:00Z") };
  const store = {
    down: undefined as string | undefined,
    reached: true,
    full: false,
    bytes: 0,
    oldestAt: null as number | null,
  };
  const wall = () => new Date(clock.now);
  const told: string[] = [];
  const monitor = createMonitor({ now: () => clock.now, wall, random: () => 0.5, onTransition: () => {} });
  for (const target of targets) monitor.add(target);
  const buffers = createBuffers({ maxBytes: 1_000_000, now: () => clock.now });
  const components = createComponents({ wall, onTransition: ({ id, to }) => told.push(`${id} ${to}`) });
  const snapshot = createSnapshot();
  const background = createBackground({
    ...{ monitor, buffers, components, snapshot, spoolMaxBytes: 100, now: () => clock.now },
    writer: {
      isDown: () => store.down,
      isFull: () => store.full,
      spooled: () => ({ records: 0, rows: 0, bytes: store.bytes, oldestAt: store.oldestAt }),
    },
    storeReached: () => store.reached,
    targets: () => targets,
  });
  const run = (target: ConfiguredTarget, job: string, outcome: Run["outcome"], durationMs = 20) => {
    const finishedAt = wall();
    const run: Run = {
      ...{ targetId: target.id, pluginId: target.plugin.id, job, outcome, durationMs, attempts: 1 },
      ...{ startedAt: finishedAt, finishedAt },
    };
    monitor.observe(run);
    buffers.accept({ target, run, samples: [], metrics: {}, rows: [], documents: [], rejected: [] });
  };
  const states = () => Object.fromEntries(components.view().components.map(({ id, state }) => [id, state]));
  const series = async () => {
    const lines = await Promise.all(
      snapshot.families().map(async (family) => (await family.lines()).toString().trimEnd().split("\n")),
    );
    return lines.flat();
  };
  return { clock, store, told, buffers, components, background, run, states, series };
}

const OWN = { "gleaner/scheduler": "healthy", "gleaner/spool": "healthy", "gleaner/store": "healthy" };

describe("the health of components", () => {
  it("has every job of every target but kits, the way to targets with several jobs, and gleaner's own parts", () => {
    const [one, two, kit] = [
      service("one", ["main"]),
      service("two", ["a", "b", "c"]),
      kitOf("kit-001", "http://10.0.0.1"),
    ];
    const { background, run, states } = fixture(one, two, kit);
    background.evaluate();
    assert.deepEqual(states(), OWN, "of what has not run nothing is known");
    run(one, "main", ok());
    run(two, "a", ok());
    run(kit, "drones", ok());
    background.evaluate();
    assert.deepEqual(states(), { ...OWN, "job/one/main": "healthy", "job/two/a": "healthy" });
    run(two, "b", failed("timeout"));
    background.evaluate();
    assert.deepEqual(states(), {
      ...OWN,
      ...{ "job/one/main": "healthy", "job/two/a": "healthy", "job/two/b": "critical", "target/two": "degraded" },
    });
  });

  it("follows the runs and tells of each change", () => {
    const one = service("one", ["main"]);
    const { background, clock, run, told, components } = fixture(one);
    const evaluate = (outcome: Run["outcome"], durationMs?: number) => {
      for (let i = 0; i < 30; i++) {
        clock.now += 1_000;
        run(one, "main", outcome, durationMs);
      }
      background.evaluate();
      return components.view().components.find(({ id }) => id === "job/one/main");
    };
    assert.equal(evaluate(ok())?.state, "healthy");
    assert.equal(evaluate(ok(), 2_500)?.reason, "the last run took 3s; over 2s is slow");
    assert.equal(evaluate(failed("unreachable"))?.reason, "it was unreachable");
    assert.equal(evaluate(ok())?.reason, "75 % of the last 120 runs succeeded");
    for (let i = 0; i < 6; i++) evaluate(ok());
    assert.deepEqual(told, [
      "job/one/main degraded",
      "job/one/main unhealthy",
      "job/one/main degraded",
      "job/one/main healthy",
    ]);
    assert.equal(components.view().overall, "healthy");
    assert.equal(components.view().trend, "stable");
  });

  it("has gleaner's own parts as the writer and the scheduler say", () => {
    const { background, store, states, clock, components } = fixture();
    const after = (change: () => void) => {
      change();
      background.evaluate();
      return Object.values(states());
    };
    assert.deepEqual(
      after(() => {}),
      ["healthy", "healthy", "healthy"],
    );
    assert.deepEqual(
      after(() => background.lag(1_500)),
      ["degraded", "healthy", "healthy"],
    );
    const down = () => {
      store.down = "connection refused";
      store.bytes = 60;
    };
    assert.deepEqual(after(down), ["healthy", "degraded", "unhealthy"]);
    const later = () => {
      clock.now += 120_000;
    };
    assert.deepEqual(after(later), ["healthy", "degraded", "critical"]);
    assert.equal(components.view().overall, "critical");
    const full = () => {
      store.full = true;
      store.down = undefined;
    };
    assert.deepEqual(after(full), ["healthy", "critical", "healthy"]);
    const never = () => Object.assign(store, { full: false, bytes: 0, reached: false });
    assert.deepEqual(after(never), ["healthy", "healthy", "critical"]);
  });

  it("is exposed, and what the buffers take", async () => {
    const one = service("one", ["main"]);
    const { background, run, series } = fixture(one);
    run(one, "main", ok());
    background.evaluate();
    const lines = await series();
    const own = lines.filter((line) => line.includes('component="job/one/main"'));
    assert.deepEqual(own, [
      'gleaner_component_health{component="job/one/main",state="healthy"} 1',
      'gleaner_component_health{component="job/one/main",state="degraded"} 0',
      'gleaner_component_health{component="job/one/main",state="unhealthy"} 0',
      'gleaner_component_health{component="job/one/main",state="critical"} 0',
      'gleaner_component_trend{component="job/one/main"} 0',
    ]);
    assert.ok(lines.includes("gleaner_buffer_memory_limit_bytes 1000000"));
    const used = lines.find((line) => line.startsWith("gleaner_buffer_memory_bytes "));
    assert.ok(Number(used?.split(" ")[1]) > 100, used);
  });
});

describe("the success of jobs", () => {
  it("is exposed for each window that has runs, kits aside", async () => {
    const [one, kit] = [service("one", ["main"]), kitOf("kit-001", "http://10.0.0.1")];
    const { background, clock, run, series } = fixture(one, kit);
    run(one, "main", failed("timeout"));
    run(kit, "drones", ok());
    clock.now += 120_000;
    run(one, "main", ok());
    background.tick();
    const labels = 'target="one",plugin="probe",job="main"';
    assert.deepEqual(await series(), [
      `gleaner_job_success_ratio{${labels},window="1m"} 1`,
      `gleaner_job_success_ratio{${labels},window="5m"} 0.5`,
      `gleaner_job_success_ratio{${labels},window="15m"} 0.5`,
      `gleaner_job_success_ratio{${labels},window="60m"} 0.5`,
    ]);
    clock.now += 290_000;
    background.tick();
    assert.equal((await series()).length, 3, "nothing ran within the last minute");
    clock.now += 3_600_000;
    background.tick();
    assert.deepEqual(await series(), []);
  });
});

describe("what the API shows", () => {
  it("of the buffers: how far they reach, and the runs", () => {
    const one = service("one", ["main", "other"], 5_000);
    const { run, buffers, clock } = fixture(one);
    run(one, "main", ok(), 1_234);
    const shown = buffersView(one, buffers, 10, undefined);
    const [job] = shown.jobs;
    assert.equal(shown.jobs.length, 1);
    assert.deepEqual([job?.capacity, job?.wanted, job?.size, job?.reach_seconds], [720, 720, 1, 3_600]);
    assert.deepEqual([job?.total_runs, job?.failed_runs, job?.newest?.getTime()], [1, 0, clock.now]);
    assert.deepEqual(job?.recent, [{ time: new Date(clock.now), collection_time: 1.234, outcome: "ok", data: {} }]);
    assert.deepEqual(buffersView(one, buffers, 10, clock.now + 1).jobs[0]?.recent, []);
  });

  it("of components: all in short, one with its history", () => {
    const one = service("one", ["main"]);
    const { background, run, components } = fixture(one);
    run(one, "main", ok());
    background.evaluate();
    background.evaluate();
    const all = healthView(components.view(), undefined);
    assert.deepEqual(Object.keys(all ?? {}), ["overall", "trend", "since", "components", "alerts"]);
    const detail = healthView(components.view(), "job/one/main");
    assert.ok(detail && "history" in detail);
    assert.deepEqual([detail.component, detail.state, detail.history.length], ["job/one/main", "healthy", 2]);
    assert.equal(healthView(components.view(), "job/one/none"), undefined);
  });
});
