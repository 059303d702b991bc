import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createMonitor } from "../../src/health/monitor.ts";
import { stepService } from "../../src/health/service.ts";
import { type HealthRules, jobHealth, type TargetHealth, UNKNOWN } from "../../src/health/target.ts";
import type { Run } from "../../src/model/run.ts";
import { empty, failed, ok, pluginOf, targetOf } from "../support/targets.ts";

const rules: HealthRules = {
  every: { main: 1_000, other: 2_000 },
  pause: { initialBackoff: 5_000, maxBackoff: 300_000, staleAfter: 3_000 },
};
const S = 1_000;

const run = (
  health: TargetHealth,
  at: number,
  outcome: Run["outcome"],
  job = "main",
  over: Partial<HealthRules> = {},
) => stepService(health, { job, started: at - 10, finished: at, outcome, random: 0.5 }, { ...rules, ...over });

/** Runs whenever the circuit lets it, and tells when that was and for how long it was held afterwards. */
function drive(outcomes: readonly boolean[], from: TargetHealth = UNKNOWN) {
  let health = from;
  let now = 0;
  const log: { at: number; hold: number; phase: string; state: string }[] = [];
  for (const isGood of outcomes) {
    now = Math.max(now + S, jobHealth(health, "main").holdUntil);
    health = run(health, now, isGood ? ok() : failed("timeout"));
    const { holdUntil, circuit } = jobHealth(health, "main");
    log.push({ at: now, hold: Math.max(0, holdUntil - now), phase: circuit?.phase ?? "", state: health.state });
  }
  return { health, log };
}

const times = (n: number, isGood: boolean): boolean[] => Array(n).fill(isGood);

describe("the circuit breaker of a service", () => {
  it("waits 1, 2, 4, 8 s after failures in a row, opens at the fifth for 30 s, and then ever longer up to 300 s", () => {
    const { log } = drive([true, ...times(11, false)]);
    assert.deepEqual(
      log.map(({ hold }) => hold / S),
      [0, 1, 2, 4, 8, 30, 32, 64, 128, 256, 300, 300],
    );
    assert.deepEqual(
      log.map(({ phase }) => phase),
      ["closed", ...Array(4).fill("closed"), ...Array(7).fill("open")],
    );
    assert.deepEqual(
      log.map(({ state }) => state),
      ["healthy", "healthy", ...Array(3).fill("degraded"), ...Array(7).fill("failing")],
    );
  });

  it("closes after three good probes, and begins anew", () => {
    const { log } = drive([...times(5, false), true, true, true, false]);
    assert.deepEqual(
      log.slice(4).map(({ phase, state }) => `${phase} ${state}`),
      ["open failing", "half_open degraded", "half_open degraded", "closed healthy", "closed healthy"],
    );
    assert.equal(log.at(-1)?.hold, S);
  });

  it("opens again at any bad probe, for longer than before", () => {
    const { log } = drive([...times(5, false), true, true, false, true, false]);
    assert.deepEqual(
      log.slice(4).map(({ phase, hold }) => `${phase} ${hold / S}`),
      ["open 30", "half_open 0", "half_open 0", "open 32", "half_open 0", "open 64"],
    );
  });

  it("opens when half of a minute's runs failed, of at least ten", () => {
    const at = (outcomes: boolean[], every: number) =>
      outcomes.reduce((health, isGood, i) => run(health, i * every, isGood ? ok() : failed("timeout")), UNKNOWN);
    const pairs = (n: number) => Array.from({ length: n }, () => [true, false]).flat();
    const phase = (health: TargetHealth) => jobHealth(health, "main").circuit?.phase;
    assert.equal(phase(at(pairs(4), S)), "closed", "eight runs are too few");
    assert.equal(phase(at(pairs(5), S)), "open");
    assert.equal(at(pairs(5), S).state, "failing");
    assert.equal(phase(at([true, ...pairs(5)], S)), "closed", "five of eleven");
    assert.equal(phase(at(pairs(50), 7 * S)), "closed", "never ten within a minute");
  });

  it("is each job's own", () => {
    let health = run(UNKNOWN, 0, ok(), "other");
    for (let i = 1; i <= 5; i++) health = run(health, i * S, failed("bad_data"));
    assert.equal(jobHealth(health, "main").circuit?.phase, "open");
    assert.equal(jobHealth(health, "other").circuit?.phase, "closed");
    assert.equal(jobHealth(run(health, 6 * S, ok(), "other"), "other").holdUntil, 0);
    assert.equal(run(health, 6 * S, ok(), "other").state, "failing", "the worst job counts");
  });

  it("heeds what the service asks for, and counts nothing to collect as good", () => {
    const asked = run(UNKNOWN, 0, failed("http_status", { status: 503, retryAfter: 60 * S }));
    assert.equal(jobHealth(asked, "main").holdUntil, 60 * S);
    const forever = run(UNKNOWN, 0, failed("http_status", { status: 503, retryAfter: 1e9 }));
    assert.equal(jobHealth(forever, "main").holdUntil, 300 * S);
    assert.equal(jobHealth(run(asked, 61 * S, empty()), "main").circuit?.failed, 0);
  });

  it("never waits longer than is configured", () => {
    const short = { pause: { ...rules.pause, maxBackoff: 2 * S } };
    let health = UNKNOWN;
    for (let i = 0; i < 8; i++) health = run(health, i * 10 * S, failed("timeout"), "main", short);
    assert.equal(jobHealth(health, "main").holdUntil - 70 * S, 2 * S);
  });

  it("holds to its rules whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (outcomes) => {
        const { log } = drive(outcomes);
        let probes = 0;
        for (const [i, { at, hold, phase }] of log.entries()) {
          const before = log[i - 1];
          const wasOpen = before !== undefined && before.phase !== "closed";
          if (before) assert.ok(at >= (before.at ?? 0) + before.hold, "a hold is kept");
          if (phase === "open") assert.ok(hold >= 30 * S && hold <= 300 * S, `open for ${hold} ms`);
          if (outcomes[i]) assert.equal(hold, 0, "nothing waits after a good run");
          if (!wasOpen) {
            probes = 0;
            if (phase === "open") assert.equal(outcomes[i], false, "a good run opens nothing");
            continue;
          }
          probes = before.phase === "open" ? 1 : probes + 1;
          assert.ok(probes <= 3, "at most three probes");
          assert.equal(phase, outcomes[i] ? (probes === 3 ? "closed" : "half_open") : "open");
        }
      }),
    );
  });
});

describe("a target with that policy", () => {
  it("says why a job must not run: paused after a failure, an open circuit after five", () => {
    const plugin = pluginOf(async () => ({ samples: [] }), { health: "service" });
    const target = targetOf(plugin);
    const clock = { now: 0 };
    const told: string[] = [];
    const monitor = createMonitor({
      ...{ now: () => clock.now, wall: () => new Date(0), random: () => 0.5 },
      onTransition: ({ from, to }) => told.push(`${from} ${to}`),
    });
    monitor.add(target);
    const finish = (outcome: Run["outcome"]) => {
      const at = new Date(0);
      const timing = { startedAt: at, finishedAt: at, durationMs: 0, attempts: 1 };
      monitor.observe({ targetId: target.id, pluginId: plugin.id, job: "main", outcome, ...timing });
      return monitor.hold(target.id, "main");
    };
    assert.equal(finish(ok()), undefined);
    assert.equal(finish(failed("timeout")), "paused");
    for (let i = 0; i < 3; i++) finish(failed("timeout"));
    assert.equal(finish(failed("timeout")), "open_circuit");
    clock.now = 30_000;
    assert.equal(monitor.hold(target.id, "main"), undefined);
    for (let i = 0; i < 3; i++) assert.equal(finish(ok()), undefined);
    assert.deepEqual(told, [
      "unknown healthy",
      "healthy degraded",
      "degraded failing",
      "failing degraded",
      "degraded healthy",
    ]);
    monitor.skipped(target.id, "main", "open_circuit", 1);
    assert.deepEqual(monitor.view(target.id)?.runs["main"]?.skipped, { open_circuit: 1 });
  });
});
