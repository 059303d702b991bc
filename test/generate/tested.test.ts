// What docs/plugins.md says about tests is what the tests do.
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { loadPlugins } from "../../src/generate/plugins.ts";
import { readTests, testedBy } from "../../src/generate/tested.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";

const root = resolve(import.meta.dirname, "../..");
const plugins = await loadPlugins(join(root, "src/plugins"));
const tests = await readTests(join(root, "test/plugins"), plugins);

const file = (text: string) => [{ path: "x.test.ts", text }];

test("a plugin's tests say what it is tested with", () => {
  const text = `
    describe("a", { skip: withoutServer("nginx") || withoutProgram("openssl") }, () => {});
    describe("b", { skip: withoutServer("caddy") }, () => {});
    it("c", { skip: withoutProgram("ping") }, () => {});
    it("d", async () => { await using server = await answering("x"); });`;
  assert.deepEqual(testedBy({ enabledByDefault: false }, file(text), 2), {
    ...{ servers: ["caddy", "nginx"], host: ["`ping`"], hasOwnServer: true, cases: 2 },
  });
  const none = { servers: [], host: [], hasOwnServer: false, cases: 0 };
  assert.deepEqual(testedBy({ enabledByDefault: false }, file("startServer('nginx')"), 0), none);
  assert.deepEqual(testedBy({ enabledByDefault: true }, [], 0), { ...none, host: ["itself"] });
  assert.deepEqual(testedBy({ enabledByDefault: false }, file("skip: whyNoPostgres() ?? false"), 0).servers, [
    "postgres",
  ]);
});

for (const plugin of plugins)
  test(`${plugin.id} is tested with something, and skips nothing but without a program that can be installed`, () => {
    const [files = [], cases = 0] = tests.get(plugin.id) ?? [];
    const { servers, host, hasOwnServer } = testedBy(plugin, files, cases);
    assert.ok(servers.length + host.length + cases > 0 || hasOwnServer);
    const allowed =
      /^(without(Server|Program)\("[\w-]+"\)( \|\| without(Server|Program)\("[\w-]+"\))*|whyNoPostgres\(\) \?\? false|process\.platform !== "linux")$/;
    for (const { path, text } of files) {
      for (const [, reason = ""] of text.matchAll(/\bskip: ([^{}]*?),?\s*\}/g)) assert.match(reason, allowed, path);
      assert.doesNotMatch(
        text,
        /\b(it|test|describe|t|context)\.(skip|todo|only)\b|\{ (todo|only)\b|\{ skip[,} ]/,
        path,
      );
    }
  });

test("tests that are for a server fail where it is not started, and where it is missing though services are required", async () => {
  using folder = temporaryFolder();
  const service = JSON.stringify(join(root, "test/support/servers/service.ts"));
  const source = (program: string, body = "") => `
    import { describe, it } from "node:test";
    import { startService, withoutServer } from ${service};
    describe("a server", { skip: withoutServer("${program}") }, () => it("does", async () => {${body}}));`;
  const run = (text: string, env: Record<string, string> = {}, ...options: string[]) =>
    runProgram(process.execPath, [...options, "--test-reporter=tap", folder.write("a.test.mts", text)], {
      ...{ cwd: folder.path, env: { PATH: process.env["PATH"] ?? "", ...env } },
    });
  const idle = await run(source("sh"));
  assert.equal(idle.code, 1, idle.output);
  assert.match(idle.output, /These tests are for sh, and did not start it\./);
  assert.equal((await run(source("sh"), {}, "--test-name-pattern=nothing")).code, 0);
  const start = `await using _ = await startService({ program: "sleep", args: () => ["9"], ready: async () => {} });`;
  const busy = await run(source("sleep", start));
  assert.equal(busy.code, 0, busy.output);
  const absent = await run(source("no-such-server"));
  assert.match(absent.output, /# SKIP no-such-server is not installed/);
  assert.equal(absent.code, 0);
  const required = await run(source("no-such-server"), { GLEANER_TEST_REQUIRE_SERVICES: "1" });
  assert.match(required.output, /no-such-server is not installed, and services are required/);
  assert.equal(required.code, 1);
});
