import { after, before, describe } from "node:test";
import { postgresSubject } from "./harness.ts";
import { lettersSuite } from "./letters-suite.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "./postgres.ts";
import { replaySuite } from "./replay-suite.ts";
import { storeSuite } from "./suite.ts";

const reason = whyNoPostgres();
describe("on a real server", { skip: reason ?? false }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());
  const subject = postgresSubject(() => cluster);
  storeSuite(subject);
  lettersSuite(subject);
  replaySuite(subject);
});
