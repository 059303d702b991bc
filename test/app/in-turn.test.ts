import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createInTurn } from "../../src/app/in-turn.ts";

it("pieces of work are done one after the other, also after one that failed", async () => {
  const inTurn = createInTurn();
  const steps: string[] = [];
  const work = (name: string, ms: number) => async () => {
    steps.push(`${name} begins`);
    await sleep(ms);
    steps.push(`${name} ends`);
    if (name === "b") throw new Error("b fails");
    return name;
  };
  const all = await Promise.allSettled([inTurn(work("a", 15)), inTurn(work("b", 5)), inTurn(work("c", 0))]);
  assert.deepEqual(
    steps,
    ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
  assert.deepEqual(
    all.map((one) => (one.status === "fulfilled" ? one.value : (one.reason as Error).message)),
    ["a", "b fails", "c"],
  );
});
