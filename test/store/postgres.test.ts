import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { alertsSuite } from "./alerts-suite.ts";
import { postgresSubject } from "./harness.ts";
import { lettersSuite } from "./letters-suite.ts";
import { batch, drone, T0 } from "./make.ts";
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
  alertsSuite(subject);
  replaySuite(subject);

  it("stores rows also where somebody gave columns another type", async () => {
    const bench = await subject.open();
    await bench.query(
      "alter table drones alter lat type real, alter lon type numeric, alter rssi type bigint, alter extra type json, alter mac type varchar(20)",
    );
    const values = { lat: 1.5, lon: -2.25, rssi: -61, extra: '{"a":1}', mac: "00:11", speed: 3 };
    const write = () =>
      bench.store.writeBatches([batch({ target: "k", health: "kit", rows: [drone("d", T0, values)] })]);
    assert.deepEqual([(await write()).stored, (await write()).stored], [{ drones: 1 }, { drones: 0 }]);
    const [row] = await bench.query("select lat, lon::float8, rssi::int, extra, mac, speed from drones");
    assert.deepEqual(row, { ...values, extra: { a: 1 } });
    await bench.close();
  });
});
