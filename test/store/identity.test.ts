import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after as afterAll, before, describe, it } from "node:test";
import type { PostgresPool } from "kysely";
import pg from "pg";
import { classify } from "../../src/store/classify.ts";
import { postgresEngine } from "../../src/store/engines/postgres.ts";
import { watchIdentity } from "../../src/store/identity.ts";
import { openStore } from "../../src/store/open.ts";
import { after, batch, options } from "./make.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "./postgres.ts";

const samples = (n: number) =>
  batch({
    target: "host",
    at: after(n),
    samples: ["a", "b", "c"].map((name, i) => ({ metric: name, value: i, at: after(n) })),
  });

describe("a database that is not the one it was", { skip: whyNoPostgres() ?? false, timeout: 60_000 }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster.stop());

  async function open() {
    const url = await cluster.createDatabase();
    const store = await openStore(options(url));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const query = async (sql: string) => (await client.query(sql)).rows as Record<string, unknown>[];
    return { store, query, [Symbol.asyncDispose]: async () => void (await Promise.all([store.close(), client.end()])) };
  }
  const SAMPLES = "select metric_name, value from samples left join series using (series_id) order by time, value";

  it("gets its series anew, with samples under the right ones, when they were emptied and begin to count again", async () => {
    await using bench = await open();
    await bench.store.writeBatches([samples(0)]);
    await bench.query("truncate series, samples restart identity");
    const counts = await bench.store.writeBatches([
      batch({ target: "other", at: after(1), samples: [{ metric: "new", value: 9, at: after(1) }] }),
      samples(1),
    ]);
    assert.equal(counts.stored["samples"], 4);
    assert.deepEqual(await bench.query(SAMPLES), [
      { metric_name: "a", value: 0 },
      { metric_name: "b", value: 1 },
      { metric_name: "c", value: 2 },
      { metric_name: "new", value: 9 },
    ]);
  });

  it("has another history when its schema was made anew, and the same over a vacuum", async () => {
    await using bench = await open();
    const first = await bench.store.history();
    assert.match(String(first), /^\d+\/\d+\/\d+\/[0-9A-F]{8}$/);
    await bench.query("vacuum full series");
    assert.equal(await bench.store.history(), first);
    await bench.query("drop schema public cascade; create schema public");
    assert.notEqual(await bench.store.history(), first);
    await bench.store.repair();
    const last = await bench.store.history();
    assert.notEqual(last, first);
    await bench.store.writeBatches([samples(0)]);
    assert.equal((await bench.query(SAMPLES)).length, 3);
    assert.equal(await bench.store.history(), last);
  });

  it("has its plugins registered again after the repair", async () => {
    await using bench = await open();
    const plugin = {
      pluginId: "p",
      name: "P",
      version: "1",
      description: "",
      category: "c",
      enabled: true,
      config: {},
      yaml: "y",
    };
    await bench.store.seedPlugins([plugin]);
    await bench.query("drop schema public cascade; create schema public");
    await bench.store.repair();
    assert.deepEqual(await bench.query("select plugin_id from plugins"), [{ plugin_id: "p" }]);
  });

  it("commits durably whatever the server's default is", async () => {
    const url = await cluster.createDatabase();
    const name = new URL(url).pathname.slice(1);
    await cluster.admin(`alter database ${name} set synchronous_commit = off`);
    const store = await openStore(options(url));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(
      `create table seen (value text);
       create function look() returns trigger language plpgsql as $$ begin insert into seen values (current_setting('synchronous_commit')); return null; end $$;
       create trigger look after insert on samples for each statement execute function look()`,
    );
    await store.writeBatches([samples(0)]);
    assert.deepEqual((await client.query("select distinct value from seen")).rows, [{ value: "on" }]);
    assert.ok(
      store.notes.some((note) => /fsync=off/.test(note)),
      "these tests' server does without",
    );
    await client.end();
    await store.close();
  });
});

describe("a database that cannot say which it is", () => {
  it("is asked once, and taken for the same ever after; what it remembers is forgotten once", async () => {
    let asked = 0;
    const client = {
      query: async () => {
        asked++;
        throw Object.assign(new Error("function pg_control_system() does not exist"), { code: "42883" });
      },
      release() {},
    };
    const pool = { options: {}, connect: async () => client, end: async () => {} } as unknown as PostgresPool;
    let forgotten = 0;
    const verify = watchIdentity(postgresEngine({ pool }), () => void forgotten++);
    for (let i = 0; i < 3; i++) await verify();
    assert.deepEqual([asked, forgotten], [1, 0]);
  });

  it("fails the write when it does not answer at all", async () => {
    const connect = async () => {
      throw Object.assign(new Error("no"), { code: "ECONNREFUSED" });
    };
    const pool = { options: {}, connect, end: async () => {} } as unknown as PostgresPool;
    await assert.rejects(watchIdentity(postgresEngine({ pool }), assert.fail)(), /no/);
  });
});

describe("a SQLite file that is not the one it was", () => {
  const folder = mkdtempSync(join(tmpdir(), "gleaner-file-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const valuesIn = (path: string) => {
    using database = new DatabaseSync(path, { readOnly: true });
    return database
      .prepare("select metric_name, value from samples join series using (series_id) order by time, value")
      .all()
      .map((row) => `${row["metric_name"]} ${row["value"]}`);
  };

  it("is made anew when it was removed under the process, and what comes next is in it", async () => {
    const path = join(folder, "removed", "gleaner.db");
    const store = await openStore(options(`sqlite:${path}`));
    await store.writeBatches([samples(0)]);
    rmSync(join(folder, "removed"), { recursive: true });
    await assert.rejects(store.writeBatches([samples(1)]), (error) => classify(error) === "stop");
    await store.repair();
    assert.equal((await store.writeBatches([samples(1)])).stored["samples"], 3);
    await store.close();
    assert.deepEqual(valuesIn(path), ["a 0", "b 1", "c 2"]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("that was replaced by a backup gets its samples under the backup's series", async () => {
    const [path, backup] = [join(folder, "gleaner.db"), join(folder, "backup.db")];
    const other = await openStore(options(`sqlite:${backup}`));
    await other.writeBatches([
      batch({ target: "other", samples: [{ metric: "z", value: 9, at: after(0) }] }),
      samples(0),
    ]);
    await other.close();
    const store = await openStore(options(`sqlite:${path}`));
    await store.writeBatches([samples(0)]);
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix);
    renameSync(backup, path);
    await store.writeBatches([samples(1)]);
    await store.close();
    assert.deepEqual(valuesIn(path), ["a 0", "b 1", "c 2", "z 9", "a 0", "b 1", "c 2"]);
  });
});
