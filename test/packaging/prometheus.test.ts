import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { alertOutputs } from "../../src/generate/alerts/outputs.ts";
import { plugins } from "../../src/plugins/registry.gen.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram, withoutProgram } from "../support/program.ts";
import { ROOT, text, yaml } from "./files.ts";

const LOCAL = "prometheus.yml";
const COMPOSE = "provisioning/prometheus/prometheus.yml";
const rules = globSync("provisioning/prometheus/*.rules.yml", { cwd: ROOT });
const SECRET = "/run/secrets/gleaner_token";

const promtool = (file: string) =>
  runProgram("promtool", ["check", "config", file], { cwd: ROOT, env: { PATH: process.env["PATH"] ?? "" } });

/** The configuration of Alertmanager, which has the token of the webhook. */
const ALERTMANAGER = "provisioning/alertmanager/alertmanager.yml";
const WEBHOOK_SECRET = "/run/secrets/gleaner_webhook_token";

it("Alertmanager's configuration is valid, and reports to gleaner alone", {
  skip: withoutProgram("amtool"),
}, async () => {
  const { code, output } = await runProgram("amtool", ["check-config", ALERTMANAGER], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "" },
  });
  assert.equal(code, 0, output);
  assert.match(output, / - 1 receivers/);
  const { receivers } = yaml(ALERTMANAGER) as { receivers: { webhook_configs: unknown[] }[] };
  assert.deepEqual(receivers[0]?.webhook_configs, [
    {
      url: "http://gleaner:9470/api/alerts/webhook",
      send_resolved: true,
      http_config: { authorization: { type: "Bearer", credentials_file: WEBHOOK_SECRET } },
    },
  ]);
});

it("Alertmanager mutes by alerts that exist", () => {
  const rules = alertOutputs(plugins)
    .map((file) => file.text)
    .join();
  const ids = [...text(ALERTMANAGER).matchAll(/alert_id="(\w+)"/g)].map(([, id]) => id);
  assert.ok(ids.length > 10);
  for (const id of ids) assert.ok(rules.includes(`alert_id: ${id}\n`), id);
});

describe("the Prometheus configurations", { skip: withoutProgram("promtool") }, () => {
  it("are valid for Prometheus on this machine, rules included", async () => {
    const { code, output } = await promtool(LOCAL);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`SUCCESS: ${rules.length} rule files found`));
  });

  it("are valid for the compose file, once the token is there", async () => {
    using folder = temporaryFolder();
    for (const file of rules) folder.write(basename(file), text(file));
    const config = text(COMPOSE).replace(SECRET, folder.write("token", "token"));
    const { code, output } = await promtool(folder.write("prometheus.yml", config));
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`SUCCESS: ${rules.length} rule files found`));
  });
});

it("the two Prometheus configurations differ in addresses, token, and the way to the rules only", () => {
  const withoutToken = (_key: string, value: unknown) =>
    value !== null && typeof value === "object" && "authorization" in value
      ? { ...value, authorization: undefined }
      : value;
  const json = (file: string) => JSON.stringify(yaml(file), withoutToken);
  const here = json(COMPOSE)
    .replaceAll(/(?:gleaner|alertmanager)(?=:9)/g, "127.0.0.1")
    .replace('"*.rules.yml"', '"provisioning/prometheus/*.rules.yml"');
  assert.equal(here, json(LOCAL));
  const tokens = JSON.stringify(yaml(COMPOSE)).split(SECRET).length - 1;
  assert.equal(tokens, 3, "for the scrape, the list of kits, and the probes");
});
