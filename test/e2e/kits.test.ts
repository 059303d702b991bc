import { test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { readSqlite } from "../support/rows.ts";
import { checkFleet } from "./fleet.ts";

test("ten kits, each with its own trouble, into the embedded database", async (t) => {
  using folder = temporaryFolder();
  await checkFleet(t, folder, { env: {}, read: async () => readSqlite(folder.at("data/gleaner.db")) });
});
