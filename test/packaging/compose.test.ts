import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram, withoutProgram } from "../support/program.ts";
import { ROOT, text, yaml } from "./files.ts";

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck?: object;
  readonly [key: string]: unknown;
}
const FILE = "docker-compose.yml";
const { services } = yaml(FILE) as { services: Readonly<Record<string, Service>> };

/** The variables that the compose file asks for. */
const required = [...new Set([...text(FILE).matchAll(/\$\{(\w+)/g)].map(([, name]) => name as string))].sort();
const complete = Object.fromEntries(required.map((name) => [name, `value-of-${name}`]));

/** What docker-compose makes of the file with these variables in its .env, and none besides. */
async function config(variables: Readonly<Record<string, string>>) {
  using folder = temporaryFolder();
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  const args = ["--env-file", folder.write("env", lines.join("")), "--file", join(ROOT, FILE), "config"];
  return await runProgram("docker-compose", args, { cwd: ROOT, env: { PATH: process.env["PATH"] ?? "" } });
}

describe("the compose file", () => {
  it("has TimescaleDB, gleaner, Prometheus, Alertmanager and Grafana", () =>
    assert.deepEqual(Object.keys(services), ["timescaledb", "gleaner", "prometheus", "alertmanager", "grafana"]));

  for (const [name, service] of Object.entries(services)) {
    it(`takes from ${name} what it does not need`, () => {
      const { restart, read_only, cap_drop, security_opt, logging } = service;
      assert.deepEqual(
        { restart, read_only, cap_drop, security_opt, logging },
        {
          restart: "unless-stopped",
          read_only: true,
          cap_drop: ["ALL"],
          security_opt: ["no-new-privileges:true"],
          logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
        },
      );
      for (const key of ["privileged", "cap_add", "network_mode", "pid", "devices", "env_file"])
        assert.equal(service[key], undefined, key);
      assert.ok(service.healthcheck ?? service.build, "gleaner's own image brings its healthcheck");
    });

    it(`pins ${name}, publishes it on loopback only, and mounts what exists, read-only`, () => {
      if (!service.build) assert.match(service.image, /:v?\d+\.\d+\.\d+/);
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
      for (const volume of service.volumes.filter((each) => /^[./]/.test(each))) {
        const [source = "", , mode] = volume.split(":");
        assert.equal(mode, "ro", volume);
        // The user's own folder, which git ignores.
        if (source !== "./config") assert.ok(existsSync(join(ROOT, source)), volume);
      }
    });

    it(`has no password of ${name} in the file or on a command line`, () => {
      for (const [key, value] of Object.entries(service.environment ?? {}))
        if (/PASSWORD|SECRET|TOKEN(?!_FILE)/.test(key)) assert.match(value, /^\$\{[A-Z_]+:\?[^}]+\}$/, key);
      assert.doesNotMatch(JSON.stringify([service.command, service["entrypoint"]]), /\$\{|password|token/i);
    });
  }

  it("gives gleaner a database URL without a password", () =>
    assert.equal(services["gleaner"]?.environment["DATABASE_URL"], "postgresql://gleaner@timescaledb:5432/gleaner"));

  it("has a .env.example that lists exactly the variables it asks for, and no secret", () => {
    const listed = [...text(".env.example").matchAll(/^(\w+)=(.*)$/gm)];
    assert.deepEqual(listed.map(([, name]) => name).sort(), required);
    const given = listed.filter(([, , value]) => value !== "").map(([, name]) => name);
    assert.deepEqual(given, ["GLEANER_TOKEN_FILE", "GLEANER_WEBHOOK_TOKEN_FILE"]);
  });
});

describe("docker-compose config", { skip: withoutProgram("docker-compose"), concurrency: true }, () => {
  it("accepts the file when every variable is set", async () => {
    const { code, output } = await config(complete);
    assert.equal(code, 0, output);
  });

  for (const name of required) {
    for (const [how, env] of [
      ["is missing", Object.fromEntries(Object.entries(complete).filter(([other]) => other !== name))],
      ["is empty", { ...complete, [name]: "" }],
    ] as const) {
      it(`refuses, and names ${name}, when it ${how}`, async () => {
        const { code, output } = await config(env);
        assert.notEqual(code, 0);
        assert.match(output, new RegExp(`${name} is not set, see \\.env\\.example\\s*$`));
      });
    }
  }
});
