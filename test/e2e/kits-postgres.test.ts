import { after, before, describe, test } from "node:test";
import { startCluster, type TestCluster, whyNoPostgres } from "../store/postgres.ts";
import { temporaryFolder } from "../support/folder.ts";
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
});
