import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { Configured } from "../../src/app/configure.ts";
import { createPluginRegistry } from "../../src/app/plugin-registry.ts";
import type { ConfiguredTarget } from "../../src/model/target.ts";
import type { OpenStore } from "../../src/store/open.ts";
import { openStore } from "../../src/store/open.ts";
import { temporaryFolder } from "../support/folder.ts";
import { configuredBy } from "./plugins-support.ts";
import { keepingLog } from "./support.ts";

const YAML = "targets:\n  thing: { interval: 30s, config: { address: a, password: one } }\n";

/** A registry on a real database; `store` is taken away and given back by the test. */
async function registered(path: string, yaml = YAML) {
  const year = 365 * 86_400_000;
  const retention = {
    raw: year,
    hourly: year,
    daily: year,
    systemHealth: year,
    alertHistory: year,
    compressAfter: year,
  };
  const opened = await openStore({ url: `sqlite:${path}`, retention, statementTimeout: 5_000, poolSize: 1 });
  let store: OpenStore | undefined = opened;
  const applied: (readonly ConfiguredTarget[])[] = [];
  const gauge = { refused: -1 };
  const pluginsRefused = (count: number) => {
    gauge.refused = count;
  };
  const log = keepingLog();
  const registry = createPluginRegistry({
    ...{ store: () => store, log, self: { pluginsRefused, pluginsFailed: () => undefined } },
    apply: async (targets) => void applied.push(targets),
  });
  const start = async (configured?: Configured) => registry.configure(configured ?? (await configuredBy(yaml)));
  return {
    ...{ registry, start, opened, applied, gauge, log },
    lose() {
      store = undefined;
    },
    find() {
      store = opened;
    },
    view: (id: string) => registry.views().find((one) => one.id === id),
    [Symbol.asyncDispose]: () => opened.close(),
  };
}
const ids = (targets: readonly ConfiguredTarget[] = []) => targets.map(({ id }) => id);
const every = (targets: readonly ConfiguredTarget[] | undefined, id: string) =>
  targets?.find((target) => target.id === id)?.jobs["read"]?.trigger;

describe("the registry of plugins", () => {
  it("seeds the table, and applies nothing while nobody changes it", async () => {
    using folder = temporaryFolder();
    await using it = await registered(folder.at("g.db"));
    const targets = await it.start();
    assert.deepEqual(ids(targets), ["other_thing", "thing"]);
    const rows = await it.opened.listPlugins();
    assert.deepEqual(
      rows.map(({ pluginId, enabled, config }) => [pluginId, enabled, config]),
      [
        ["dragonsync", false, {}],
        ["other_thing", true, { collection_interval: 60 }],
        ["thing", true, { collection_interval: 30 }],
      ],
    );
    assert.ok(!JSON.stringify(rows).includes("one"), "no secret of gleaner.yaml, nor a hash that is quick to try");
    await it.registry.poll();
    await it.registry.poll();
    assert.deepEqual(it.applied, []);
  });

  it("heeds what somebody writes into the table, and hands on what did not change as it was", async () => {
    using folder = temporaryFolder();
    await using it = await registered(folder.at("g.db"));
    const before = await it.start();
    await it.opened.changePlugin("other_thing", { enabled: false });
    await it.registry.poll();
    assert.deepEqual(ids(it.applied.at(-1)), ["thing"]);
    assert.equal(
      it.applied.at(-1)?.[0],
      before.find(({ id }) => id === "thing"),
      "the very same",
    );
    await it.opened.changePlugin("thing", { config: { interval: 7, config: { password: "two" } } });
    await it.registry.poll();
    assert.deepEqual(every(it.applied.at(-1), "thing"), { every: 7_000 });
    assert.deepEqual(it.applied.at(-1)?.[0]?.config, { address: "a", port: 80, password: "two" });
    assert.deepEqual([it.view("thing")?.edited, it.view("other_thing")?.enabled], [true, false]);
    assert.equal(it.applied.length, 2);
  });

  it("keeps what was in force when a change cannot be used, and says so once", async () => {
    using folder = temporaryFolder();
    await using it = await registered(folder.at("g.db"));
    await it.start();
    await it.opened.changePlugin("thing", { config: { interval: 7 } });
    await it.registry.poll();
    await it.opened.changePlugin("thing", { config: { interval: "soon" } });
    for (let i = 0; i < 3; i++) await it.registry.poll();
    assert.deepEqual(every(it.applied.at(-1), "thing"), { every: 7_000 });
    assert.equal(it.gauge.refused, 1);
    assert.match(it.view("thing")?.refused ?? "", /^plugin thing: interval: expected a duration/);
    assert.equal(it.log.lines.filter(({ level }) => level === "error").length, 1);
    await it.opened.changePlugin("thing", { config: { interval: 8 } });
    await it.registry.poll();
    assert.deepEqual([every(it.applied.at(-1), "thing"), it.gauge.refused], [{ every: 8_000 }, 0]);
    assert.equal(it.view("thing")?.refused, null);
  });

  it("lets an edit outlive a restart, and give way to a changed gleaner.yaml", async () => {
    using folder = temporaryFolder();
    {
      await using first = await registered(folder.at("g.db"));
      await first.start();
      await first.opened.changePlugin("thing", { enabled: false });
    }
    await using it = await registered(folder.at("g.db"));
    assert.deepEqual(ids(await it.start()), ["other_thing"]);
    // Another target of another plugin is none of its business.
    assert.deepEqual(ids(await it.start(await configuredBy(`${YAML}  other_thing: { interval: 5m }\n`))), [
      "other_thing",
    ]);
    const changed = YAML.replace("password: one", "password: two");
    assert.deepEqual(ids(await it.start(await configuredBy(changed))).toSorted(), ["other_thing", "thing"]);
    assert.match(it.log.lines.at(-1)?.message ?? "", /gleaner.yaml changed/);
    assert.equal(it.view("thing")?.edited, false);
  });

  it("goes on with what it knows while the database is away, and with gleaner.yaml when it never was there", async () => {
    using folder = temporaryFolder();
    await using it = await registered(folder.at("g.db"));
    it.lose();
    assert.deepEqual(ids(await it.start()), ["other_thing", "thing"]);
    assert.deepEqual(await it.registry.change("thing", { enabled: false }), { status: "no_database" });
    it.find();
    await it.registry.poll();
    await it.opened.changePlugin("other_thing", { enabled: false });
    await it.registry.poll();
    it.lose();
    await it.registry.poll();
    assert.deepEqual(ids(await it.start()), ["thing"], "a reload without the database keeps the edit");
  });

  it("heeds SQL as well as anything, also where it writes no settings at all", async () => {
    using folder = temporaryFolder();
    await using it = await registered(folder.at("g.db"));
    await it.start();
    using db = new DatabaseSync(folder.at("g.db"));
    for (const [config, refused] of [
      ["{not json", true],
      ['"text"', true],
      [null, false],
      ['{"interval":"9s"}', false],
    ] as const) {
      db.prepare("update plugins set config = ? where plugin_id = 'thing'").run(config);
      await it.registry.poll();
      assert.equal(it.gauge.refused, refused ? 1 : 0, String(config));
    }
    assert.deepEqual(every(it.applied.at(-1), "thing"), { every: 9_000 });
    db.exec("update plugins set enabled = 0 where plugin_id = 'other_thing'");
    await it.registry.poll();
    assert.deepEqual(ids(it.applied.at(-1)), ["thing"]);
    db.exec("update plugins set enabled = 0, seed = null");
    assert.deepEqual(ids(await it.start()), ["other_thing", "thing"], "rows of an older gleaner are seeded anew");
  });

  it("changes a plugin for those who ask, unless the change cannot be used", async () => {
    using folder = temporaryFolder();
    await using it = await registered(folder.at("g.db"));
    await it.start();
    const disabled = await it.registry.change("thing", { enabled: false });
    assert.ok(disabled.status === "changed" && !disabled.plugin.enabled && disabled.plugin.edited);
    assert.deepEqual(ids(it.applied.at(-1)), ["other_thing"]);
    const refused = await it.registry.change("other_thing", { config: { config: { nonsense: 1 } } });
    assert.ok(refused.status === "refused");
    assert.match(refused.problems[0] ?? "", /nonsense: unknown key/);
    assert.deepEqual((await it.opened.listPlugins())[1]?.config, { collection_interval: 60 }, "nothing was written");
    assert.equal(it.applied.length, 1);
    assert.deepEqual(await it.registry.change("nobody", { enabled: true }), { status: "unknown" });
  });

  it("lets an edited plugin make way for another's target of the same id", async () => {
    using folder = temporaryFolder();
    await using it = await registered(folder.at("g.db"));
    await it.start();
    const twin = { config: { targets: { twin: { config: { address: "x" } } } } };
    assert.equal((await it.registry.change("thing", twin)).status, "changed");
    const result = await it.registry.change("other_thing", { config: { targets: { twin: {} } } });
    assert.ok(result.status === "refused" || result.status === "changed");
    assert.equal(new Set(ids(it.applied.at(-1))).size, it.applied.at(-1)?.length);
  });
});
