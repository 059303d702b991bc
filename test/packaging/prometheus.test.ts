import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram, withoutProgram } from "../support/program.ts";
import { ROOT, text, yaml } from "./files.ts";

const LOCAL = "prometheus.yml";
const COMPOSE = "provisioning/prometheus/prometheus.yml";
const SECRET = "/run/secrets/gleaner_token";

const promtool = (file: string) =>
  runProgram("promtool", ["check", "config", file], { cwd: ROOT, env: { PATH: process.env["PATH"] ?? "" } });

describe("the Prometheus configurations", { skip: withoutProgram("promtool") }, () => {
  it("are valid for Prometheus on this machine", async () => {
    const { code, output } = await promtool(LOCAL);
    assert.equal(code, 0, output);
  });

  it("are valid for the compose file, once the token is there", async () => {
    using folder = temporaryFolder();
    const config = text(COMPOSE).replace(SECRET, folder.write("token", "token"));
    const { code, output } = await promtool(folder.write("prometheus.yml", config));
    assert.equal(code, 0, output);
  });
});

it("the two Prometheus configurations differ in address and token only", () => {
  const withoutToken = (_key: string, value: unknown) =>
    value !== null && typeof value === "object" && "authorization" in value
      ? { ...value, authorization: undefined }
      : value;
  const json = (file: string) => JSON.stringify(yaml(file), withoutToken);
  assert.equal(json(COMPOSE).replaceAll("gleaner:9470", "127.0.0.1:9470"), json(LOCAL));
  const tokens = JSON.stringify(yaml(COMPOSE)).split(SECRET).length - 1;
  assert.equal(tokens, 3, "for the scrape, the list of kits, and the probes");
});
