import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { resolveRow, seedSetting } from "../../src/config/plugin-rows.ts";
import { resolveTargets } from "../../src/config/targets.ts";
import type { Plugin } from "../../src/model/plugin.ts";
import { configuredBy } from "../app/plugins-support.ts";
import { plugins } from "./plugins.ts";

const plugin = (id: string) => plugins.find((one) => one.id === id) as Plugin;

const YAML = `
targets:
  thing:
    interval: 30s
    tags: { rack: a1 }
    config: { address: a, port: 81, password: secret }
  second:
    plugin: thing
    config: { address: b }
  switched-off:
    plugin: thing
    enabled: false
    config: { address: c }
`;

/** What the row of a plugin comes to, over a gleaner.yaml. */
async function resolved(row: unknown, { id = "thing", yaml = YAML, enabled = true, kits = "kits: []\n" } = {}) {
  const configured = await configuredBy(yaml, kits);
  const one = plugin(id);
  const seed = seedSetting(one, configured.targets);
  const { targets, problems } = await resolveRow(one, { enabled, config: row }, seed, configured.config, plugins);
  return { targets, problems, configured, seed };
}
const intervals = async (row: unknown) =>
  (await resolved(row)).targets.map(({ id, jobs }) => [id, Object.values(jobs).map(({ trigger }) => trigger)]);

describe("a row of the table of plugins", () => {
  it("is seeded with no setting of the plugin's own", async () => {
    const { seed } = await resolved({});
    assert.deepEqual(seed, { enabled: true, config: { collection_interval: 30 } });
    assert.deepEqual((await resolved({}, { id: "dragonsync" })).seed, { enabled: false, config: {} });
  });

  it("that says what it was seeded with, or nothing, is gleaner.yaml", async () => {
    for (const row of [{}, { collection_interval: 30 }]) {
      const { targets, configured } = await resolved(row);
      assert.deepEqual(
        targets,
        configured.targets.filter((target) => target.plugin.id === "thing"),
      );
    }
  });

  it("changes intervals in either spelling, of all targets or of one, and by cron", async () => {
    for (const key of ["interval", "collection_interval"])
      assert.deepEqual(await intervals({ [key]: 5 }), [
        ["thing", [{ every: 5_000 }, { every: 5_000 }]],
        ["second", [{ every: 5_000 }, { every: 5_000 }]],
      ]);
    const single = { targets: { second: { collection_interval: "2m" } } };
    assert.deepEqual((await intervals(single))[1], ["second", [{ every: 120_000 }, { every: 120_000 }]]);
    assert.deepEqual((await intervals({ cron: "0 3 * * *" }))[0], [
      "thing",
      [{ cron: "0 3 * * *" }, { cron: "0 3 * * *" }],
    ]);
    assert.match(
      (await resolved({ interval: 5, cron: "0 3 * * *" })).problems[0] ?? "",
      /^plugin thing: cron: expected only one/,
    );
  });

  it("is a patch of the plugin's settings: what it does not name stays, null takes away", async () => {
    const { targets } = await resolved({ config: { port: 90 }, targets: { thing: { config: { password: null } } } });
    assert.deepEqual(
      targets.map(({ id, config }) => [id, config]),
      [
        ["thing", { address: "a", port: 90 }],
        ["second", { address: "b", port: 90 }],
      ],
    );
    assert.deepEqual((await resolved({ tags: { row: "7" } })).targets[0]?.tags, { rack: "a1", row: "7" });
  });

  it("switches single targets on and off, and makes further ones", async () => {
    const targets = {
      thing: { enabled: false },
      "switched-off": { enabled: true },
      fresh: { config: { address: "d" } },
    };
    assert.deepEqual(
      (await resolved({ targets })).targets.map(({ id }) => id),
      ["second", "switched-off", "fresh"],
    );
  });

  it("switches the plugin off with all its targets, and on where gleaner.yaml has none or has it off", async () => {
    assert.deepEqual((await resolved({}, { enabled: false })).targets, []);
    const ids = async (yaml: string, id: string, row: unknown) =>
      (await resolved(row, { yaml, id })).targets.map((one) => one.id);
    assert.deepEqual(await ids("targets: {}\n", "thing", { config: { address: "x" } }), ["thing"]);
    assert.deepEqual(await ids("targets: { other_thing: { enabled: false } }\n", "other_thing", {}), ["other_thing"]);
    assert.deepEqual(await ids("targets: { other-thing: { enabled: false } }\n", "other_thing", {}), ["other_thing"]);
  });

  it("switches kits off and on, and configures none", async () => {
    const kits = "kits: [{ id: kit-001, api_url: http://127.0.0.1:9 }]\n";
    const of = (row: unknown, enabled = true) => resolved(row, { id: "dragonsync", kits, enabled });
    assert.deepEqual(
      (await of({})).targets.map(({ id }) => id),
      ["kit-001"],
    );
    assert.deepEqual((await of({}, false)).targets, []);
    assert.match((await of({ interval: 7 })).problems[0] ?? "", /kits are configured in kits.yaml/);
  });

  it("that cannot be used says why, and never a value", async () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      ["hunter2", /^plugin thing: config: expected a map, got text$/],
      [{ intervall: 5 }, /^plugin thing: intervall: unknown key, did you mean "interval"\?$/],
      [{ interval: "hunter2" }, /^plugin thing: interval: expected a duration/],
      [{ config: { port: "hunter2" } }, /^plugin thing: targets.thing.config.port: expected a number, got text$/],
      [{ targets: { other_thing: {} } }, /^plugin thing: targets.other_thing: another plugin's target has this id$/],
      [{ targets: { "a b": {} } }, /expected an id of letters/],
      [{ jobs: { dinner: {} } }, /unknown job/],
    ];
    for (const [row, said] of cases) {
      const yaml = `${YAML}  other_thing: {}\n`;
      const { targets, problems } = await resolved(row, { yaml });
      assert.equal(targets.length, 0, JSON.stringify(row));
      assert.match(problems[0] ?? "", said);
      assert.ok(!problems.join().includes("hunter2"));
    }
  });

  it("of whatever JSON is refused or gives targets of this plugin, and pollutes nothing", async () => {
    const configured = await configuredBy(YAML);
    const one = plugin("thing");
    const seed = seedSetting(one, configured.targets);
    const keys = fc.constantFrom("interval", "config", "targets", "tags", "jobs", "enabled", "name", "thing", "read");
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: "small" }, fc.jsonValue(), fc.dictionary(keys, tie("tree"))),
    }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(tree, fc.jsonValue()), async (config) => {
        const { targets, problems } = await resolveRow(
          one,
          { enabled: true, config },
          seed,
          configured.config,
          plugins,
        );
        assert.ok(problems.length > 0 || targets.every((target) => target.plugin === one));
      }),
    );
    const hostile = JSON.parse('{"config":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}');
    await resolveRow(one, { enabled: true, config: hostile }, seed, configured.config, plugins);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });

  it("leaves gleaner.yaml's own targets as they were resolved", async () => {
    const { configured } = await resolved({ interval: 5 });
    const again = await resolveTargets(configured.config, [], plugins);
    assert.deepEqual(again.targets, configured.targets);
  });
});
