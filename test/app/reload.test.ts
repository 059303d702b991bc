import assert from "node:assert/strict";
import { renameSync, rmSync } from "node:fs";
import { test } from "node:test";
import { watchConfig } from "../../src/app/reload.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { keepingLog } from "./support.ts";

/** Watches with an `apply` that the test steers; every outcome that was told is kept. */
function watching(files: readonly string[], apply: () => Promise<{ added: number; removed: number }>, every?: number) {
  const told: boolean[] = [];
  const log = keepingLog();
  const self = { configReloaded: (successful: boolean) => void told.push(successful) };
  const now = () => new Date();
  const watcher = watchConfig({ files, apply, self, log, now, ...(every === undefined ? {} : { every }) });
  return { told, log, stop: watcher.stop };
}

test("SIGHUP reloads; what is not usable is told and changes nothing; after stop nobody listens", async () => {
  const before = process.listenerCount("SIGHUP");
  let broken = false;
  const { told, log, stop } = watching([], async () => {
    if (broken) throw new Error("kits.yaml:1:1 is not usable");
    return { added: 1, removed: 2 };
  });
  assert.equal(process.listenerCount("SIGHUP"), before + 1);
  process.emit("SIGHUP");
  await eventually(() => assert.deepEqual(told, [true]));
  assert.deepEqual(log.lines.at(-1), {
    level: "info",
    fields: { added: 1, removed: 2 },
    message: "configuration reloaded",
  });
  broken = true;
  process.emit("SIGHUP");
  await eventually(() => assert.deepEqual(told, [true, false]));
  assert.equal(log.lines.at(-1)?.level, "error");
  broken = false;
  process.emit("SIGHUP");
  await eventually(() => assert.deepEqual(told, [true, false, true]));
  stop();
  assert.equal(process.listenerCount("SIGHUP"), before);
});

test("reloads asked for while one is under way come one after the other", async () => {
  const running = { now: 0, most: 0 };
  const { told, stop } = watching([], async () => {
    running.most = Math.max(running.most, ++running.now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running.now--;
    return { added: 0, removed: 0 };
  });
  for (let i = 0; i < 3; i++) process.emit("SIGHUP");
  await eventually(() => assert.equal(told.length, 3));
  assert.equal(running.most, 1);
  stop();
});

test("a file that comes, changes or goes asks for a reload; one that is never there does not", async () => {
  using folder = temporaryFolder();
  const { told, stop } = watching(
    [folder.at("kits.yaml"), folder.at("never.yaml")],
    async () => ({ added: 0, removed: 0 }),
    20,
  );
  // In one step: a file that is first empty and then written is two changes to somebody who looks in between.
  const put = (text: string) => renameSync(folder.write("kits.yaml.new", text), folder.at("kits.yaml"));
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.deepEqual(told, []);
  put("kits: []\n");
  await eventually(() => assert.equal(told.length, 1));
  put("kits: [] # changed\n");
  await eventually(() => assert.equal(told.length, 2));
  rmSync(folder.at("kits.yaml"));
  await eventually(() => assert.equal(told.length, 3));
  stop();
});
