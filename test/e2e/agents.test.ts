import { after, before, describe, test } from "node:test";
import { startCluster, type TestCluster, whyNoPostgres } from "../store/postgres.ts";
import { readPostgres, readSqlite } from "../support/rows.ts";
import { checkAgents, checkKill, type Database } from "./agents-suite.ts";

const SQLITE: Database = { env: {}, read: (folder) => readSqlite(`${folder}/data/gleaner.db`) };

describe("agents that report, on SQLite", () => {
  test("from being made known to being revoked", (t) => checkAgents(t, SQLITE));
  test("kill -9 between and within reports loses nothing that was acknowledged", () => checkKill(SQLITE));
});

describe("agents that report, on PostgreSQL", { skip: whyNoPostgres() ?? false }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());
  const database = async (): Promise<Database> => {
    const url = await cluster.createDatabase();
    return { env: { DATABASE_URL: url }, read: () => readPostgres(url) };
  };
  test("from being made known to being revoked", async (t) => checkAgents(t, await database()));
  test("kill -9 between and within reports loses nothing that was acknowledged", async () =>
    checkKill(await database()));
});
