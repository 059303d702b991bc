import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import { toCollectError } from "../../src/collect/errors.ts";
import { retryDelay } from "../../src/collect/retry.ts";
import { createRunner, type RunnerDeps } from "../../src/collect/runner.ts";
import type { Job } from "../../src/model/plugin.ts";
import { redactSecrets } from "../../src/model/redact.ts";
import { CollectError, NothingHere } from "../../src/model/run.ts";
import type { RetryPolicy } from "../../src/model/target.ts";
import { pluginOf, targetOf } from "../support/targets.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const never = new AbortController().signal;

function runnerOf(overrides: Partial<RunnerDeps> = {}) {
  return createRunner({
    http: { get: () => Promise.reject(new Error("no network in this test")) },
    log: () => quiet,
    now: () => new Date(),
    monotonic: () => performance.now(),
    limit: () => (fn) => fn(),
    draining: never,
    ...overrides,
  });
}

const retry = (retries: number, rest: Partial<RetryPolicy> = {}): RetryPolicy => ({
  retries,
  delay: 5,
  growth: { kind: "linear" },
  ...rest,
});

const run = (collect: Job["collect"], overrides: Parameters<typeof targetOf>[1] = {}, deps: Partial<RunnerDeps> = {}) =>
  runnerOf(deps).run(targetOf(pluginOf(collect), overrides), "main", never);

describe("runner", () => {
  it("says when it begins: with a free place, once for all attempts", async () => {
    let place = () => {};
    const limit: RunnerDeps["limit"] = () => async (fn) => {
      await new Promise<void>((resolve) => {
        place = resolve;
      });
      return fn();
    };
    const told: string[] = [];
    const failing = async () => {
      told.push("attempt");
      throw new CollectError("unreachable", "nobody there");
    };
    const target = targetOf(pluginOf(failing), { retry: retry(1) });
    const running = runnerOf({ limit }).run(target, "main", never, () => told.push("begin"));
    await delay(5);
    assert.deepEqual(told, []);
    place();
    await delay(40);
    assert.deepEqual(told, ["begin", "attempt"]);
    place();
    assert.equal((await running).attempts, 2);
    assert.deepEqual(told, ["begin", "attempt", "attempt"]);
  });

  it("hands back what was collected, with where, when and how long", async () => {
    const done = await run(async () => ({ samples: [{ metric: "probe_value", value: 1 }] }));
    assert.equal(done.outcome.status, "ok");
    assert.equal(done.attempts, 1);
    assert.deepEqual([done.targetId, done.pluginId, done.job], ["t1", "probe", "main"]);
    assert.ok(done.finishedAt >= done.startedAt && done.durationMs >= 0);
  });

  it("ends a collection at its deadline even when the plugin ignores its signal", async () => {
    const done = await run(() => new Promise(() => undefined), {
      jobs: { main: { trigger: { every: 1_000 }, timeout: 30 } },
    });
    assert.ok(done.outcome.status === "failed" && done.outcome.error.kind === "timeout");
    assert.match(done.outcome.error.message, /no answer within 30 ms/);
    assert.ok(done.durationMs >= 29 && done.durationMs < 500, `took ${done.durationMs} ms`);
  });

  it("tells 'nothing here' from a failure", async () => {
    const done = await run(() => Promise.reject(new NothingHere("no such feature")));
    assert.deepEqual(done.outcome, { status: "empty", reason: "no such feature" });
  });

  const hostile: [string, () => unknown][] = [
    ["undefined", () => undefined],
    ["null", () => null],
    ["a string", () => "boom"],
    [
      "a proxy that throws",
      () =>
        new Proxy(
          {},
          {
            get: () => {
              throw new Error("trap");
            },
            getPrototypeOf: () => {
              throw new Error("trap");
            },
          },
        ),
    ],
    [
      "an object with throwing getters",
      () => ({
        get message() {
          throw new Error("no");
        },
      }),
    ],
  ];
  for (const [what, make] of hostile) {
    it(`survives a plugin that throws ${what}`, async () => {
      const done = await run(async () => {
        throw make();
      });
      assert.ok(done.outcome.status === "failed" && done.outcome.error.kind === "bug");
      assert.ok(done.outcome.error.message.length > 0);
    });
  }

  it("calls a plugin that returns no samples a bug", async () => {
    const done = await run((async () => undefined) as unknown as Job["collect"]);
    assert.ok(done.outcome.status === "failed" && done.outcome.error.kind === "bug");
  });

  it("survives a plugin that throws before its first await, and one that rejects after its deadline", async () => {
    const sync = await run((() => {
      throw new Error("at once");
    }) as Job["collect"]);
    assert.ok(sync.outcome.status === "failed");
    const late = await run(
      async () => {
        await delay(40);
        throw new Error("too late");
      },
      { jobs: { main: { trigger: { every: 1_000 }, timeout: 10 } } },
    );
    assert.ok(late.outcome.status === "failed" && late.outcome.error.kind === "timeout");
    await delay(60);
  });

  it("retries time-outs and refused connections, not answers that were understood", async () => {
    const attemptsFor = async (error: CollectError) =>
      (await run(() => Promise.reject(error), { retry: retry(3) })).attempts;
    assert.equal(await attemptsFor(new CollectError("timeout", "late")), 4);
    assert.equal(await attemptsFor(new CollectError("unreachable", "refused")), 4);
    assert.equal(await attemptsFor(new CollectError("http_status", "500", { status: 500 })), 1);
    assert.equal(await attemptsFor(new CollectError("bad_data", "not JSON")), 1);
    assert.equal(await attemptsFor(new CollectError("bug", "oops")), 1);
  });

  it("stops retrying at the first success", async () => {
    let calls = 0;
    const done = await run(
      async () => {
        if (++calls < 3) throw new CollectError("unreachable", "not yet");
        return { samples: [] };
      },
      { retry: retry(3) },
    );
    assert.equal(done.outcome.status, "ok");
    assert.equal(done.attempts, 3);
  });

  it("waits 10, 20, 40 s between a plugin's tries and 1, 2, 3 s between a kit's", () => {
    const plugin: RetryPolicy = { retries: 3, delay: 10_000, growth: { kind: "exponential", factor: 2 } };
    assert.deepEqual(
      [1, 2, 3].map((n) => retryDelay(plugin, n)),
      [10_000, 20_000, 40_000],
    );
    const kit: RetryPolicy = { retries: 3, delay: 1_000, growth: { kind: "linear" } };
    assert.deepEqual(
      [1, 2, 3].map((n) => retryDelay(kit, n)),
      [1_000, 2_000, 3_000],
    );
  });

  it("keeps the whole run, waits included, within one total deadline", async () => {
    const done = await run(() => Promise.reject(new CollectError("unreachable", "refused")), {
      retry: retry(50, { delay: 10, deadline: 60 }),
    });
    assert.ok(done.durationMs <= 75, `took ${done.durationMs} ms`);
    assert.ok(done.attempts >= 2 && done.attempts < 10);
    const hung = await run(() => new Promise(() => undefined), {
      retry: retry(3, { deadline: 50 }),
      jobs: { main: { trigger: { every: 1_000 }, timeout: 50 } },
    });
    assert.ok(hung.durationMs < 120, `took ${hung.durationMs} ms`);
  });

  it("gives its place back while it waits to try again", async () => {
    const place = pLimit(1);
    let failures = 0;
    const runner = runnerOf({ limit: () => place });
    const flaky = targetOf(
      pluginOf(async () => {
        failures++;
        throw new CollectError("unreachable", "refused");
      }),
      { retry: retry(1, { delay: 80 }) },
    );
    const quick = targetOf(
      pluginOf(async () => ({ samples: [] })),
      { id: "t2" },
    );
    const slow = runner.run(flaky, "main", never);
    const other = await runner.run(quick, "main", never);
    assert.equal(other.outcome.status, "ok");
    assert.equal(failures, 1, "the other target ran before the second try");
    assert.equal((await slow).attempts, 2);
  });

  it("does not wait for another try once the process is stopping, and aborts on demand", async () => {
    const draining = new AbortController();
    const waiting = run(
      () => Promise.reject(new CollectError("unreachable", "refused")),
      { retry: retry(3, { delay: 60_000 }) },
      { draining: draining.signal },
    );
    setTimeout(() => draining.abort(), 20);
    assert.equal((await waiting).attempts, 1);

    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    const aborted = await runnerOf().run(targetOf(pluginOf(() => new Promise(() => undefined))), "main", stop.signal);
    assert.ok(aborted.outcome.status === "failed" && /stopped while collecting/.test(aborted.outcome.error.message));
  });

  it("keeps a target's memory between runs and drops it on demand", async () => {
    const runner = runnerOf();
    const target = targetOf(
      pluginOf(async (_target, { state }) => {
        const n = ((state.get("n") as number | undefined) ?? 0) + 1;
        state.set("n", n);
        return { samples: [{ metric: "probe_value", value: n }] };
      }),
    );
    const collectValue = async () => {
      const { outcome } = await runner.run(target, "main", never);
      return outcome.status === "ok" ? outcome.collected.samples[0]?.value : undefined;
    };
    assert.deepEqual([await collectValue(), await collectValue()], [1, 2]);
    runner.forget("t1");
    assert.equal(await collectValue(), 1);
  });
});

describe("errors", () => {
  it("go by their code", () => {
    const kind = (fields: object) => toCollectError(Object.assign(new Error("x"), fields)).kind;
    assert.equal(kind({ code: "ECONNREFUSED" }), "unreachable");
    assert.equal(kind({ code: "UND_ERR_CONNECT_TIMEOUT" }), "timeout");
    assert.equal(kind({ name: "TimeoutError" }), "timeout");
    assert.equal(kind({ code: "HPE_INVALID_CONSTANT" }), "bad_data");
    for (const code of [
      "CERT_HAS_EXPIRED",
      "CERT_NOT_YET_VALID",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "ERR_SSL_WRONG_VERSION_NUMBER",
    ])
      assert.equal(kind({ code }), "unreachable", code);
    for (const odd of [{}, { code: "constructor" }, { code: "__proto__" }]) assert.equal(kind(odd), "bug");
  });

  it("never carry credentials, nor more than 500 characters", () => {
    assert.equal(redactSecrets("GET http://me:s3cret@host/x failed"), "GET http://***@host/x failed");
    assert.ok(!toCollectError(new Error("postgresql://u:hunter2@db/x refused")).message.includes("hunter2"));
    assert.equal(toCollectError(new Error("x".repeat(10_000))).message.length, 500);
  });
});
