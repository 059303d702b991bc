import assert from "node:assert/strict";
import { test } from "node:test";
import { createRunner } from "../../src/collect/runner.ts";
import type { Context, Plugin } from "../../src/model/plugin.ts";
import { keepingLog } from "../app/support.ts";
import { pluginOf, targetOf } from "../support/targets.ts";

const never = new AbortController().signal;

/** A plugin that opens something at its first run and keeps it, and a runner for it. */
function keeping(close: Plugin["close"], during: (context: Context) => Promise<void> = async () => {}) {
  const log = keepingLog();
  const plugin = pluginOf(
    async (_target, context) => {
      context.state.set("connection", "open");
      await during(context);
      return { samples: [] };
    },
    close ? { close } : {},
  );
  const runner = createRunner({
    ...{ http: { get: () => Promise.reject(new Error("no network")) }, now: () => new Date() },
    ...{ log: () => log, monotonic: () => performance.now(), limit: () => (fn) => fn(), draining: never },
  });
  return { runner, target: targetOf(plugin), log };
}

test("a plugin closes what it keeps when its target is forgotten, once, and a later run begins with nothing", async () => {
  const closed: unknown[] = [];
  const seen: number[] = [];
  const { runner, target } = keeping(
    (state) => void closed.push(state.get("connection")),
    async ({ state }) => void seen.push(state.size),
  );
  await runner.run(target, "main", never);
  runner.forget(target.id);
  runner.forget(target.id);
  assert.deepEqual(closed, ["open"]);
  await runner.run(target, "main", never);
  await runner.close();
  assert.deepEqual([closed.length, seen], [2, [1, 1]]);
});

test("what a run still uses is closed when that run is over, while another one has memory of its own", async () => {
  const order: string[] = [];
  const held = Promise.withResolvers<void>();
  let runs = 0;
  const { runner, target } = keeping(
    () => void order.push("closed"),
    async () => {
      if (runs++ > 0) return;
      await held.promise;
      order.push("first run over");
    },
  );
  const first = runner.run(target, "main", never);
  runner.forget(target.id);
  await runner.run(target, "main", never);
  assert.deepEqual(order, []);
  held.resolve();
  await first;
  assert.deepEqual(order, ["first run over", "closed"]);
  await runner.close();
  assert.deepEqual(order, ["first run over", "closed", "closed"]);
});

test("stopping waits a moment for a plugin that hangs, says so, and is kept up by none that throws", async () => {
  const hanging = keeping(() => new Promise(() => {}));
  await hanging.runner.run(hanging.target, "main", never);
  const begun = performance.now();
  await hanging.runner.close();
  const took = performance.now() - begun;
  assert.ok(took >= 390 && took < 1_500, `took ${took} ms`);
  assert.match(hanging.log.lines.at(-1)?.message ?? "", /did not close what it keeps within 400 ms/);

  const throwing = keeping(() => {
    throw new Error("no");
  });
  await throwing.runner.run(throwing.target, "main", never);
  await throwing.runner.close();
  assert.match(throwing.log.lines.at(-1)?.message ?? "", /could not close/);
});

test("a plugin that keeps nothing, or closes nothing, is left alone", async () => {
  const { runner, target, log } = keeping(undefined);
  await runner.run(target, "main", never);
  await runner.close();
  await runner.close();
  assert.deepEqual(log.lines, []);
});
