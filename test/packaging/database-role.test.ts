// provisioning/postgres/role-gleaner.sql on real servers: enough for gleaner to do its work, and not more.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { openStore } from "../../src/store/open.ts";
import { options } from "../store/make.ts";
import { type Embedded, startEmbedded } from "../store/pglite.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "../store/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { runProgram } from "../support/program.ts";
import { ROOT, text } from "./files.ts";

const SCRIPT = "provisioning/postgres/role-gleaner.sql";
/** With everything that would have to be escaped in SQL, in a URL, or in a shell. */
const PASSWORD = `it's "a" pass/word@:%41 $HOME \\`;

describe("the database role of gleaner", { skip: whyNoPostgres() ?? false }, () => {
  let cluster: TestCluster;
  let url: string;
  const PATH = process.env["PATH"] ?? "";
  const prepare = (env: Record<string, string>) =>
    runProgram("psql", [url, "--no-psqlrc", `--file=${join(ROOT, SCRIPT)}`], { cwd: ROOT, env: { PATH, ...env } });
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
});
