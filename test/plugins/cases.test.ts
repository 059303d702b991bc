// Every folder test/plugins/<plugin>/cases/<case>/ is a test, run by this one loop: a bug report becomes a folder.
//   config.yaml         the plugin's configuration; ${BASE_URL} and ${CASE_DIR} are filled in
//   http/               documents served under ${BASE_URL}: /drones is http/drones or http/drones.json,
//                       and http/drones.status, if there, holds the status of the answer
//   expected.prom       samples in text form, then what was rejected as comments
//   expected.rows.json  rows for the typed tables
//   expected.error      a line for each job that failed
// An expectation file that is absent expects nothing of its kind. UPDATE_CASES=1 rewrites them all: read the diff.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createHttpClient } from "../../src/collect/http.ts";
import type { Plugin } from "../../src/model/plugin.ts";
import {
  type Case,
  collectAll,
  configOf,
  expectationOf,
  findCases,
  neutral,
  rewriteExpectation,
} from "../support/cases.ts";
import { contextOf, loadPlugins, undeclared } from "../support/plugins.ts";
import { serveRecorded } from "../support/recorded_server.ts";

async function runCase(found: Case, plugin: Plugin): Promise<void> {
  const server = await serveRecorded(join(found.folder, "http"));
  const http = createHttpClient();
  try {
    const config = plugin.config.parse(await configOf(found, server.url));
    const { collected, results } = await collectAll(plugin, config, contextOf({ http }));
    for (const part of collected) assert.deepEqual(undeclared(plugin, part), []);
    const actual = neutral(results, found, server.url);
    assert.ok(Object.values(actual).some(Boolean), "a case must bring something back");
    if (process.env["UPDATE_CASES"] === "1") await rewriteExpectation(found, actual);
    assert.deepEqual(actual, await expectationOf(found));
  } finally {
    await http.close();
    await server.close();
  }
}

const plugins = new Map((await loadPlugins()).map(({ name, plugin }) => [name, plugin]));
const cases = await findCases();

test("there are cases", () => assert.ok(cases.length > 0));

for (const found of cases) {
  test(`${found.plugin}: ${found.name}`, async () => {
    const plugin = plugins.get(found.plugin);
    assert.ok(plugin, `no plugin src/plugins/${found.plugin}.ts`);
    await runCase(found, plugin);
  });
}
