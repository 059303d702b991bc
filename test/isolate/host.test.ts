import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { validateAsync } from "../../src/config/validate.ts";
import { findTools } from "../../src/isolate/launch.ts";
import type { Plugin } from "../../src/model/plugin.ts";
import type { CollectError } from "../../src/model/run.ts";
import { eventually } from "../support/eventually.ts";
import { collect, hosted, installPackage, named, processesWith } from "./support.ts";

const CANARY = "canary-of-the-host-5f1e";

describe("an external plugin", { concurrency: 3 }, () => {
  it("collects, remembers, derives and logs in a process of its own", async () => {
    await using it = hosted();
    const plugin = await it.plugin("tank_level", "tank_level");
    assert.deepEqual([plugin.id, plugin.version, plugin.author], ["tank_level", "1.0.0", "A test"]);
    const state = new Map();
    for (const runs of [1, 2]) {
      const { samples, documents } = await collect(plugin, { level: 0.5 }, { state });
      assert.deepEqual(
        samples.map(({ metric, value }) => [metric, value]),
        [
          ["tank_level_ratio", 0.5],
          ["tank_runs_total", runs],
          ["tank_volume", 25],
        ],
      );
      assert.deepEqual(documents, [{ name: "tank", body: { size: 50 } }], "a default of its own schema");
    }
    const other = await collect(plugin, { level: 1, size: 7 });
    assert.deepEqual(other.documents, [{ name: "tank", body: { size: 7 } }]);
    assert.equal(other.samples[1]?.value, 1, "another target's memory is another one");
    await plugin.close?.(state);
    assert.equal((await collect(plugin, { level: 0.5 }, { state })).samples[1]?.value, 1, "forgotten");
    assert.ok(it.lines.some(([, message]) => message === "a tank"));
    assert.deepEqual(it.restarts, []);
  });

  it("has its configuration checked by its own schema, and problems keep their places", async () => {
    await using it = hosted();
    const { config } = await it.plugin("tank_level", "tank_level");
    const origin = (isText: boolean) => ({
      label: (path: readonly PropertyKey[], part = "value") => `${path.join(".")} (${part})`,
      fromVariable: () => isText,
      reported: () => false,
    });
    const problems = async (raw: unknown) => (await validateAsync(config, raw, origin(false))).problems;
    assert.deepEqual(await problems({ level: 0.5 }), []);
    assert.deepEqual(await problems({ level: 3, siz: 1 }), [
      "level (value): expected at most 1",
      'siz (key): unknown key, did you mean "size"?',
    ]);
    assert.deepEqual(await problems({}), ["level (value): missing, expected a number"]);
    assert.deepEqual(await problems({ level: "0.5" }), ["level (value): expected a number, got text"]);
    const { value } = await validateAsync(config, { level: "0.5" }, origin(true));
    assert.deepEqual(value, { level: 0.5 }, "text out of a variable stands for a number");
  });

  it("is the same value while nothing changes, and another one when its file or its settings do", async () => {
    await using it = hosted();
    const first = await it.plugin("tank_level", "tank_level");
    assert.equal(await it.plugin("tank_level", "tank_level"), first);
    const roomier = await it.plugin("tank_level", "tank_level", { memory: 300 * 1024 * 1024 });
    assert.notEqual(roomier, first);
    await it.host.keep([roomier]);
    await assert.rejects(collect(first, { level: 0.5 }), /process is ended/);
    appendFileSync(it.folder.at("tank_level.ts"), "// changed\n");
    assert.equal((await collect(roomier, { level: 0.5 })).samples.length, 3, "a process that runs goes on");
    const loaded = await it.host.load(named(it.folder.path, { file: "./tank_level.ts" }));
    assert.ok("plugin" in loaded && loaded.plugin !== first);
  });

  it("is refused when a byte of its files is not the pinned one, also when it changes afterwards", async () => {
    await using it = hosted();
    const loaded = await it.host.load(named(it.folder.path, { file: "./hostile.ts" }));
    assert.ok("findings" in loaded && /there is no file/.test(loaded.findings[0]?.message ?? ""));
    await it.plugin("hostile", "hostile");
    const pinned = await it.host.load(named(it.folder.path, { file: "./hostile.ts" }));
    assert.ok("plugin" in pinned);
    const plugin = await it.plugin("hostile", "hostile", { sha256: pinned.digest.toUpperCase() });
    appendFileSync(it.folder.at("hostile.ts"), " ");
    const sha256 = pinned.digest;
    const tampered = await it.host.load(named(it.folder.path, { file: "./hostile.ts", sha256 }));
    assert.ok("findings" in tampered);
    assert.match(tampered.findings[0]?.message ?? "", /^its files have the SHA-256 [0-9a-f]{64}, not the one/);
    // The process that runs is lost; the one after it must not run other bytes than were looked at.
    await assert.rejects(collect(plugin, { what: "exits" }), /exit code 3/);
    await assert.rejects(collect(plugin, { what: "resolves_twice" }), /its files changed: reload/);
  });

  it("is a package with its dependencies, and is none without the keyword", async () => {
    await using it = hosted();
    const keywords = ["gleaner-plugin"];
    const source = `import { answer } from "some-helper"; import { z } from "zod"; import { definePlugin } from "gleaner/plugin";
      export const p = definePlugin({ id: "well", title: "Well", summary: "A well.", category: "custom", version: "1.0.0",
        enabledByDefault: true, config: z.strictObject({}), metrics: { well_depth: { help: "Depth." } },
        jobs: { main: { summary: "Reads.", every: 1000, collect: async () => ({ samples: [{ metric: "well_depth", value: answer }] }) } } });`;
    const description = { keywords, exports: { import: "./lib.js" }, dependencies: { "some-helper": "*" } };
    installPackage(it.folder.path, "gleaner-plugin-well", description, { "lib.js": source });
    installPackage(it.folder.path, "some-helper", { main: "m.js" }, { "m.js": "export const answer = 42;" });
    installPackage(it.folder.path, "gleaner-plugin-other", {}, { "index.js": source });
    const loaded = await it.host.load(named(it.folder.path, { package: "gleaner-plugin-well" }));
    assert.ok("plugin" in loaded, JSON.stringify(loaded));
    assert.deepEqual((await collect(loaded.plugin)).samples, [{ metric: "well_depth", value: 42 }]);
    for (const [name, said] of [
      ["gleaner-plugin-other", /the keyword gleaner-plugin is missing/],
      ["gleaner-plugin-absent", /is not installed/],
    ] as const) {
      const failed = await it.host.load(named(it.folder.path, { package: name }));
      assert.ok("findings" in failed);
      assert.match(failed.findings[0]?.message ?? "", said);
    }
  });

  it("gets the variables on its list and nothing else of gleaner's environment", async () => {
    await using it = hosted({ TANK_TOKEN: "for the tank", PASSWORD: CANARY });
    const plugin = await it.plugin("hostile", "hostile", { env: ["TANK_TOKEN", "NOT_SET"] });
    const { documents } = await collect(plugin, { what: "tells_environment" });
    assert.deepEqual(documents?.[0]?.body, { TANK_TOKEN: "for the tank" });
  });

  it("has no network, not even this machine's own, unless it is allowed", async () => {
    await using it = hosted();
    const networks = async (plugin: Plugin) => (await collect(plugin, { what: "tells_networks" })).documents?.[0]?.body;
    assert.ok(Array.isArray(await networks(await it.plugin("hostile", "hostile"))));
    const { unshare } = await findTools();
    const without = it.plugin("hostile", "hostile", { allow: [] });
    if (unshare) assert.deepEqual(await networks(await without), []);
    else await assert.rejects(without, /its network cannot be taken away here/);
  });

  it("cannot do what it is not allowed", async () => {
    await using it = hosted({ PASSWORD: CANARY });
    it.folder.write("gleaner.yaml", CANARY);
    const plugin = await it.plugin("hostile", "hostile");
    for (const what of [
      ...["spawns", "blocks", "starts_worker", "inspects_itself", "writes", "slows_gleaner"],
      ...["kills_gleaner", "kills_by_import", "wakes_debugger"],
      ...["reads_environment", "reads_gleaners", "reads_outside", "reads_configuration"],
    ]) {
      const error = await collect(plugin, { what }).then(
        () => undefined,
        (thrown: CollectError) => thrown,
      );
      assert.equal(error?.kind, "bug", what);
      assert.match(error?.message ?? "", /has been restricted|is not for plugins/, what);
    }
    assert.deepEqual(it.restarts, []);
  });

  const lost: readonly (readonly [what: string, why: RegExp])[] = [
    ["exits", /ended by itself with exit code 3/],
    ["aborts", /SIGABRT/],
    // A machine that has too much to do is not flooded so fast: then its own deadline ends it.
    ["floods_messages", /more messages than can be read|did nothing else/],
    ["floods_bytes", /what is no message/],
    ["floods_nonsense", /what is no message/],
    ["claims_length", /what is no message/],
    ["answers_unasked", /answers what nobody asked/],
    ["leaks_heap", /of memory|SIGABRT/],
    ["throws_later_and_waits", /ended by itself with exit code 1/],
  ];
  for (const [what, why] of lost)
    it(`that ${what.replaceAll("_", " ")} loses its process, and gets another one`, async () => {
      await using it = hosted();
      const plugin = await it.plugin("hostile", "hostile", { memory: 160 * 1024 * 1024 });
      await assert.rejects(collect(plugin, { what }), (error: CollectError) => {
        assert.equal(error.kind, "bug");
        assert.match(error.message, why);
        return true;
      });
      assert.equal((await collect(plugin, { what: "resolves_twice" })).samples.length, 1);
      assert.deepEqual(it.restarts, ["hostile"]);
    });

  it("that leaks buffers is ended when it is over its limit, however fast", async () => {
    await using it = hosted();
    const plugin = await it.plugin("hostile", "hostile", { memory: 160 * 1024 * 1024 });
    // What cannot be had may be thrown, or end the process at once.
    await assert.rejects(collect(plugin, { what: "leaks_buffers" }), /memory|SIGABRT/);
    await eventually(() => assert.ok(it.lines.some(([, message]) => message === "the process of a plugin was lost")));
    assert.equal((await collect(plugin, { what: "resolves_twice" })).samples.length, 1);
  });

  for (const what of ["loops", "backtracks", "never_resolves"])
    it(`that ${what.replaceAll("_", " ")} is ended soon after its deadline`, async () => {
      await using it = hosted();
      const plugin = await it.plugin("hostile", "hostile");
      await assert.rejects(collect(plugin, { what }, { deadline: 300 }), /went on for 1000 ms/);
      assert.equal((await collect(plugin, { what: "resolves_twice" })).samples.length, 1);
    });

  const answers: readonly (readonly [what: string, failure: RegExp | undefined])[] = [
    ...(["resolves_twice", "rejects_later", "returns_cycle", "returns_bigint", "many_rows", "prints"] as const).map(
      (what) => [what, undefined] as const,
    ),
    ["throws_undefined", /something that is no error/],
    ["throws_null", /something that is no error/],
    ["throws_text", /^just text$/],
    ["throws_proxy", /something that is no error/],
    ["throws_getter", /something that is no error/],
    ["returns_proxy", /not to be/],
    ["many_samples", /1000000 samples; 50000 is the most/],
    ["huge_text", /characters of JSON/],
    ["leaks_files", /EMFILE/],
  ];
  it("that answers nonsense, or throws anything, fails by the run and keeps its process", async () => {
    await using it = hosted();
    const plugin = await it.plugin("hostile", "hostile", { memory: 512 * 1024 * 1024 });
    for (const [what, failure] of answers) {
      const error = await collect(plugin, { what }).then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      if (failure) assert.match(error?.message ?? "", failure, what);
      else assert.equal(error, undefined, what);
    }
    assert.deepEqual(it.restarts, []);
    assert.ok(it.lines.length <= 40, `${it.lines.length} lines were logged`);
  });

  it("that is lost again and again is left alone for longer and longer", async () => {
    await using it = hosted();
    const plugin = await it.plugin("hostile", "hostile");
    const exits = () =>
      collect(plugin, { what: "exits" }).then(
        () => "",
        (error: Error) => error.message,
      );
    assert.match(await exits(), /exit code 3/);
    assert.match(await exits(), /exit code 3/, "once costs nothing");
    assert.match(await exits(), /lost 2 times, and starts again in 1 s: it ended by itself with exit code 3/);
    await sleep(1_100);
    assert.match(await exits(), /exit code 3/);
    assert.match(await exits(), /lost 3 times, and starts again in 2 s/);
    assert.equal(it.restarts.length, 2);
  });

  it("takes what it started along when it goes", async () => {
    await using it = hosted();
    const plugin = await it.plugin("hostile", "hostile", { allow: ["network", "child_processes"] });
    const { documents } = await collect(plugin, { what: "spawns" });
    const pid = Number((documents?.[0]?.body as { pid?: number } | undefined)?.pid);
    assert.ok(processesWith("sleep\u000086399").includes(pid));
    await assert.rejects(collect(plugin, { what: "exits" }));
    await eventually(() => assert.ok(!processesWith("sleep\u000086399").includes(pid)));
  });

  it("that cannot be what it should be says why, with the line", async () => {
    await using it = hosted();
    const load = async (name: string, source: string) => {
      it.folder.write(`${name}.ts`, source);
      const loaded = await it.host.load(named(it.folder.path, { file: `./${name}.ts` }));
      return "findings" in loaded ? loaded.findings.map(({ line, message }) => `${line}: ${message}`).join("\n") : "";
    };
    assert.match(await load("syntax", "\n\nexport const x = = 1;\n"), /^3: cannot be loaded: Expression expected/);
    assert.match(await load("empty", "export const x = 1;\n"), /^1: exports no plugin/);
    assert.match(await load("leaves", "process.exit(0);\n"), /gone: it ended by itself with exit code 0/);
    const file = (id: string, more = "") => `import { z } from "zod"; import { definePlugin } from "gleaner/plugin";
export const p = definePlugin({ id: "${id}", title: "X", summary: "An x.", category: "custom", version: "1.0.0", ${more}
  enabledByDefault: false, config: z.strictObject({ a: z.string().optional() }), metrics: { x_value: { help: "A value." } },
  jobs: { main: { summary: "Reads.", every: 1000, collect: async () => ({ samples: [] }) } } });\n`;
    assert.match(await load("misnamed", file("other")), /^2: the id other is not the file's name misnamed/);
    assert.match(
      await load("kits", file("kits", 'health: "kit",').replace("z.string()", 'z.string().describe("A.")')),
      /only gleaner's own/,
    );
    assert.match(await load("bare", file("bare")), /^3: config.a has no description/);
  });

  it("leaves nothing behind when it is closed", async () => {
    const it = hosted();
    await it.plugin("tank_level", "tank_level");
    const ours = `--allow-fs-read=${it.folder.path}`;
    assert.equal(processesWith(ours).length, 1);
    await it[Symbol.asyncDispose]();
    assert.equal(processesWith(ours).length, 0);
  });
});
