import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { BSON } from "mongodb";
import { ROOT } from "../../../packaging/files.ts";
import { startInflux } from "../../../support/servers/influx.ts";
import { rootOf, socketIn, startMariaDB } from "../../../support/servers/mariadb.ts";
import { startMemcached } from "../../../support/servers/memcached.ts";
import { serveMongo } from "../../../support/servers/mongo.ts";
import { startRedis } from "../../../support/servers/redis.ts";
import { local, type Starter, target } from "./target.ts";

const redis: Starter = async (parts) => {
  const server = parts.use(await startRedis("--maxmemory", "64mb"));
  const client = connect(server.port, "127.0.0.1").end("SET book 1 EX 3600\r\nQUIT\r\n").resume();
  await once(client, "close");
  const replica = parts.use(await startRedis("--replicaof", `127.0.0.1 ${server.port}`));
  return {
    ...target("redis_monitor", { ...local, port: server.port }),
    ...target("redis_monitor", { ...local, port: replica.port }, "redis_replica"),
  };
};

const mysql: Starter = async (parts) => {
  const server = parts.use(await startMariaDB("--log-bin=log", "--server-id=1"));
  const root = await rootOf(server);
  await root.query("create database shop");
  await root.query("create table shop.orders(id int primary key)");
  await root.end();
  return target("mysql_monitor", { host: socketIn(server), user: "root" });
};

/** Answers of real servers, as mongodb_monitor's own tests have them: there is no MongoDB in Debian. */
const mongodb: Starter = async (parts) => {
  const recorded = (name: string) =>
    BSON.EJSON.parse(readFileSync(join(ROOT, `test/plugins/mongodb_monitor/recorded/${name}.json`), "utf8"), {
      relaxed: false,
    }) as Record<string, unknown>;
  const server = await serveMongo({
    hello: () => ({ isWritablePrimary: false, secondary: true, setName: "replset" }),
    serverStatus: () => recorded("serverStatus"),
    replSetGetStatus: () => recorded("replSetGetStatus"),
    listDatabases: () => ({ databases: [{ name: "admin" }, { name: "test" }] }),
    dbStats: (_, db) => ({ ...recorded("dbStats"), db }),
  });
  parts.use(server);
  return target("mongodb_monitor", { ...local, port: server.port });
};

const influxdb: Starter = async (parts) => {
  const url = `http://127.0.0.1:${parts.use(await startInflux()).port}`;
  await fetch(`${url}/query`, { method: "POST", body: new URLSearchParams({ q: "create database shop" }) });
  await fetch(`${url}/write?db=shop`, { method: "POST", body: "orders,kind=book value=1" });
  return target("influxdb_monitor", { url });
};

const memcached: Starter = async (parts) =>
  target("memcached_monitor", { ...local, port: parts.use(await startMemcached()).port });

export const DATABASES: readonly Starter[] = [redis, mysql, mongodb, influxdb, memcached];
