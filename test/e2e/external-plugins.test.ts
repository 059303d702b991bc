import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { PluginView } from "../../src/http/app/plugins.ts";
import { findTools } from "../../src/isolate/launch.ts";
import { FIXTURES, installPackage, processesWith } from "../isolate/support.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Gleaner, runGleaner, startGleaner } from "../support/process.ts";
import { type Series, scrape } from "../support/scrape.ts";

const YAML = `
external_plugins:
  - file: ./tank_level.ts
  - package: gleaner-plugin-well
  - file: ./absent.ts
targets:
  north: { plugin: tank_level, interval: 300ms, config: { level: 0.25 } }
  south: { plugin: tank-level, interval: 300ms, config: { level: 0.75, size: 7 }, tags: { site: south } }
  absent: { interval: 300ms, retry_count: 0, jobs: { anything: { timeout: 1s } } }
`;
const WELL = `
  import { z } from "zod";
  import { definePlugin } from "gleaner/plugin";
  export const well = definePlugin({
    id: "well", title: "Well", summary: "A well.", category: "custom", version: "1.0.0", enabledByDefault: true,
    config: z.strictObject({}), metrics: { well_depth: { help: "Depth." } },
    jobs: { main: { summary: "Reads.", every: 300, collect: async () => ({ samples: [{ metric: "well_depth", value: 42 }] }) } },
  });`;

function prepared() {
  const folder = temporaryFolder();
  cpSync(join(FIXTURES, "tank_level.ts"), folder.at("tank_level.ts"));
  installPackage(folder.path, "gleaner-plugin-well", { keywords: ["gleaner-plugin"], main: "m.js" }, { "m.js": WELL });
  folder.write("gleaner.yaml", YAML);
  return folder;
}

/** R for a process that computes. */
const stateOf = (pid: number) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

/** Processes of the plugins of one folder. */
const processesOf = (folder: { readonly path: string }) => processesWith(`--allow-fs-read=${folder.path}`);

async function pluginOf(gleaner: Gleaner, id: string): Promise<PluginView | undefined> {
  const { plugins } = (await (await gleaner.get("/api/plugins")).json()) as { plugins: PluginView[] };
  return plugins.find((plugin) => plugin.id === id);
}
const up = (series: Series, target: string, plugin: string) =>
  series.get(`gleaner_target_up{target="${target}",plugin="${plugin}"}`);

test("external plugins are plugins like any other, and one that cannot be loaded stops nobody", async (t) => {
  using folder = prepared();
  const place = { cwd: folder.path };
  await using gleaner = await startGleaner(place);

  await t.test("their metrics, health and rows are where those of the others are", async () => {
    await eventually(async () => {
      const series = await scrape(gleaner);
      assert.equal(series.get('gleaner_tank_level_ratio{target="north"}'), 0.25);
      assert.equal(series.get('gleaner_tank_level_ratio{target="south"}'), 0.75);
      assert.ok((series.get('gleaner_tank_runs_total{target="south"}') ?? 0) >= 2, "each remembers its own runs");
      assert.equal(series.get('gleaner_tank_volume{target="south"}'), 37.5);
      assert.equal(series.get('gleaner_well_depth{target="well"}'), 42);
      assert.deepEqual([up(series, "north", "tank_level"), up(series, "well", "well")], [1, 1]);
      assert.ok((series.get('gleaner_job_duration_seconds_count{plugin="tank_level",job="level"}') ?? 0) > 2);
      const info = [...series.keys()].find((id) => id.startsWith('gleaner_target_info{target="south"'));
      assert.match(info ?? "", /,plugin="tank_level",name="south",category="iot",.*tag_site="south"\}/);
    });
    assert.equal((await pluginOf(gleaner, "tank_level"))?.title, "Tank");
  });

  await t.test("the one that is not there fails where people look, with the reason", async () => {
    await eventually(async () => {
      const series = await scrape(gleaner);
      assert.equal(up(series, "absent", "absent"), 0);
      assert.ok(
        (series.get('gleaner_job_failures_total{target="absent",plugin="absent",job="anything",kind="bug"}') ?? 0) > 0,
      );
      assert.equal(series.get("gleaner_plugins_failed"), 1);
    });
    assert.match((await pluginOf(gleaner, "absent"))?.failed ?? "", /there is no file \.\/absent\.ts/);
    const said = gleaner.log().filter(({ msg }) => msg === "an external plugin cannot be loaded");
    assert.deepEqual(
      said.map(({ plugin }) => plugin),
      ["absent"],
    );
  });

  await t.test("a reload takes over what changed, and leaves the others as they are", async () => {
    const [before, series] = [processesOf(folder), await scrape(gleaner)];
    assert.equal(before.length, 2);
    const source = readFileSync(join(FIXTURES, "tank_level.ts"), "utf8");
    writeFileSync(folder.at("tank_level.ts"), source.replace("50 * value", "1000 * value"));
    gleaner.signal("SIGHUP");
    await eventually(async () => {
      const now = await scrape(gleaner);
      assert.equal(now.get('gleaner_tank_volume{target="north"}'), 250);
      assert.ok(
        (now.get('gleaner_job_runs_total{target="well",plugin="well",job="main"}') ?? 0) >
          (series.get('gleaner_job_runs_total{target="well",plugin="well",job="main"}') ?? 0),
      );
      const after = processesOf(folder);
      assert.equal(after.filter((pid) => before.includes(pid)).length, 1, "the well's process is the same");
      assert.equal(after.length, 2);
    });
    // One that is there now, and that its target's configuration does not suit, is a mistake in the configuration.
    writeFileSync(folder.at("absent.ts"), source.replaceAll("tank", "absent").replaceAll("absent_level", "absent"));
    gleaner.signal("SIGHUP");
    const refused = await eventually(() => {
      const found = gleaner.log().find(({ msg }) => /the old one stays in force/.test(String(msg)));
      assert.ok(found);
      return JSON.stringify(found["err"]);
    });
    assert.match(refused, /targets\.absent\.jobs\.anything: unknown job/);
    assert.equal(up(await scrape(gleaner), "north", "tank_level"), 1);
  });

  await t.test("a configuration that its own schema refuses is refused with its place", async () => {
    folder.write("wrong.yaml", YAML.replace("size: 7", "size: seven, sise: 3"));
    const { code, stderr } = await runGleaner(["--config", "wrong.yaml", "check"], place);
    assert.equal(code, 1);
    assert.match(stderr, /^wrong\.yaml:8:\d+ targets\.south\.config\.size: expected a number, got text$/m);
    assert.match(stderr, /^wrong\.yaml:8:\d+ targets\.south\.config\.sise: unknown key, did you mean "size"\?$/m);
  });

  await t.test("stopping leaves no process behind and loses no row", async () => {
    const last = await scrape(gleaner);
    assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
    assert.deepEqual(processesOf(folder), []);
    using db = new DatabaseSync(folder.at("data/gleaner.db"), { readOnly: true });
    const kept = db
      .prepare(
        "select count(*) as n from plugin_metrics where plugin_id = 'tank_level' and metric_name = 'tank_level_ratio'",
      )
      .get();
    assert.ok(Number(kept?.["n"]) >= (last.get('gleaner_tank_runs_total{target="north"}') ?? 0));
    const row = db.prepare("select name, category, version from plugins where plugin_id = 'tank_level'").get();
    assert.deepEqual({ ...row }, { name: "Tank", category: "iot", version: "1.0.0" });
    assert.equal(
      db.prepare("select 1 from plugins where plugin_id = 'absent'").get(),
      undefined,
      "nothing is known of it",
    );
  });
});

test("external plugins go with a gleaner that is killed", async () => {
  using folder = prepared();
  // One of them heeds nothing any more: not that its channel is closed, nor its deadline, which is far away.
  const { setpriv } = await findTools();
  if (setpriv) cpSync(join(FIXTURES, "hostile.ts"), folder.at("loops.ts"));
  const loops = "external_plugins:\n  - file: ./loops.ts\n";
  if (setpriv) folder.write("gleaner.yaml", `${YAML.replace("external_plugins:\n", loops)}  loops: { timeout: 1h }\n`);
  await using gleaner = await startGleaner({ cwd: folder.path });
  assert.equal(processesOf(folder).length, setpriv ? 3 : 2);
  if (setpriv) await eventually(() => assert.ok(processesOf(folder).some((pid) => stateOf(pid) === "R")));
  await gleaner.stop("SIGKILL");
  await eventually(() => assert.deepEqual(processesOf(folder), []));
});

test("the commands about plugins know external ones", async () => {
  using folder = prepared();
  const run = (...args: string[]) => runGleaner(["plugins", ...args], { cwd: folder.path });
  const { stdout } = await run("list");
  assert.match(stdout, /^tank_level +iot +off +on +level 1s +Level of a tank\.$/m);
  assert.match(stdout, /^well +custom +on +on +main 300ms +A well\.$/m);
  assert.match(stdout, /^absent +custom +on +cannot be loaded /m);
  const tested = await run("test", "tank-level", "--set", "level=0.5", "--iterations", "2", "--interval", "10ms");
  assert.equal(tested.code, 0, tested.stderr);
  assert.match(tested.stdout, /^gleaner_tank_runs_total\{target="north"\} 2$/m);
  const bare = await run("test", "./tank_level.ts", "--set", "level=2");
  assert.match(bare.stderr, /^--set level: expected at most 1$/m);
  const valid = await run("validate", "tank_level.ts", "gleaner-plugin-well");
  assert.equal(valid.code, 0, valid.stderr);
  assert.match(valid.stdout, /^ok {6}tank_level\.ts: tank_level, 3 metrics, jobs level, sha256 [0-9a-f]{64}$/m);
  assert.match(valid.stdout, /^ok {6}gleaner-plugin-well: well, 1 metrics, jobs main, sha256 [0-9a-f]{64}$/m);
  const pinned = /tank_level, .* sha256 ([0-9a-f]{64})/.exec(valid.stdout)?.[1];
  folder.write(
    "gleaner.yaml",
    YAML.replace("- file: ./tank_level.ts", `- { file: ./tank_level.ts, sha256: ${pinned} }`),
  );
  assert.match((await run("list")).stdout, /^tank_level +iot +off +on /m);
  writeFileSync(folder.at("tank_level.ts"), `${readFileSync(folder.at("tank_level.ts"), "utf8")} `);
  assert.match((await run("list")).stdout, /^tank_level +custom +on +cannot be loaded /m);
  folder.write(
    "twice.yaml",
    "external_plugins: [{ file: ./tank_level.ts }, { file: ./a/tank-level.ts }, { file: ./ping_monitor.ts }]\n",
  );
  const twice = await runGleaner(["--config", "twice.yaml", "check"], { cwd: folder.path });
  assert.match(
    twice.stderr,
    /^twice\.yaml:1:55 external_plugins\[1\]\.file: expected an id of its own, another plugin is tank_level already$/m,
  );
  assert.match(twice.stderr, /external_plugins\[2\]\.file: .* another plugin is ping_monitor already$/m);
});

test("a new external plugin passes every check as it is", async () => {
  using folder = temporaryFolder();
  const run = (...args: string[]) => runGleaner(["plugins", ...args], { cwd: folder.path });
  const made = await run("new", "--external", "weather-station");
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^wrote plugins\/weather_station\.ts$/m);
  folder.write("gleaner.yaml", made.stdout.slice(made.stdout.indexOf("external_plugins:")));
  assert.match((await run("list")).stdout, /^weather_station +custom +off +on +status 30s /m);
  assert.equal((await run("validate", "plugins/weather_station.ts")).code, 0);
  assert.match((await run("new", "--external", "weather-station")).stderr, /is there already/);
  const server = createServer((_request, response) => response.end('{ "requests": 7, "queues": [] }'));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { stdout, stderr } = await run("test", "weather_station", "--set", `url=${url}`);
  server.close();
  assert.match(stdout, /^gleaner_weather_station_requests_total\{target="weather_station"\} 7$/m, stderr);
});

test("the example of the docs runs as it stands there", async () => {
  using folder = temporaryFolder();
  const page = readFileSync(new URL("../../docs/writing-plugins.md", import.meta.url), "utf8");
  const [, source = ""] = /```ts\n(import[^`]*"gleaner\/plugin"[^`]*)```/.exec(page) ?? [];
  folder.write("boiler_room.ts", source);
  folder.write("temp", "48250\n");
  const entry = `{ file: ./boiler_room.ts, read: [${folder.path}/temp] }`;
  folder.write("gleaner.yaml", `external_plugins: [${entry}]\n`);
  const set = ["--set", `sensor=${folder.path}/temp`];
  const { code, stdout, stderr } = await runGleaner(["plugins", "test", "boiler_room", ...set], { cwd: folder.path });
  assert.deepEqual([code, stderr], [0, ""], stdout);
  assert.match(stdout, /^gleaner_boiler_room_temperature_celsius\{target="boiler_room"\} 48\.25$/m);
});
