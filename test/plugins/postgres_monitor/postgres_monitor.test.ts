// On real servers: a primary over its socket and over TLS, a standby of it, roles that may see little, and one that is killed.
import assert from "node:assert/strict";
import { chown, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { postgresMonitor } from "../../../src/plugins/postgres_monitor.ts";
import { makeAuthority } from "../../faults/support/certificates.ts";
import { type Cluster, startCluster } from "../../faults/support/cluster.ts";
import { whyNoPostgres } from "../../store/postgres.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { freePort } from "../../support/servers/port.ts";

const PASSWORD = "s3cret of the test";

it("ends when it is aborted while a server is silent", () =>
  endsWhenAborted(postgresMonitor, (port) => ({ host: "127.0.0.1", port })));

it("ends when it is aborted while a server is silent about TLS", () =>
  endsWhenAborted(postgresMonitor, (port) => ({ host: "127.0.0.1", port, tls: "on" })));

it("says where nothing listens", async () => {
  const port = await freePort();
  await fails(
    postgresMonitor,
    { host: "127.0.0.1", port },
    "unreachable",
    /^PostgreSQL at 127\.0\.0\.1:\d+: nothing listens/,
  );
  await fails(postgresMonitor, { host: "/nonexistent" }, "unreachable", /no such socket/);
});

it("says which file of a secret is missing", () =>
  fails(
    postgresMonitor,
    { password_file: "/nonexistent/pw" },
    "bad_data",
    /the file \/nonexistent\/pw, named by password_file, does not exist/,
  ));

/** Writes files that the server's own user can read, and nobody else. */
async function place(data: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { uid, gid } = await stat(data);
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    await chown(join(data, name), uid, gid);
  }
}

/** A standby that streams from a primary and is on the same port of a socket of its own. */
function standbyOf(primary: Cluster, port: number): Promise<Cluster> {
  return startCluster({
    settings: {
      port,
      primary_conninfo: `host=${primary.folder} port=${port} user=postgres application_name=the_standby`,
    },
    fill: async (data) => {
      await primary.run("pg_basebackup", [
        "-h",
        primary.folder,
        "-p",
        `${port}`,
        "-U",
        "postgres",
        "-D",
        data,
        "-c",
        "fast",
      ]);
      await place(data, { "standby.signal": "" });
    },
  });
}

describe("a real PostgreSQL", { skip: whyNoPostgres() ?? false }, () => {
  let cluster: Cluster;
  let port: number;
  const folder = temporaryFolder();
  const authority = makeAuthority(folder, "authority");
  const local = () => ({ host: cluster.folder });

  before(async () => {
    port = await freePort();
    cluster = await startCluster({ settings: { listen_addresses: "127.0.0.1", port, wal_level: "replica" } });
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  const on = (more: object = {}) => ({ ...local(), port, ...more });

  it("is reported as it is", async () => {
    const found = await collect(postgresMonitor, on());
    assert.deepEqual(found.rejected, []);
    const [row] = await cluster.sql("postgres", "select current_setting('server_version') as version");
    assert.equal(found.value("postgres_info", { version: String(row?.["version"]) }), 1);
    assert.equal(found.value("postgres_max_connections"), 30);
    assert.equal(found.value("postgres_standby"), 0);
    assert.ok(Math.abs(found.value("postgres_start_time_seconds") - Date.now() / 1000) < 60);
    assert.ok(found.value("postgres_database_size_bytes", { database: "postgres" }) > 1e6);
    assert.ok(found.value("postgres_transaction_id_age") >= 0);
    assert.ok(found.value("postgres_cache_hit_ratio") > 0.5);
    assert.ok(found.value("postgres_wal_bytes_total") > 0);
    assert.equal(found.value("postgres_replicas"), 0);
    // Everything but what only a replica, a slot or a standby has.
    const absent = Object.keys(postgresMonitor.metrics).filter((metric) => !found.metrics.includes(metric));
    assert.deepEqual(absent.sort(), [
      "postgres_checksum_failures_total",
      "postgres_replica_behind_bytes",
      "postgres_replica_lag_seconds",
      "postgres_replication_lag_seconds",
      "postgres_replication_slot_active",
      "postgres_replication_slot_retained_bytes",
    ]);
  });

  it("counts ten commits and three rollbacks as ten and three", async () => {
    const database = await cluster.createDatabase();
    const client = await cluster.connect(database);
    const read = async () => {
      await client.query("select pg_stat_force_next_flush()");
      const found = await collect(postgresMonitor, on());
      return {
        commits: found.value("postgres_commits_total", { database }),
        rollbacks: found.value("postgres_rollbacks_total", { database }),
        inserted: found.value("postgres_rows_total", { database, operation: "inserted" }),
        connections: found.value("postgres_database_connections", { database }),
      };
    };
    await client.query("create table t(x int)");
    const before = await read();
    for (let n = 0; n < 10; n++) await client.query("insert into t values (1)");
    for (let n = 0; n < 3; n++) await client.query("begin; insert into t values (1); rollback");
    // The statement that asks for the flush is the eleventh commit.
    assert.deepEqual(await read(), {
      commits: before.commits + 11,
      rollbacks: before.rollbacks + 3,
      inserted: before.inserted + 13,
      connections: 1,
    });
    await client.end();
  });

  it("shows who is idle, who waits for whom, and for how long", async () => {
    await cluster.sql("postgres", "create table if not exists held(x int)");
    const [holder, waiter] = [await cluster.connect("postgres"), await cluster.connect("postgres")];
    await holder.query("begin; lock table held in access exclusive mode");
    const waiting = waiter.query("select * from held");
    const found = await eventually(async () => {
      const now = await collect(postgresMonitor, on());
      assert.equal(now.value("postgres_connections_blocked"), 1);
      return now;
    });
    assert.deepEqual(found.by("postgres_connections", "state"), {
      active: 1,
      idle: 0,
      idle_in_transaction: 1,
      idle_in_transaction_aborted: 0,
      fastpath_function_call: 0,
      disabled: 0,
      hidden: 0,
    });
    assert.equal(found.value("postgres_connections_used_ratio"), 2 / 30);
    assert.equal(found.value("postgres_locks", { mode: "access_exclusive" }), 1);
    assert.equal(found.value("postgres_locks_waiting"), 1);
    assert.ok(found.value("postgres_longest_transaction_seconds") > 0);
    assert.ok(found.value("postgres_longest_query_seconds") > 0);
    await holder.query("rollback");
    await waiting;
    await Promise.all([holder.end(), waiter.end()]);
  });

  it("is reported to a role with no rights at all, and what is hidden from it is counted so", async () => {
    await cluster.sql("postgres", "create role nobody login");
    const database = await cluster.createDatabase();
    await cluster.sql("postgres", `revoke connect on database ${database} from public`);
    const other = await cluster.connect("postgres");
    const found = await collect(postgresMonitor, on({ user: "nobody" }));
    assert.deepEqual(found.rejected, []);
    assert.equal(found.by("postgres_connections", "state")["hidden"], 1);
    assert.ok(!(database in found.by("postgres_database_size_bytes", "database")), "a size it may not ask for");
    assert.ok(database in found.by("postgres_commits_total", "database"));
    await cluster.sql("postgres", "grant pg_monitor to nobody");
    const more = await collect(postgresMonitor, on({ user: "nobody" }));
    assert.equal(more.by("postgres_connections", "state")["idle"], 1);
    assert.ok(database in more.by("postgres_database_size_bytes", "database"));
    await other.end();
  });

  it("loses one part and not the others where a view may not be read", async () => {
    await cluster.sql("postgres", "create role part login; revoke select on pg_stat_wal from public");
    const found = await collect(postgresMonitor, on({ user: "part" }));
    assert.deepEqual(found.rejected, [
      { reason: "part_failed", detail: "pg_stat_wal: permission denied for view pg_stat_wal" },
    ]);
    assert.ok(!found.metrics.includes("postgres_wal_bytes_total"));
    assert.ok(found.metrics.includes("postgres_wal_archived_total"));
    await cluster.sql("postgres", "grant select on pg_stat_wal to public");
  });

  it("is asked with a password and over TLS, and refusals say which", async () => {
    const { cert, key } = authority.issue("server", { host: "IP:127.0.0.1" });
    await place(cluster.data, { "server.crt": cert, "server.key": key });
    const hba =
      "('local all all trust'), ('local replication all trust'), ('hostssl all all 127.0.0.1/32 scram-sha-256')";
    await cluster.sql(
      "postgres",
      `create role watcher login password '${PASSWORD}'; grant pg_monitor to watcher;
       copy (values ${hba}) to '${join(cluster.data, "pg_hba.conf")}'`,
    );
    await cluster.sql("postgres", "alter system set ssl = on");
    await cluster.sql("postgres", "select pg_reload_conf()");
    const watcher = { host: "127.0.0.1", port, user: "watcher", database: "postgres" };
    const trusted = { ...watcher, tls: "on", tls_ca_file: authority.file };
    folder.write("password", `${PASSWORD}\n`);
    await eventually(() => collect(postgresMonitor, { ...trusted, password: PASSWORD }));
    await collect(postgresMonitor, { ...trusted, password_file: folder.at("password") });
    await collect(postgresMonitor, { ...watcher, tls: "unverified", password: PASSWORD });
    const wrong = "wr0ng";
    await fails(
      postgresMonitor,
      { ...trusted, password: wrong },
      "bad_data",
      /password authentication failed.*check user, password/,
      wrong,
    );
    await fails(postgresMonitor, trusted, "bad_data", /wants a password/);
    await fails(
      postgresMonitor,
      { ...watcher, password: PASSWORD },
      "bad_data",
      /no pg_hba.conf entry.*no encryption/,
      PASSWORD,
    );
    await fails(
      postgresMonitor,
      { ...watcher, tls: "on", password: PASSWORD },
      "unreachable",
      /certificate is not trusted.*tls_ca_file/,
      PASSWORD,
    );
    await fails(
      postgresMonitor,
      { ...trusted, password: PASSWORD, database: "none" },
      "bad_data",
      /database "none" does not exist.*setting database/,
    );
    await cluster.sql("postgres", "alter system set ssl = off");
    await cluster.sql("postgres", "select pg_reload_conf()");
    await eventually(() =>
      fails(postgresMonitor, { ...trusted, password: PASSWORD }, "unreachable", /does not support SSL/),
    );
  });

  it("and its standby tell how far replication is", async () => {
    await using standby = await standbyOf(cluster, port);
    const [slotless] = await cluster.sql("postgres", "select pg_create_physical_replication_slot('idle_slot', true)");
    assert.ok(slotless);
    await eventually(async () => {
      const found = await collect(postgresMonitor, on());
      assert.equal(found.value("postgres_replicas"), 1);
      assert.ok(found.value("postgres_replica_behind_bytes", { replica: "the_standby" }) >= 0);
      assert.ok(found.value("postgres_replica_lag_seconds", { replica: "the_standby" }) >= 0);
      assert.equal(found.value("postgres_replication_slot_active", { slot: "idle_slot" }), 0);
      assert.ok(found.value("postgres_replication_slot_retained_bytes", { slot: "idle_slot" }) >= 0);
    });
    const found = await collect(postgresMonitor, { host: standby.folder, port });
    assert.deepEqual(found.rejected, []);
    assert.equal(found.value("postgres_standby"), 1);
    assert.ok(found.value("postgres_replication_lag_seconds") >= 0);
    await cluster.sql("postgres", "create table earlier(x int)");
    await eventually(() => standby.sql("postgres", "select 'earlier'::regclass"));
    // A standby that may not replay falls behind by the clock.
    await standby.sql("postgres", "select pg_wal_replay_pause()");
    await cluster.sql("postgres", "create table later(x int)");
    const behind = await eventually(async () => {
      const { value } = await collect(postgresMonitor, { host: standby.folder, port });
      assert.ok(value("postgres_replication_lag_seconds") > 0.2);
      return value("postgres_replication_lag_seconds");
    });
    assert.ok(behind < 60);
  });

  it("that is full says so", async () => {
    await cluster.sql("postgres", "create role many login; alter role many connection limit 0");
    await fails(postgresMonitor, on({ user: "many" }), "unreachable", /too many connections.*out of connections/);
  });

  it("that is killed is unreachable, and is found again when it is back", async () => {
    await cluster.kill();
    await fails(postgresMonitor, on(), "unreachable", /nothing listens|no such socket/);
    await cluster.start();
    assert.equal((await collect(postgresMonitor, on())).value("postgres_standby"), 0);
  });
});
