// provisioning/postgres/*.sql on real servers: roles that can do their work, and not more.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { openStore } from "../../src/store/open.ts";
import { READABLE } from "../../src/store/reader.ts";
import { batch, options, T0 } from "../store/make.ts";
import { type Embedded, startEmbedded } from "../store/pglite.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { runProgram } from "../support/program.ts";
import { ROOT, text } from "./files.ts";

const SCRIPT = "provisioning/postgres/role-gleaner.sql";
const READER_SCRIPT = "provisioning/postgres/role-grafana.sql";
/** With everything that would have to be escaped in SQL, in a URL, or in a shell. */
const PASSWORD = `it's "a" pass/word@:%41 $HOME \\`;

describe("the database role of gleaner", { skip: whyNoPostgres() ?? false }, () => {
  let cluster: TestCluster;
  let url: string;
  const PATH = process.env["PATH"] ?? "";
  const prepare = (env: Record<string, string>, script = SCRIPT) =>
    runProgram("psql", [url, "--no-psqlrc", `--file=${join(ROOT, script)}`], { cwd: ROOT, env: { PATH, ...env } });
  const as = (user: string, password?: string) =>
    url.replace("postgres@", `${user}${password ? `:${encodeURIComponent(password)}` : ""}@`);
  const migrate = (password: string) =>
    runProgram(process.execPath, [join(ROOT, "bin/gleaner.js"), "migrate"], {
      cwd: ROOT,
      env: { DATABASE_URL: as("gleaner"), PGPASSWORD: password },
    });
  /** What happens to each statement: "done", or the SQLSTATE of the refusal. */
  async function attempt(user: string, password: string, statements: readonly string[]): Promise<string[]> {
    const client = new pg.Client({ connectionString: as(user, password) });
    await client.connect();
    const results: string[] = [];
    for (const statement of statements)
      results.push(
        await client.query(statement).then(
          () => "done",
          ({ code }: { code: string }) => code,
        ),
      );
    await client.end();
    return results;
  }

  before(async () => {
    cluster = await startCluster();
    url = await cluster.createDatabase();
    await cluster.admin(`create role stranger login password 'stranger'`);
    // As in a container: the administrator's socket is trusted here, everyone else proves who they are.
    await cluster.admin(`do $$ begin
      execute format('copy (values (%L), (%L)) to %L',
        'local all postgres trust', 'local all all scram-sha-256', current_setting('hba_file'));
      perform pg_reload_conf();
    end $$`);
    await eventually(() => assert.rejects(attempt("stranger", "wrong", []), { code: "28P01" }));
  });
  after(() => cluster?.stop());

  it("is not made without a password", async () => {
    const { code, output } = await prepare({});
    assert.notEqual(code, 0);
    assert.match(output, /GLEANER_DB_PASSWORD is not set/);
  });

  it("is made with the password out of the environment, and gleaner sets its tables up with it", async () => {
    const { code, output } = await prepare({ GLEANER_DB_PASSWORD: PASSWORD });
    assert.equal(code, 0, output);
    const good = await migrate(PASSWORD);
    assert.equal(good.code, 0, good.output);
    const bad = await migrate("not-the-password");
    assert.equal(bad.code, 1);
    assert.doesNotMatch(bad.output, /not-the-password/);
    assert.deepEqual(await attempt("gleaner", PASSWORD, ["select * from drones", "delete from kits"]), [
      "done",
      "done",
    ]);
  });

  it("may do nothing else", async () => {
    const REFUSED = "42501";
    const statements = [
      "create role another",
      "create database another",
      "create schema another",
      "alter role gleaner superuser",
      "set role postgres",
      "select rolpassword from pg_authid",
      "select pg_read_file('/etc/passwd')",
      "copy kits to program 'true'",
      "copy kits from '/etc/passwd'",
      "create extension adminpack",
      "alter system set log_statement = 'all'",
      "select pg_reload_conf()",
    ];
    assert.deepEqual(
      await attempt("gleaner", PASSWORD, statements),
      statements.map(() => REFUSED),
    );
  });

  it("has a database that no other role can connect to", async () => {
    await assert.rejects(attempt("stranger", "stranger", []), { code: "42501" });
  });

  it("may not create Grafana's role, goes on without, and says who can", async () => {
    const { code, output } = await migrate(PASSWORD);
    assert.equal(code, 0, output);
    assert.match(
      output,
      /there is no role grafana_reader .* an administrator can run provisioning\/postgres\/role-grafana\.sql/,
    );
  });

  describe("the role of Grafana", () => {
    const OTHER = `${PASSWORD} 2`;

    it("is not made without a password", async () => {
      const { code, output } = await prepare({}, READER_SCRIPT);
      assert.notEqual(code, 0);
      assert.match(output, /GRAFANA_DB_PASSWORD is not set/);
    });

    it("is made, given its rights by gleaner, and given another password by doing it again", async () => {
      for (const password of [PASSWORD, OTHER]) {
        const { code, output } = await prepare({ GRAFANA_DB_PASSWORD: password }, READER_SCRIPT);
        assert.equal(code, 0, output);
      }
      assert.deepEqual(await attempt("grafana_reader", OTHER, ["select * from drones"]), ["42501"]);
      assert.doesNotMatch((await migrate(PASSWORD)).output, /grafana_reader/);
      await assert.rejects(attempt("grafana_reader", PASSWORD, []), { code: "28P01" });
    });

    it("reads everything that was collected", async () => {
      const reads = READABLE.map((relation) => `select * from ${relation} limit 1`);
      assert.deepEqual(
        await attempt("grafana_reader", OTHER, reads),
        reads.map(() => "done"),
      );
    });

    it("may do nothing else", async () => {
      const changes = [
        "insert into kits (kit_id) values ('x')",
        "update kits set name = 'x'",
        "delete from drones",
        "truncate drones",
      ];
      const statements = [
        ...[
          "select * from gleaner_migrations",
          "select rolpassword from pg_authid",
          "select pg_read_file('/etc/passwd')",
        ],
        ...["copy drones to program 'true'", "copy drones from '/etc/passwd'", "copy (select 1) to '/tmp/x'"],
        ...[
          "set role gleaner",
          "set role postgres",
          "set session authorization gleaner",
          "alter role grafana_reader superuser",
        ],
        ...["select pg_reload_conf()", "alter system set log_statement = 'all'"],
        ...["select lo_import('/etc/passwd')", "select pg_ls_dir('/')", "lock table drones in exclusive mode"],
        // Written in a session that is not read-only any more, as anybody may make it.
        "set default_transaction_read_only = off",
        ...changes,
        ...[
          "create table x (a int)",
          "create schema x",
          "create role x",
          "create database x",
          "create extension adminpack",
        ],
        ...["drop table kits", "alter table kits add column x int", "alter table kits owner to grafana_reader"],
      ];
      const results = await attempt("grafana_reader", OTHER, statements);
      const allowed = statements.filter((_, index) => results[index] === "done");
      assert.deepEqual(allowed, ["set default_transaction_read_only = off"]);
      assert.ok(statements.length >= 20);
    });

    it("writes nothing by mistake, is cut off when a query takes long, and has so many connections", async () => {
      const [mistake] = await attempt("grafana_reader", OTHER, ["create temporary table x (a int)"]);
      assert.equal(mistake, "25006");
      const client = new pg.Client({ connectionString: as("grafana_reader", OTHER) });
      await client.connect();
      const { rows } = await client.query(
        "select current_setting('statement_timeout') as timeout, rolconnlimit as connections from pg_roles where rolname = current_user",
      );
      assert.deepEqual(rows, [{ timeout: "15s", connections: 20 }]);
      await client.end();
    });
  });
});

describe("the role of Grafana where gleaner may create roles", { skip: whyNoPostgres() ?? false }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster?.stop());

  it("is made without a way to log in, once, however many start and however often", async () => {
    const urls = await Promise.all([cluster.createDatabase(), cluster.createDatabase()]);
    const stores = await Promise.all([...urls, ...urls].map((url) => openStore(options(url))));
    for (const store of stores) assert.doesNotMatch(store.notes.join(), /grafana_reader/);
    await Promise.all(stores.map((store) => store.close()));
    for (const url of urls) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query(
        `select rolcanlogin, rolsuper, rolinherit, rolconnlimit, array_to_string(rolconfig, ',') as settings,
           (select count(*)::int from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')
             and has_table_privilege('grafana_reader', oid, 'select')) as readable
         from pg_roles where rolname = 'grafana_reader'`,
      );
      assert.deepEqual(rows, [
        {
          ...{ rolcanlogin: false, rolsuper: false, rolinherit: false, rolconnlimit: 20 },
          settings: "default_transaction_read_only=on,statement_timeout=15s",
          readable: READABLE.length,
        },
      ]);
      await client.end();
    }
  });
});

describe("the database role of gleaner, on TimescaleDB", () => {
  let embedded: Embedded;
  before(async () => {
    embedded = await startEmbedded();
  });
  after(() => embedded?.close());

  it("is enough for hypertables, aggregates and their policies", async () => {
    await embedded.query("create extension if not exists timescaledb");
    // Rights on the database itself are shown above: the embedded server works in a template, which takes none.
    const statements = text(SCRIPT)
      .replaceAll(/^(--|\\|do |select ).*\n/gm, "")
      .replaceAll(":'password'", "'secret'")
      .split(";")
      .filter((statement) => /\w/.test(statement) && !statement.includes("on database"));
    for (const statement of statements) await embedded.query(statement);
    await embedded.query("set session authorization gleaner");
    const store = await openStore(options("postgresql://localhost/embedded"), { postgres: embedded.driver });
    await store.close();
    assert.match(store.timescale ?? "", /^\d+\./);
    const [{ owner, tables }] = (await embedded.query(
      "select min(owner) as owner, count(*)::int as tables from timescaledb_information.hypertables where owner = 'gleaner'",
    )) as [{ owner: string; tables: number }];
    assert.deepEqual({ owner, many: tables >= 8 }, { owner: "gleaner", many: true });
    const jobs = await embedded.query("select 1 from timescaledb_information.jobs where owner::text = 'gleaner'");
    assert.ok(jobs.length >= 16, `${jobs.length} jobs`);
  });

  it("lets Grafana's role read hypertables, their chunks, and aggregates", async () => {
    await embedded.query("set session authorization postgres");
    await embedded.query("create role grafana_reader nologin");
    const open = async () => {
      await embedded.query("set session authorization gleaner");
      return await openStore(options("postgresql://localhost/embedded"), { postgres: embedded.driver });
    };
    const lacking = await open();
    assert.match(lacking.notes.join(), /grafana_reader lacks 1 of its rights: run .*role-grafana\.sql/);
    await lacking.close();
    await embedded.query("set session authorization postgres");
    await embedded.query("grant usage on schema public to grafana_reader");
    const store = await open();
    assert.doesNotMatch(store.notes.join(), /grafana_reader/);
    const rows = [{ table: "drones", at: T0, values: { drone_id: "d" } }];
    await store.writeBatches([batch({ target: "kit-001", health: "kit", rows })]);
    await store.close();
    await embedded.query("set session authorization grafana_reader");
    for (const relation of READABLE) await embedded.query(`select * from ${relation} limit 1`);
    assert.equal((await embedded.query("select * from drones")).length, 1);
    await assert.rejects(embedded.query("select * from gleaner_migrations"), /permission denied/);
    await embedded.query("set session authorization postgres");
  });
});
