import { after, before, describe } from "node:test";
import { postgresSubject } from "./harness.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "./postgres.ts";
import { storeSuite } from "./suite.ts";

const reason = whyNoPostgres();
describe("on a real server", { skip: reason ?? false }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());
  storeSuite(postgresSubject(() => cluster));
});
