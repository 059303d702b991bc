/**
 * The part of D4 that runs on the near host, with its loopback: kits, gleaner, and what looks at them.
 * `node black-hole.ts URL READ_URL SECONDS`; writes `cut` and `mend` when the network is to go and to come back, waits
 * for a line each time, and ends with the figures.
 */
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { recovery, startScene, untilDown, watch } from "./scene.ts";

const [url = "", readUrl = "", seconds = ""] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(what: string): Promise<void> {
  process.stdout.write(`${what}\n`);
  await lines.next();
}

{
  await using scene = await startScene({ url, readUrl, store: { statement_timeout: "2s" } });
  const watching = watch(scene.gleaner);
  await ask("cut");
  const begun = performance.now();
  await untilDown(scene.gleaner, 10_000);
  const noticed = Math.round((performance.now() - begun) / 100) / 10;
  await sleep(Number(seconds) * 1_000);
  const { p99 } = await watching.stop();
  assert.ok(p99 < 1_000, `p99 ${p99}`);
  await ask("mend");
  const recoverySeconds = await recovery(scene.gleaner);
  const figures = { ...(await scene.finish()), recoverySeconds, note: `noticed after ${noticed} s` };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
process.stdin.destroy();
