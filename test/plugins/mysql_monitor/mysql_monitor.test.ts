// On a real MariaDB: as root over its socket, as users with few rights, over TLS, its replica, and killed. What a MySQL answers
// otherwise is told by a stand-in for its session.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import mysql from "mysql2/promise";
import { readReplication } from "../../../src/plugins/mysql/parts.ts";
import { mysqlMonitor } from "../../../src/plugins/mysql_monitor.ts";
import { makeAuthority } from "../../faults/support/certificates.ts";
import { answering, collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { rootOf, socketIn, startMariaDB } from "../../support/servers/mariadb.ts";
import { freePort } from "../../support/servers/port.ts";
import { type Service, withoutServer } from "../../support/servers/service.ts";

const PASSWORD = "s3cret of \"the\" 'test' \\ %41 ü";

it("ends when it is aborted while a server is silent", () =>
  endsWhenAborted(mysqlMonitor, (port) => ({ host: "127.0.0.1", port })));

it("says where nothing listens", async () => {
  await fails(
    mysqlMonitor,
    { host: "127.0.0.1", port: await freePort() },
    "unreachable",
    /^MySQL at 127.*nothing listens/,
  );
  await fails(mysqlMonitor, { host: "/nonexistent.sock" }, "unreachable", /no such socket/);
});

it("takes nothing for a MySQL that is none", async () => {
  // It waits for the server to speak first; these do at once when they are asked.
  for (const bytes of ["SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "", "\0\0\0\0", "\x03\0\0\0\xff\xff\xff"]) {
    await using server = await answering(bytes, { first: true });
    await assert.rejects(
      collect(mysqlMonitor, { host: "127.0.0.1", port: server.port }),
      { name: "CollectError" },
      bytes,
    );
  }
});

it("asks each version for its replicas in its own words", async () => {
  const asked: string[] = [];
  const session = (version: string, ...rows: readonly Record<string, unknown>[]) => ({
    version,
    query: async (sql: string) => {
      asked.push(sql);
      return rows;
    },
  });
  for (const version of ["5.7.44-log", "8.0.21", "8.0.22", "8.4.3", "9.1.0", "10.11.19-MariaDB"])
    await readReplication(session(version));
  assert.deepEqual(asked, [
    "show slave status",
    "show slave status",
    "show replica status",
    "show replica status",
    "show replica status",
    "show all slaves status",
  ]);
  // As answered by 8.4: other names of the same columns.
  const [receiving, applying, lag] = await readReplication(
    session("8.4.3", {
      Channel_Name: "west",
      Replica_IO_Running: "Connecting",
      Replica_SQL_Running: "Yes",
      Seconds_Behind_Source: 7,
    }),
  );
  assert.deepEqual([receiving?.value, applying?.value, lag?.value], [0, 1, 7]);
  assert.deepEqual(lag?.labels, { channel: "west" });
});

describe("a real MariaDB", { skip: withoutServer("mariadbd") }, () => {
  let server: Service;
  let root: mysql.Connection;
  const folder = temporaryFolder();
  const authority = makeAuthority(folder, "authority");
  const on = (more: object = {}) => ({
    host: "127.0.0.1",
    port: server.port,
    user: "watcher",
    password: PASSWORD,
    ...more,
  });

  before(async () => {
    authority.issue("server", { host: "IP:127.0.0.1,DNS:localhost" });
    const tls = [`--ssl-cert=${folder.at("server.pem")}`, `--ssl-key=${folder.at("server.key")}`];
    server = await startMariaDB(...tls, "--log-bin=log", "--server-id=1", "--long-query-time=0.05");
    root = await rootOf(server);
    await root.query("create user watcher@'127.0.0.1' identified by ?", [PASSWORD]);
    await root.query("grant slave monitor on *.* to watcher@'127.0.0.1'");
  });
  after(async () => {
    root.destroy();
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it("is reported as it is, with a password or over the socket", async () => {
    const found = await collect(mysqlMonitor, on());
    assert.deepEqual(found.rejected, []);
    const [rows] = await root.query<mysql.RowDataPacket[]>("select version() as version");
    assert.equal(found.value("mysql_info", { version: rows[0]?.["version"] }), 1);
    assert.equal(found.value("mysql_max_connections"), 20);
    assert.equal(found.value("mysql_threads_connected"), 2);
    assert.equal(found.value("mysql_connections_used_ratio"), 2 / 20);
    assert.equal(found.value("mysql_innodb_buffer_pool_size_bytes"), 16 * 1024 * 1024);
    assert.ok(found.value("mysql_innodb_buffer_pool_hit_ratio") > 0);
    assert.ok(found.value("mysql_innodb_buffer_pool_pages", { state: "data" }) > 0);
    assert.equal(found.value("mysql_read_only"), 0);
    // Everything but what only a replica has, and the other job's.
    const absent = Object.keys(mysqlMonitor.metrics).filter((metric) => !found.metrics.includes(metric));
    assert.deepEqual(absent, [
      "mysql_replica_receiving",
      "mysql_replica_applying",
      "mysql_replication_lag_seconds",
      "mysql_database_size_bytes",
      "mysql_database_tables",
    ]);
    folder.write("password", `${PASSWORD}\n`);
    const { password, ...rest } = on();
    await collect(mysqlMonitor, { ...rest, password_file: folder.at("password") });
    assert.equal((await collect(mysqlMonitor, { host: socketIn(server) })).value("mysql_max_connections"), 20);
  });

  it("counts ten commits, thirteen inserted rows and a slow query as these", async () => {
    await root.query("create database shop");
    await root.query("create table shop.t(x int)");
    const before = await collect(mysqlMonitor, on());
    for (let n = 0; n < 10; n++) {
      await root.query("begin");
      await root.query("insert into shop.t values (1)");
      await root.query("commit");
    }
    await root.query("insert into shop.t values (1), (2), (3)");
    await root.query("select sleep(0.1)");
    const found = await collect(mysqlMonitor, on());
    const grown = (metric: string, labels = {}) => found.value(metric, labels) - before.value(metric, labels);
    assert.equal(grown("mysql_commands_total", { command: "commit" }), 10);
    assert.equal(grown("mysql_commands_total", { command: "insert" }), 11);
    assert.equal(grown("mysql_handlers_total", { operation: "write" }), 13);
    assert.equal(grown("mysql_slow_queries_total"), 1);
    assert.equal(grown("mysql_connections_total"), 1);
    assert.equal(grown("mysql_aborted_clients_total"), 0);
    assert.ok(grown("mysql_queries_total") >= 32);
    const wrong = on({ password: "wr0ng" });
    await fails(mysqlMonitor, wrong, "bad_data", /Access denied.*check user and password/, "wr0ng");
    assert.equal(
      (await collect(mysqlMonitor, on())).value("mysql_aborted_connects_total") -
        found.value("mysql_aborted_connects_total"),
      1,
    );
  });

  it("measures the databases that the user may see", async () => {
    const sizes = (user: string) => collect(mysqlMonitor, { host: socketIn(server), user }, { job: "sizes" });
    const found = await sizes("root");
    assert.equal(found.value("mysql_database_tables", { database: "shop" }), 1);
    assert.equal(found.value("mysql_database_size_bytes", { database: "shop" }), 16 * 1024);
    await root.query("create user nobody@localhost");
    assert.deepEqual((await sizes("nobody")).metrics, []);
  });

  it("brings all but the replication to a user who may not see that", async () => {
    const found = await collect(mysqlMonitor, { host: socketIn(server), user: "nobody" });
    assert.equal(found.value("mysql_max_connections"), 20);
    assert.match(found.rejected[0]?.detail ?? "", /^replication: Access denied.*SLAVE MONITOR/);
  });

  it("over TLS must prove who it is", async () => {
    const trusted = on({ tls: "on", tls_ca_file: authority.file });
    await root.query("alter user watcher@'127.0.0.1' require ssl");
    assert.equal((await collect(mysqlMonitor, trusted)).value("mysql_read_only"), 0);
    assert.equal((await collect(mysqlMonitor, on({ tls: "unverified" }))).value("mysql_read_only"), 0);
    await fails(mysqlMonitor, on({ tls: "on" }), "unreachable", /certificate.*tls_ca_file/, PASSWORD);
    await fails(mysqlMonitor, on(), "bad_data", /Access denied/, PASSWORD);
    authority.issue("server", { host: "IP:127.0.0.2,DNS:other.example" });
    await root.query("flush ssl");
    await fails(mysqlMonitor, trusted, "unreachable", /not for this host/, PASSWORD);
    await root.query("alter user watcher@'127.0.0.1' require none");
  });

  it("and its replica tell how far replication is", async () => {
    await using replica = await startMariaDB("--server-id=2");
    const other = await rootOf(replica);
    const there = { host: socketIn(replica) };
    await root.query(`create user copy@'127.0.0.1' identified by 'c'`);
    await root.query("grant replication slave on *.* to copy@'127.0.0.1'");
    await other.query(
      `change master to master_host='127.0.0.1', master_port=${server.port}, master_user='copy', master_password='c', master_connect_retry=1`,
    );
    await other.query("start slave");
    await eventually(async () => {
      const found = await collect(mysqlMonitor, there);
      assert.equal(found.value("mysql_replica_receiving", { channel: "" }), 1);
      assert.equal(found.value("mysql_replica_applying", { channel: "" }), 1);
      assert.equal(found.value("mysql_replication_lag_seconds", { channel: "" }), 0);
    });
    await other.query("stop slave sql_thread");
    const stopped = await collect(mysqlMonitor, there);
    assert.equal(stopped.value("mysql_replica_receiving", { channel: "" }), 1);
    assert.equal(stopped.value("mysql_replica_applying", { channel: "" }), 0);
    assert.ok(!stopped.metrics.includes("mysql_replication_lag_seconds"), "unknown while it is stopped");
    other.destroy();
  });

  it("that is full says so", async () => {
    const before = await collect(mysqlMonitor, on());
    await root.query("set global max_connections = 10");
    const holders: mysql.Connection[] = [];
    const credentials = { host: "127.0.0.1", port: server.port, user: "watcher", password: PASSWORD };
    await assert.rejects(async () => {
      for (;;) holders.push(await mysql.createConnection(credentials));
    });
    await fails(mysqlMonitor, on(), "unreachable", /Too many connections.*no connection left/, PASSWORD);
    for (const holder of holders) holder.destroy();
    await root.query("set global max_connections = 20");
    const after = await eventually(() => collect(mysqlMonitor, on()));
    assert.equal(after.value("mysql_max_used_connections"), 11);
    assert.equal(after.value("mysql_aborted_connects_total") - before.value("mysql_aborted_connects_total"), 2);
  });

  it("that stands still ends with the deadline, and one that is killed is unreachable", async () => {
    server.signal("SIGSTOP");
    const deadline = AbortSignal.timeout(100);
    await assert.rejects(collect(mysqlMonitor, on(), { signal: deadline }), { name: "TimeoutError" });
    server.signal("SIGCONT");
    await server.kill();
    await fails(mysqlMonitor, on(), "unreachable", /nothing listens/, PASSWORD);
  });
});
