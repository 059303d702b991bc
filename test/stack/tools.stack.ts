// The shipped files as the tools of Prometheus and Alertmanager, and our own validator, read them: unchanged.
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { describe, it } from "node:test";
import { checkArtefacts } from "../../src/artefacts/check.ts";
import { readArtefacts } from "../../src/artefacts/files.ts";
import { ROOT, yaml } from "../packaging/files.ts";
import { runProgram } from "../support/program.ts";
import { ALERTMANAGER, RULE_FILES } from "./support/servers.ts";

const TESTS = globSync("provisioning/prometheus/tests/*.test.yml", { cwd: ROOT }).sort();

const run = (command: string, ...args: string[]) =>
  runProgram(command, args, { cwd: ROOT, env: { PATH: process.env["PATH"] ?? "" } });

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert?: string }[] }[];
}
interface Tests {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly { readonly alertname: string; readonly exp_alerts?: unknown[] }[];
  }[];
}

describe("the shipped files", () => {
  it("are rules without a fault to promtool", async () => {
    const { code, output } = await run("promtool", "check", "rules", "--lint=all", "--lint-fatal", ...RULE_FILES);
    assert.equal(code, 0, output);
    assert.ok(RULE_FILES.length > 0);
  });

  it("pass their own tests of rules", async () => {
    const { code, output } = await run("promtool", "test", "rules", ...TESTS);
    assert.equal(code, 0, output);
  });

  it("have a test for each alert, in which it fires and in which it does not", () => {
    const alerts = RULE_FILES.flatMap((file) => (yaml(file) as Alerts).groups).flatMap(({ rules }) => rules);
    const cases = TESTS.flatMap((file) => (yaml(file) as Tests).tests).flatMap((test) => test.alert_rule_test ?? []);
    const lacking = alerts.flatMap(({ alert = "" }) => {
      const own = cases.filter(({ alertname }) => alertname === alert);
      const fires = own.some(({ exp_alerts = [] }) => exp_alerts.length > 0);
      const rests = own.some(({ exp_alerts = [] }) => exp_alerts.length === 0);
      return fires && rests ? [] : [alert];
    });
    assert.deepEqual(lacking, []);
  });

  it("are a configuration of Alertmanager", async () => {
    const { code, output } = await run("amtool", "check-config", ALERTMANAGER);
    assert.equal(code, 0, output);
  });

  it("have nothing that the validator knows to be wrong", () => {
    assert.deepEqual(checkArtefacts(readArtefacts(ROOT)), []);
  });
});
