import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { migrate } from "../../src/store/open.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "../store/postgres.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner } from "../support/process.ts";

const ALERTS = `alerts:
  - { id: busy, name: Busy, metric: load5, condition: { op: gt, value: 8 } }
`;
const INSERT = `insert into alerts (alert_id, plugin_id, metric_name, name, condition, severity) values
  ('row-1', 'system_info', 'load5', 'Busy by the database', '{"op":"gt","value":4}', 'error')`;

describe("gleaner generate", () => {
  it("writes rules of a file for both, and says what it wrote", async () => {
    using folder = temporaryFolder();
    folder.write("alerts.yaml", ALERTS);
    const { code, stdout } = await runGleaner(["generate", "rules", "--alerts", "alerts.yaml"], { cwd: folder.path });
    assert.equal(code, 0);
    assert.equal(
      stdout,
      "wrote rules/prometheus/custom.rules.yml\nwrote rules/grafana/alerting/custom.yml\nRules of your own: 1; switched off: 0.\n",
    );
    assert.match(
      readFileSync(folder.at("rules/prometheus/custom.rules.yml"), "utf8"),
      /expr: max by \(target\) \(gleaner_load5\) > 8/,
    );
    assert.match(readFileSync(folder.at("rules/grafana/alerting/custom.yml"), "utf8"), /uid: gleaner-busy/);
    assert.ok(!existsSync(folder.at("rules/prometheus/kits.rules.yml")));
  });

  it("writes nothing when anything is wrong, and names all of it", async () => {
    using folder = temporaryFolder();
    folder.write(
      "alerts.yaml",
      `${ALERTS}  - { id: busy, name: Busy too, metric: lod5, condition: { op: gt, value: 8 } }\n`,
    );
    const { code, stderr } = await runGleaner(["generate", "rules", "--alerts", "alerts.yaml"], { cwd: folder.path });
    assert.equal(code, 1);
    assert.deepEqual(stderr.trim().split("\n"), [
      "alerts.yaml:3:11 alerts[1].id: expected an id that no other alert has",
      'alerts.yaml:3:58 alerts[1].condition: there is no metric lod5, did you mean "load5"?',
    ]);
    assert.ok(!existsSync(folder.at("rules")));
  });

  it("asks where conditions are, and says when they are not there", async () => {
    using folder = temporaryFolder();
    const nothing = await runGleaner(["generate", "rules"], { cwd: folder.path });
    assert.deepEqual([nothing.code, nothing.stderr.split(":")[0]], [1, "Say where the conditions are"]);
    const missing = await runGleaner(["generate", "rules", "--alerts", "none.yaml"], { cwd: folder.path });
    assert.deepEqual([missing.code, missing.stderr], [1, "The file none.yaml does not exist.\n"]);
  });

  it("writes the rules that come with gleaner, with links to a copy of the runbooks", async () => {
    using folder = temporaryFolder();
    const args = ["generate", "rules", "--built-in", "--runbooks", "https://docs.example.org/runbooks"];
    const { code, stdout } = await runGleaner(args, { cwd: folder.path });
    assert.equal(code, 0);
    assert.match(stdout, /wrote rules\/prometheus\/kits\.rules\.yml\n/);
    assert.doesNotMatch(stdout, /custom|contact|polic/);
    for (const file of ["prometheus/kits.rules.yml", "grafana/alerting/rules.yml"])
      assert.match(
        readFileSync(folder.at(`rules/${file}`), "utf8"),
        /runbook_url: https:\/\/docs\.example\.org\/runbooks#kit_offline/,
      );
  });

  it("reads the table alerts of the embedded database, and finds none before its first start", async () => {
    using folder = temporaryFolder();
    const run = () => runGleaner(["generate", "rules", "--database"], { cwd: folder.path });
    assert.match((await run()).stdout, /\nRules of your own: 0; switched off: 0.\n$/);
    await runGleaner(["migrate"], { cwd: folder.path });
    const database = new DatabaseSync(folder.at("data/gleaner.db"));
    database.exec(INSERT);
    assert.match((await run()).stdout, /\nRules of your own: 1;/);
    assert.match(readFileSync(folder.at("rules/prometheus/custom.rules.yml"), "utf8"), /alert: GleanerRow1\n/);
    database.exec("update alerts set condition = 'load is high'");
    const { code, stderr } = await run();
    database.close();
    assert.deepEqual([code, stderr], [1, 'alerts "row-1" condition: expected a map, got text\n']);
  });
});

describe("gleaner generate, on PostgreSQL", { skip: whyNoPostgres() ?? false }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  it("reads the table alerts", async () => {
    using folder = temporaryFolder();
    const url = await cluster.createDatabase();
    await migrate({ url });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(INSERT);
    await client.end();
    const env = { DATABASE_URL: url };
    const { code, stdout, stderr } = await runGleaner(["generate", "rules", "--database"], { cwd: folder.path, env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\nRules of your own: 1;/);
    assert.match(readFileSync(folder.at("rules/prometheus/custom.rules.yml"), "utf8"), /\(gleaner_load5\) > 4\n/);
  });
});
