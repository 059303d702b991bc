import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startCluster, type TestCluster, whyNoPostgres } from "../store/postgres.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner, startGleaner } from "../support/process.ts";
import { readPostgres } from "../support/rows.ts";
import { checkFleet } from "./fleet.ts";

describe("on a real PostgreSQL", { skip: whyNoPostgres() ?? false }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  test("ten kits, each with its own trouble, into the database that DATABASE_URL names", async (t) => {
    using folder = temporaryFolder();
    const url = await cluster.createDatabase();
    await checkFleet(t, folder, { env: { DATABASE_URL: url }, read: () => readPostgres(url) });
  });

  test("a start that fails after the database was opened ends at once: no connection keeps it alive", async () => {
    using folder = temporaryFolder();
    const env = { DATABASE_URL: await cluster.createDatabase() };
    await using first = await startGleaner({ cwd: folder.path, env });
    const begun = performance.now();
    const own = { GLEANER_DATA_DIR: "other", GLEANER_LISTEN: new URL(first.url).host };
    const second = await runGleaner([], { cwd: folder.path, env: { ...env, ...own } });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /another process listens there/);
    assert.ok(performance.now() - begun < 8_000, "idle connections live for ten seconds");
  });
});
