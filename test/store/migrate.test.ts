import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after as afterAll, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { type Kysely, sql } from "kysely";
import type { Engine } from "../../src/store/engines/engine.ts";
import { connectPostgres, postgresEngine } from "../../src/store/engines/postgres.ts";
import { openSqlite } from "../../src/store/engines/sqlite.ts";
import { type MigrationList, migrateDatabase } from "../../src/store/migrate.ts";
import { migrations } from "../../src/store/migrations/index.ts";
import { migrate, openStore } from "../../src/store/open.ts";
import { eventually } from "../support/eventually.ts";
import { batch, drone, options, T0 } from "./make.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "./postgres.ts";

const directory = mkdtempSync(join(tmpdir(), "gleaner-migrate-"));
let files = 0;
const sqliteUrl = () => `sqlite:${join(directory, `${++files}.db`)}`;
afterAll(() => rmSync(directory, { recursive: true }));

const NAMES = [
  "0001_tables",
  "0002_rollups",
  "0003_alert_history",
  "0004_platform",
  "0005_agents",
  "0006_series_target",
];

function migrationSuite(name: string, newUrl: () => Promise<string>, engineAt: (url: string) => Promise<Engine>): void {
  describe(`migrations on ${name}`, () => {
    const withEngine = async <T>(url: string, work: (engine: Engine) => Promise<T>): Promise<T> => {
      const engine = await engineAt(url);
      try {
        return await work(engine);
      } finally {
        await engine.close();
      }
    };
    const tablesOf = (engine: Engine) =>
      engine.db.introspection.getTables().then((all) => all.map((table) => table.name));

    it("says what it applied, and nothing the second time", async () => {
      const url = await newUrl();
      assert.deepEqual((await migrate({ url })).applied, NAMES);
      assert.deepEqual((await migrate({ url })).applied, []);
    });

    it("leaves nothing of a migration that failed, nor of those before it in the same start, and goes on when it is mended", async () => {
      const url = await newUrl();
      const broken: MigrationList = (context) => ({
        ...migrations(context),
        "0099_broken": {
          async up(db: Kysely<unknown>) {
            await sql`create table half_done (a integer)`.execute(db);
            await sql`create table drones (a integer)`.execute(db);
          },
        },
      });
      await withEngine(url, async (engine) => {
        await assert.rejects(migrateDatabase(engine, broken), /drones.* already exists/);
        const left = await tablesOf(engine);
        assert.deepEqual(
          left.filter((table) => !table.startsWith("gleaner_")),
          [],
        );
      });
      assert.deepEqual((await migrate({ url })).applied, NAMES);
      await withEngine(url, async (engine) => {
        await assert.rejects(migrateDatabase(engine, broken));
        assert.ok(!(await tablesOf(engine)).includes("half_done"));
      });
      await (await openStore(options(url))).close();
    });

    it("refuses a database that a newer version wrote, and leaves it as it is", async () => {
      const url = await newUrl();
      await migrate({ url });
      await withEngine(url, (engine) =>
        migrateDatabase(engine, (context) => ({ ...migrations(context), "0099_future": { up: async () => {} } })),
      );
      const newer = /written by a newer version of gleaner \(it has 0099_future, which this version does not know\)/;
      await assert.rejects(openStore(options(url)), newer);
      await assert.rejects(migrate({ url }), newer);
    });
  });
}

migrationSuite(
  "SQLite",
  async () => sqliteUrl(),
  async (url) => openSqlite(url.slice("sqlite:".length)),
);

describe("PostgreSQL", { skip: whyNoPostgres() ?? false }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster.stop());
  const connect = async (url: string) =>
    postgresEngine(await connectPostgres({ url, poolSize: 2, statementTimeout: 1_000, lockTimeout: 100 }));
  migrationSuite("PostgreSQL", () => cluster.createDatabase(), connect);

  it("lets several open one new database at the same moment", async () => {
    const url = await cluster.createDatabase();
    const stores = await Promise.all([1, 2, 3].map(() => openStore(options(url))));
    await Promise.all(
      stores.map((store, i) => store.writeBatches([batch({ target: `t${i}`, rows: [drone("d", T0)] })])),
    );
    assert.equal((await stores[0]?.rowCounts())?.["drones"], 3);
    await Promise.all(stores.map((store) => store.close()));
  });

  it("says why TimescaleDB is not used", async () => {
    const { notes, timescale } = await migrate({ url: await cluster.createDatabase() });
    assert.equal(timescale, null);
    assert.match(notes.join(), /TimescaleDB is not available on this server/);
  });

  it("says what to grant when the user may not create tables", async () => {
    await cluster.admin("create role reader login");
    const url = await cluster.createDatabase();
    await assert.rejects(
      openStore(options(url.replace("postgres@", "reader@"))),
      /permission denied.*grant the user the right/,
    );
  });

  it("says what to do when the database is missing, without the password", async () => {
    const url = (await cluster.createDatabase())
      .replace("postgres@", "postgres:hunter2@")
      .replace(/test_\d+/, "nowhere");
    await assert.rejects(openStore(options(url)), (error) => {
      assert.match(String(error), /database "nowhere" does not exist; create the database first/);
      return !inspect(error, { depth: 10, showHidden: true }).includes("hunter2");
    });
  });

  it("gives up on a lock and on a slow statement, and the store goes on", async () => {
    const url = await cluster.createDatabase();
    await migrate({ url });
    const engine = await connect(url);
    const other = await connect(url);
    await other.db.transaction().execute(async (holder) => {
      await sql`lock table health_events`.execute(holder);
      const rows = [[0, "kit", "k1", "online", "stale", "warning", "late"]];
      await assert.rejects(engine.insertRows([{ table: "health_events", rows }]), { code: "55P03" });
    });
    await assert.rejects(sql`select pg_sleep(20)`.execute(engine.db), { code: "57014" });
    await sql`select 1`.execute(engine.db);
    await engine.close();
    await other.close();
  });

  it("gives up on a server that stopped answering, and does not use that connection again", async () => {
    const url = await cluster.createDatabase();
    await migrate({ url });
    const rows = [[0, "kit", "k1", "online", "stale", "warning", "late"]];
    for (const write of ["copy", "query"]) {
      const engine = postgresEngine(await connectPostgres({ url, poolSize: 1, statementTimeout: 50, lockTimeout: 50 }));
      const { rows: found } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(engine.db);
      const pid = Number(found[0]?.pid);
      process.kill(pid, "SIGSTOP");
      const stuck =
        write === "copy" ? engine.insertRows([{ table: "health_events", rows }]) : sql`select 1`.execute(engine.db);
      await assert.rejects(stuck, /timeout/i);
      const again = await engine.insertRows([
        { table: "health_events", rows: [[1, "kit", write, "a", "b", "c", "d"]] },
      ]);
      assert.deepEqual(again, { health_events: 1 });
      process.kill(pid, "SIGCONT");
      await engine.close();
    }
  });

  it("survives its connections being cut, and drops the broken ones", async () => {
    const store = await openStore(options(await cluster.createDatabase()));
    await store.ping();
    await cluster.admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gleaner'");
    // A broken connection may be found out only by the next use of it; the one after that has another.
    await eventually(() => store.ping());
    const { stored, duplicate } = await eventually(() => store.writeBatches([batch({ rows: [drone("d", T0)] })]));
    assert.equal((stored["drones"] ?? 0) + (duplicate["drones"] ?? 0), 1);
    await store.close();
  });
});

describe("opening", () => {
  it("lets several processes migrate one SQLite file at the same time", async () => {
    for (let round = 0; round < 3; round++) {
      const url = sqliteUrl();
      const processes = [1, 2, 3].map(() => spawn(process.execPath, [join(import.meta.dirname, "open-once.ts"), url]));
      await Promise.all(processes.map((child) => once(child.stdout, "data")));
      for (const child of processes) child.stdin.end();
      const ends = await Promise.all(
        processes.map(async (child) => {
          let errors = "";
          child.stderr.on("data", (chunk) => {
            errors += chunk;
          });
          const [code] = await once(child, "close");
          return { code, errors };
        }),
      );
      assert.deepEqual(ends, Array(3).fill({ code: 0, errors: "" }));
      assert.deepEqual((await migrate({ url })).applied, []);
    }
  });

  it("creates the SQLite file for its owner only, in a directory for its owner only", async () => {
    const folder = join(directory, "deep", "data");
    const store = await openStore(options(`sqlite:${join(folder, "gleaner.db")}`));
    await store.writeBatches([batch({ rows: [drone("d", T0)] })]);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const suffix of ["", "-wal", "-shm"])
      assert.equal(statSync(join(folder, `gleaner.db${suffix}`)).mode & 0o077, 0, suffix);
    await store.close();
  });

  it("writes SQLite so that a power cut loses nothing", async () => {
    const engine = openSqlite(join(directory, "pragmas.db"));
    const pragma = async (name: string) =>
      Object.values((await sql.raw(`pragma ${name}`).execute(engine.db)).rows[0] as object)[0];
    assert.deepEqual(
      [await pragma("journal_mode"), await pragma("synchronous"), await pragma("foreign_keys")],
      ["wal", 2, 1],
    );
    await engine.close();
  });

  it("refuses to bind what node:sqlite would take for named parameters", async () => {
    const engine = openSqlite(":memory:");
    await assert.rejects(
      sql`select ${{ a: 1 }} as x, ${2} as y`.execute(engine.db),
      /cannot bind a value of type object/,
    );
    const { rows } = await sql<{ x: number; y: number }>`select ${T0} as x, ${true} as y`.execute(engine.db);
    assert.deepEqual({ ...rows[0] }, { x: T0.getTime(), y: 1 });
    await engine.close();
  });

  const unusable: [string, () => string, RegExp][] = [
    [
      "a file that is no database",
      () => withFile("text.db", "hello".repeat(500)),
      /not a database; the file is something else/,
    ],
    [
      "a path below a file",
      () => `${withFile("plain", "x")}/sub/gleaner.db`,
      /part of the path is a file|ENOTDIR|EEXIST/,
    ],
    ["a directory", () => withDirectory("folder"), /unable to open database file|EISDIR/],
    ["an unknown scheme", () => "oracle://scott:hunter2@db/x", /unknown scheme oracle:; expected sqlite:/],
    ["no scheme", () => "hunter2", /has no scheme; expected/],
    ["no file", () => "sqlite:", /names no SQLite file/],
    ["a host in a SQLite URL", () => "sqlite://gleaner.db", /names no SQLite file/],
    ["a broken URL", () => "postgresql://u:hunter2@h:port/x", /not a valid URL .*percent-encoded/],
    [
      "a server that is not there",
      () => "postgresql://u:hunter2@127.0.0.1:1/x",
      /ECONNREFUSED.*; is the server running/,
    ],
    ["a socket that is not there", () => "postgresql://u:hunter2@/x?host=/nonexistent", /ENOENT.*; check the path/],
  ];
  for (const [what, url, expected] of unusable) {
    it(`says what to fix about ${what}, and never the password`, async () => {
      for (const attempt of [() => openStore(options(url())), () => migrate({ url: url() })])
        await assert.rejects(attempt, (error) => {
          assert.match(String(error), expected);
          assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes("hunter2"));
          return true;
        });
    });
  }

  function withFile(name: string, text: string): string {
    writeFileSync(join(directory, name), text);
    return `sqlite:${join(directory, name)}`;
  }
  function withDirectory(name: string): string {
    mkdirSync(join(directory, name), { recursive: true });
    return `sqlite:${join(directory, name)}`;
  }
});
