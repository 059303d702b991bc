import assert from "node:assert/strict";
import { test } from "node:test";
import { configure } from "../../src/app/configure.ts";
import { createExternal } from "../../src/app/external.ts";
import { loadConfig } from "../../src/config/load.ts";
import { temporaryFolder } from "../support/folder.ts";
import { keepingLog } from "./support.ts";

const plugin = (id: string, before: string, config = "z.strictObject({})") => `
  import { definePlugin } from "gleaner/plugin";
  import { z } from "zod";
  ${before}
  export const it = definePlugin({
    id: "${id}", title: "It", summary: "It.", category: "custom", version: "1.0.0", enabledByDefault: true,
    config: ${config}, metrics: { ${id}_value: { help: "A value." } },
    jobs: { main: { summary: "Reads.", every: 1000, collect: async () => ({ samples: [] }) } },
  });`;

test("a plugin that is slow to load holds up nobody, and joins when it is there", async () => {
  using folder = temporaryFolder();
  folder.write("quick.ts", plugin("quick", ""));
  folder.write("slow.ts", plugin("slow", "await new Promise((resolve) => setTimeout(resolve, 7_000));"));
  folder.write(
    "gleaner.yaml",
    "external_plugins: [{ file: ./quick.ts }, { file: ./slow.ts }, { file: ./absent.ts }]\n",
  );
  const config = loadConfig({ env: {}, cwd: folder.path });
  const log = keepingLog();
  const external = createExternal({ log, env: {} });
  try {
    const first = await external.load(config);
    assert.deepEqual([...first.failed.keys()], ["slow", "absent"]);
    assert.match(first.failed.get("slow") ?? "", /has not loaded within 5 s, and joins when it has/);
    assert.equal(first.plugins.filter(({ id }) => id === "quick" || id === "slow").length, 2, "a stand-in is there");
    const stood = first.plugins.find(({ id }) => id === "slow");
    assert.deepEqual([stood?.version, Object.keys(stood?.jobs ?? {})], ["0.0.0", ["load"]]);
    assert.equal(await external.isMended(), true);
    const second = await external.load(config);
    assert.deepEqual([...second.failed.keys()], ["absent"]);
    assert.equal(second.plugins.find(({ id }) => id === "slow")?.version, "1.0.0");
    const quick = (all: typeof first) => all.plugins.find(({ id }) => id === "quick");
    assert.equal(quick(second), quick(first), "the others are who they were");
    assert.equal(await external.isMended(), false, "what is not there is tried again later");
  } finally {
    await external.close();
  }
});

test("plugins that want the same metric: the first has it, and the other says so", async () => {
  using folder = temporaryFolder();
  folder.write("one.ts", plugin("one", ""));
  folder.write("two.ts", plugin("two", "").replace("two_value", "one_value"));
  folder.write("gleaner.yaml", "external_plugins: [{ file: ./one.ts }, { file: ./two.ts }]\n");
  const external = createExternal({ log: keepingLog(), env: {} });
  try {
    const { failed } = await external.load(loadConfig({ env: {}, cwd: folder.path }));
    assert.deepEqual([...failed], [["two", "the metric one_value is declared by one, too"]]);
  } finally {
    await external.close();
  }
});

test("a schema that never answers stops no start", async () => {
  using folder = temporaryFolder();
  const schema = `z.strictObject({ mute: z.boolean().optional().describe("Silence.") })
    .refine(({ mute }) => !mute || new Promise(() => {}))`;
  folder.write("mute.ts", plugin("mute", "", schema));
  folder.write(
    "gleaner.yaml",
    "external_plugins: [{ file: ./mute.ts }]\ntargets: { mute: { config: { mute: true } } }\n",
  );
  const external = createExternal({ log: keepingLog(), env: {} });
  try {
    const { targets, failed } = await configure(loadConfig({ env: {}, cwd: folder.path }), external);
    assert.equal(failed.size, 0);
    assert.deepEqual(targets.find(({ id }) => id === "mute")?.config, { mute: true }, "its runs tell what is wrong");
  } finally {
    await external.close();
  }
});
