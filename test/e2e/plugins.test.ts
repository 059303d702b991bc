import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { PluginView } from "../../src/http/app/plugins.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Gleaner, runGleaner, startGleaner } from "../support/process.ts";
import { having, type Series, scrape } from "../support/scrape.ts";

const TOKEN = "an-administrator-in-a-test";
const YAML = `
server: { tokens: [{ name: admin, scopes: [admin], token: ${TOKEN} }] }
environment: lab
targets:
  system_info: { interval: 300ms, tags: { rack: a1 } }
  network_monitor: { interval: 300ms, config: { include_connections: false } }
`;

const runs = (series: Series, target: string, job: string) =>
  series.get(`gleaner_job_runs_total{target="${target}",plugin="${target}",job="${job}"}`) ?? 0;

async function pluginOf(gleaner: Gleaner, id: string): Promise<PluginView | undefined> {
  const answer = await gleaner.get("/api/plugins", { Authorization: `Bearer ${TOKEN}` });
  return ((await answer.json()) as { plugins: PluginView[] }).plugins.find((plugin) => plugin.id === id);
}

test("plugins are switched and configured while gleaner runs, and the others go on undisturbed", async (t) => {
  using folder = temporaryFolder();
  folder.write("gleaner.yaml", YAML);
  const place = { cwd: folder.path };
  await using gleaner = await startGleaner(place);
  const run = (...args: string[]) => runGleaner(["plugins", ...args], place);
  const send = (method: string, path: string, body: object, token = TOKEN) =>
    fetch(`${gleaner.url}/api/plugins/${path}`, {
      method,
      body: JSON.stringify(body),
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    });
  const first = await eventually(async () => {
    const series = await scrape(gleaner);
    assert.ok(runs(series, "system_info", "system") >= 2 && runs(series, "network_monitor", "network") >= 2);
    return series;
  });
  const undisturbed = async () => {
    const series = await scrape(gleaner);
    assert.ok(runs(series, "system_info", "system") >= runs(first, "system_info", "system"), "its counts began anew");
    return series;
  };

  await t.test("by the command line", async () => {
    const { code, stdout, stderr } = await run("disable", "network-monitor");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^network_monitor is changed/);
    const series = await eventually(async () => {
      const now = await undisturbed();
      assert.equal([...having(now, "target", "network_monitor")].length, 0);
      return now;
    });
    assert.ok([...having(series, "target", "system_info")].length > 20);
    assert.match((await run("list")).stdout, /^network_monitor +network +on +off, edited/m);
  });

  await t.test("by HTTP, at once, for administrators only", async () => {
    assert.equal((await send("POST", "network_monitor/enable", { enabled: true }, "wrong")).status, 401);
    const answer = await send("POST", "network-monitor/enable", { enabled: true });
    assert.equal(answer.status, 200);
    assert.equal(((await answer.json()) as PluginView).enabled, true);
    await eventually(async () => {
      assert.ok(runs(await undisturbed(), "network_monitor", "network") >= 1);
    });
    const refused = await send("PUT", "network_monitor/config", { config: { config: { exclude_devices: 7 } } });
    assert.equal(refused.status, 400);
    assert.match(((await refused.json()) as { detail: string }).detail, /exclude_devices: expected a list/);
  });

  await t.test("by SQL; what cannot be used is refused, told once, and shown", async () => {
    using db = new DatabaseSync(folder.at("data/gleaner.db"));
    db.exec("pragma busy_timeout = 5000");
    db.exec(`update plugins set config = '{"collection_interval":0.2}' where plugin_id = 'network_monitor'`);
    await eventually(async () => {
      const jobs = (await (await gleaner.get("/api/jobs", { Authorization: `Bearer ${TOKEN}` })).json()) as {
        jobs: { target: string; trigger: string }[];
      };
      assert.equal(jobs.jobs.find(({ target }) => target === "network_monitor")?.trigger, "every 200ms");
    });
    db.exec(`update plugins set config = '{"collection_interval":"often"}' where plugin_id = 'network_monitor'`);
    await eventually(async () => {
      assert.equal((await undisturbed()).get("gleaner_plugin_changes_refused"), 1);
    });
    const shown = await pluginOf(gleaner, "network_monitor");
    assert.match(shown?.refused ?? "", /^plugin network_monitor: collection_interval: expected a duration/);
    assert.deepEqual([shown?.enabled, shown?.targets], [true, ["network_monitor"]]);
    assert.match((await run("list")).stdout, /^network_monitor +network +on +on, change refused/m);
    assert.equal(gleaner.log().filter(({ msg }) => /cannot be used/.test(String(msg))).length, 1);
    assert.equal((await run("config", "network_monitor", "--reset")).code, 0);
    await eventually(async () => {
      assert.equal((await scrape(gleaner)).get("gleaner_plugin_changes_refused"), 0);
    });
  });

  await t.test("what is known of target and run is kept where it belongs", async () => {
    const series = await scrape(gleaner);
    const info = [...series.keys()].find((id) => id.startsWith('gleaner_target_info{target="system_info"'));
    assert.match(info ?? "", /,category="system",host="[^"]+",env="lab",tag_rack="a1"\}$/);
    assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
    using db = new DatabaseSync(folder.at("data/gleaner.db"), { readOnly: true });
    const made = db
      .prepare("select distinct host, environment, collector_version as version from plugin_executions")
      .all();
    assert.equal(made.length, 1);
    assert.equal(made[0]?.["environment"], "lab");
    assert.match(String(made[0]?.["version"]), /^\d+\.\d+\.\d+$/);
    assert.ok(String(made[0]?.["host"]).length > 0);
  });

  await t.test("an edit outlives a restart", async () => {
    assert.equal((await run("disable", "network_monitor")).code, 0);
    await using again = await startGleaner(place);
    const shown = await pluginOf(again, "network_monitor");
    assert.deepEqual([shown?.enabled, shown?.edited], [false, true]);
    assert.equal([...having(await scrape(again), "target", "network_monitor")].length, 0, "not even at the start");
  });
});
