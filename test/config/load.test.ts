import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { storeOptions } from "../../src/config/store-options.ts";
import { resolveTargets } from "../../src/config/targets.ts";
import { plugins } from "./plugins.ts";

const CANARY = "canary-9f86d081884c";
const here = import.meta.dirname;
const validEnv = {
  GLEANER_CONFIG: "valid.yaml",
  KITS_CONFIG: "valid-kits.yaml",
  CANARY,
  ROW: "12",
  PORT: "8080",
  OTEL: "true",
};

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** The problems that loading gives. */
function refused(options: Parameters<typeof loadConfig>[0]): readonly string[] {
  try {
    loadConfig(options);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.message, error.problems.join("\n"));
    return error.problems;
  }
  return assert.fail("expected a ConfigError");
}

/** A folder with these files, removed after the test. */
function folder(context: { after(clean: () => void): void }, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "gleaner-config-"));
  context.after(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

test("without any file everything is default", (context) => {
  const cwd = folder(context, {});
  const config = loadConfig({ env: {}, cwd });
  assert.deepEqual(config.sources, []);
  assert.deepEqual(config.kitList, []);
  assert.equal(config.store.url, `sqlite:${cwd}/data/gleaner.db`);
  assert.deepEqual(config.server, { listen: { host: "127.0.0.1", port: 9470 }, allowed_hosts: [], tokens: [] });
  assert.deepEqual(config.scheduler, {
    timeout: 30_000,
    max_concurrent: 10,
    retry_count: 3,
    retry_delay: 10_000,
    retry_backoff: 2,
    initial_backoff: 5_000,
    max_backoff: 300_000,
  });
  assert.deepEqual(config.kits, {
    file: join(cwd, "kits.yaml"),
    poll_interval: 5_000,
    status_interval: 30_000,
    timeout: 10_000,
    max_retries: 3,
    retry_delay: 1_000,
    initial_backoff: 5_000,
    max_backoff: 300_000,
    stale_threshold: 60_000,
    max_concurrent: 4_096,
  });
  const day = 86_400_000;
  assert.deepEqual(storeOptions(config), {
    url: `sqlite:${cwd}/data/gleaner.db`,
    poolSize: 10,
    statementTimeout: 8_000,
    retention: {
      raw: 30 * day,
      hourly: 365 * day,
      daily: 1_825 * day,
      systemHealth: 90 * day,
      alertHistory: 90 * day,
      compressAfter: 7 * day,
    },
  });
});

test("files at their default places are found, empty ones too", (context) => {
  const cwd = folder(context, { "gleaner.yaml": "# nothing\n", "kits.yaml": "kits:\n  # - none yet\n" });
  const config = loadConfig({ env: { DATABASE_URL: "", LOG_LEVEL: " " }, cwd });
  assert.deepEqual(config.sources, ["gleaner.yaml", "kits.yaml"]);
  assert.equal(config.log.level, "info");
});

test("a file is read with variables, secrets, durations and lists", () => {
  const config = loadConfig({ env: validEnv, cwd: here });
  assert.deepEqual(config.sources, ["valid.yaml", "valid-kits.yaml", "KITS_CONFIG"]);
  assert.deepEqual(config.server.listen, { host: "::1", port: 0 });
  assert.deepEqual(config.server.tokens, [
    { name: "literal", scopes: ["metrics"], sha256: sha256(`literal-${CANARY}`) },
    { name: "file", scopes: ["read", "admin"], sha256: sha256("file-canary-9f86d081884c") },
    { name: "hash", scopes: ["ingest"], sha256: "0123456789abcdef".repeat(4) },
  ]);
  assert.equal(config.data_dir, join(here, "var"));
  assert.equal(config.store.url, `postgresql://gleaner:${CANARY}@db.example/gleaner`);
  assert.equal(config.store.batch_size, 250);
  assert.equal(config.store.statement_timeout, 1_500);
  assert.equal(config.store.retention.raw, 172_800_000);
  assert.deepEqual(config.cache.ttl, { latest: 300_000, status: 30_000, dashboard: 60_000, query: 300_000 });
  assert.equal(config.scheduler.interval, 90_000);
  assert.equal(config.telemetry.otel, true);
  assert.deepEqual(config.targets["things.one"]?.tags, { rack: "7", spare: "true", row: "12" });
  assert.equal(config.targets["things.one"]?.name, "costs $5");
});

test("no secret is in what is shown, and nothing can be changed", () => {
  const config = loadConfig({ env: validEnv, cwd: here });
  for (const text of [JSON.stringify(config), inspect(config, { depth: 20 }), JSON.stringify({ config })]) {
    assert.ok(!text.includes("canary") && !text.includes(sha256(`literal-${CANARY}`)), text);
    assert.ok(text.includes("postgresql://gleaner@db.example/gleaner"));
    assert.ok(text.includes("redis://cache.example:6379/2"));
  }
  assert.throws(() => Object.assign(config.kits, { timeout: 1 }), TypeError);
});

test("after the environment, a file's own url_file no longer counts", () => {
  const config = loadConfig({ env: { ...validEnv, DATABASE_URL: "sqlite:x.db" }, cwd: here });
  assert.equal(config.store.url, `sqlite:${join(here, "x.db")}`);
});

describe("environment overrides", () => {
  const at = (value: unknown, path: string): unknown =>
    path.split(".").reduce((inner, key) => (inner as Record<string, unknown>)[key], value);
  const cases = [
    ["DATABASE_URL", "sqlite:a/b.db", "store.url", `sqlite:${here}/a/b.db`],
    ["DATABASE_URL", "sqlite:///var/lib/g.db", "store.url", "sqlite:/var/lib/g.db"],
    ["DATABASE_URL", "sqlite:///./g.db", "store.url", `sqlite:${here}/g.db`],
    ["DATABASE_URL", "sqlite::memory:", "store.url", "sqlite::memory:"],
    ["DATABASE_URL", "postgres://g@h:1/d?sslmode=require", "store.url", "postgresql://g@h:1/d?sslmode=require"],
    ["GLEANER_LISTEN", "0.0.0.0:80", "server.listen", { host: "0.0.0.0", port: 80 }],
    ["GLEANER_DATA_DIR", "var/data", "data_dir", `${here}/var/data`],
    ["KITS_CONFIG", "valid-kits.yaml", "kits.file", `${here}/valid-kits.yaml`],
    ["POLL_INTERVAL", "5", "kits.poll_interval", 5_000],
    ["STATUS_POLL_INTERVAL", "1m", "kits.status_interval", 60_000],
    ["REQUEST_TIMEOUT", "2.5", "kits.timeout", 2_500],
    ["MAX_RETRIES", "7", "kits.max_retries", 7],
    ["INITIAL_BACKOFF", "5.0", "kits.initial_backoff", 5_000],
    ["MAX_BACKOFF", "400.0", "kits.max_backoff", 400_000],
    ["STALE_THRESHOLD", "90", "kits.stale_threshold", 90_000],
    ["LOG_LEVEL", "WARNING", "log.level", "warn"],
  ] as const;
  for (const [name, value, path, expected] of cases) {
    test(`${name}=${value}`, () => {
      const config = loadConfig({ env: { [name]: value }, cwd: here });
      assert.deepEqual(at(config, path), expected);
      assert.ok(config.sources.includes(name));
    });
  }

  const wrong = [
    [
      "DATABASE_URL",
      `mysql://u:${CANARY}@h/d`,
      "expected a database URL that begins with sqlite:, postgresql: or postgres:",
    ],
    ["DATABASE_URL", "sqlite:", "expected a file after sqlite:"],
    [
      "DATABASE_URL",
      `postgresql://u:%${CANARY}@h/d`,
      "expected postgresql://user@host:5432/database; special characters in user and password must be percent-encoded",
    ],
    ["GLEANER_LISTEN", CANARY, 'expected "host:port", such as 127.0.0.1:9470, or "[::1]:9470"'],
    ["POLL_INTERVAL", "0", "expected a duration from 100ms to 7d"],
    ["STATUS_POLL_INTERVAL", CANARY, "expected a duration such as 5s, 250ms, 2m, 1h or a number of seconds"],
    ["MAX_RETRIES", "3.5", "expected a whole number, got a number"],
    ["MAX_RETRIES", CANARY, "expected a number, got text"],
    ["MAX_BACKOFF", "1s", "expected initial_backoff to be at most max_backoff"],
    ["INITIAL_BACKOFF", "10m", "expected initial_backoff to be at most max_backoff"],
    ["LOG_LEVEL", CANARY, "expected one of trace, debug, info, warn, error, fatal, silent"],
    ["KITS_CONFIG", "nowhere.yaml", "the file nowhere.yaml does not exist"],
    ["GLEANER_CONFIG", "nowhere.yaml", "the file nowhere.yaml does not exist"],
    ["GLEANER_TOKEN", "two words", "expected a token of at least 8 characters without spaces"],
    ["GLEANER_TOKEN_FILE", "/nowhere", "the file /nowhere does not exist"],
  ] as const;
  for (const [name, value, expected] of wrong) {
    test(`${name}=${value} is refused`, () => {
      assert.deepEqual(refused({ env: { [name]: value }, cwd: here }), [`${name}: ${expected}`]);
    });
  }

  test("GLEANER_TOKEN adds a token beside the file's", () => {
    const env = { ...validEnv, GLEANER_TOKEN: "environment-token" };
    const { tokens } = loadConfig({ env, cwd: here }).server;
    assert.equal(tokens.length, 4);
    assert.deepEqual(tokens[3], { name: "env", scopes: ["metrics", "read"], sha256: sha256("environment-token") });
  });

  test("GLEANER_TOKEN_FILE is relative to the working directory", () => {
    const { tokens } = loadConfig({ env: { GLEANER_TOKEN_FILE: "secrets/token" }, cwd: here }).server;
    assert.equal(tokens[0]?.sha256, sha256("file-canary-9f86d081884c"));
  });

  test("both token variables are refused", () => {
    const env = { GLEANER_TOKEN: "environment-token", GLEANER_TOKEN_FILE: "secrets/token" };
    assert.deepEqual(refused({ env, cwd: here }), [
      "GLEANER_TOKEN_FILE: expected only one of GLEANER_TOKEN, GLEANER_TOKEN_FILE",
    ]);
  });
});

test("--config wins over GLEANER_CONFIG, and must exist", () => {
  const env = { GLEANER_CONFIG: "invalid-tabs.yaml" };
  const problems = refused({ configPath: "nowhere.yaml", env, cwd: here });
  assert.deepEqual(problems, ["--config: the file nowhere.yaml does not exist"]);
});

test("a kits file named in gleaner.yaml must exist", (context) => {
  const cwd = folder(context, { "gleaner.yaml": "kits:\n  file: fleet.yaml\n" });
  assert.deepEqual(refused({ env: {}, cwd }), ["gleaner.yaml:2:9 kits.file: the file fleet.yaml does not exist"]);
});

test("problems of both files and the environment come together", (context) => {
  const cwd = folder(context, { "gleaner.yaml": "sevrer: 1\ndata_dir: [x]\n", "kits.yaml": "kits: 5\n" });
  assert.deepEqual(refused({ env: { MAX_RETRIES: "-1" }, cwd }), [
    'gleaner.yaml:1:1 sevrer: unknown key, did you mean "server"?',
    "gleaner.yaml:2:11 data_dir: expected text, got a list",
    "MAX_RETRIES: expected at least 0",
    "kits.yaml:1:7 kits: expected a list, got a number",
  ]);
});

test("what is too long, not text, or nested without end is refused", (context) => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefgh"].map((key, i) => `${key}: &${key} [${Array(9).fill(`*${"abcdefg"[i]}`)}]`).join("\n")}`;
  const cwd = folder(context, {
    "long.yaml": "#".repeat(5_000_000),
    "latin.yaml": "\xff\xfe",
    "deep.yaml": "[".repeat(100_000),
    "levels.yaml": `targets: ${"{a: ".repeat(60)}1${"}".repeat(60)}`,
    "bomb.yaml": bomb,
  });
  writeFileSync(join(cwd, "latin.yaml"), Buffer.from([0x61, 0xff, 0xfe]));
  const problems = (configPath: string) => refused({ configPath, env: {}, cwd });
  assert.deepEqual(problems("long.yaml"), ["--config: the file long.yaml is longer than 4194304 bytes"]);
  assert.deepEqual(problems("latin.yaml"), ["--config: the file latin.yaml is not UTF-8 text"]);
  assert.match(problems("deep.yaml").join(), /nested too deeply/);
  assert.match(problems("levels.yaml").join(), /expected at most 50 levels/);
  assert.match(problems("bomb.yaml").join(), /expected aliases to repeat at most 20000 values/);
});

test("targets of the valid file: jobs, retries, tags, kits", async () => {
  const config = loadConfig({ env: validEnv, cwd: here });
  const { targets, problems } = await resolveTargets(config, config.kitList, plugins);
  assert.deepEqual(problems, []);
  const shown = targets.map(({ plugin, ...target }) => ({ plugin: plugin.id, ...target }));
  const plain = { growth: { kind: "exponential", factor: 2 } } as const;
  const kitJobs = (poll: number, status: number, timeout: number) => ({
    drones: { trigger: { every: poll }, timeout },
    signals: { trigger: { every: poll }, timeout },
    status: { trigger: { every: status }, timeout },
    about: { trigger: { every: 3_600_000 }, timeout },
  });
  const pause = { initialBackoff: 5_000, maxBackoff: 300_000 };
  const fleetRetry = { retries: 3, delay: 0, growth: { kind: "linear" }, deadline: 10_000 };
  assert.deepEqual(shown, [
    {
      plugin: "other_thing",
      id: "other_thing",
      name: "Other thing",
      config: {},
      jobs: { read: { trigger: { every: 120_000 }, timeout: 20_000 } },
      tags: { env: "lab" },
      retry: { retries: 3, delay: 250, ...plain },
      pause: { ...pause, staleAfter: 360_000 },
    },
    {
      plugin: "thing",
      id: "things.one",
      name: "costs $5",
      config: { address: "[::1]", port: 8_080, password: CANARY },
      jobs: {
        read: { trigger: { every: 90_000 }, timeout: 20_000 },
        deep: { trigger: { cron: "*/5 8-17 * * mon-fri", timezone: "Europe/Berlin" }, timeout: 120_000 },
      },
      tags: { env: "lab", rack: "7", spare: "true", row: "12" },
      retry: { retries: 1, delay: 250, ...plain },
      pause: { ...pause, staleAfter: 270_000 },
    },
    {
      plugin: "dragonsync",
      id: "kit-001",
      name: "First kit",
      config: { api_url: "http://10.0.0.11:8088" },
      jobs: kitJobs(2_500, 60_000, 4_000),
      tags: { env: "lab", team: "blue", location: "Hill" },
      retry: { retries: 2, delay: 500, growth: { kind: "exponential", factor: 1.5 }, deadline: 4_000 },
      pause: { ...pause, staleAfter: 60_000 },
    },
    {
      plugin: "dragonsync",
      id: "kits.example:443_Site_201",
      provisional: true,
      name: "kits.example:443_Site_201",
      config: { api_url: "HTTPS://Kits.example/Site%201/" },
      jobs: kitJobs(5_000, 30_000, 10_000),
      tags: { env: "lab" },
      retry: fleetRetry,
      pause: { ...pause, staleAfter: 60_000 },
    },
    {
      plugin: "dragonsync",
      id: "kit-::1:8088",
      provisional: true,
      name: "kit-::1:8088",
      config: { api_url: "http://[::1]:8088" },
      jobs: kitJobs(5_000, 30_000, 10_000),
      tags: { env: "lab" },
      retry: fleetRetry,
      pause: { ...pause, staleAfter: 60_000 },
    },
  ]);
});
