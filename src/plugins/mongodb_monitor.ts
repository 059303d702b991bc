import { z } from "zod";
import { minutes, seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { Collected, Rejection, Sample } from "../model/sample.ts";
import { host, name, password, port, tls, userAndPassword } from "./client/fields.ts";
import { fieldAt, isRecord, sample, textAt } from "./client/mapping.ts";
import { readDatabase, readReplicaSet, readStatus } from "./mongodb/answers.ts";
import { MAX_DATABASES, METRICS, type Metric } from "./mongodb/metrics.ts";
import { type Command, withSession } from "./mongodb/session.ts";

const config = userAndPassword(
  z.strictObject({
    host: host.default("localhost").describe("Host of the server; of a replica set, one member. Each can be a target."),
    port: port.default(27_017).describe("Port of the server."),
    user: name
      .optional()
      .describe("User to log in as; it needs the role `clusterMonitor`.")
      .meta({ unset: "nobody", alternative: "gleaner" }),
    ...password,
    auth_database: name.default("admin").describe("Database that knows the user."),
    ...tls,
  }),
);

/** Sections that are long and not looked at. */
const STATUS = { serverStatus: 1, locks: 0, tcmalloc: 0, sharding: 0, repl: 0, logicalSessionRecordCache: 0 };

async function collectServer(command: Command): Promise<Collected<Metric>> {
  const hello = await command("admin", { hello: 1 });
  const status = readStatus(await command("admin", STATUS));
  const primary = sample("mongodb_primary" as const, fieldAt(hello, "isWritablePrimary") === true ? 1 : 0);
  if (typeof fieldAt(hello, "setName") !== "string") return { samples: [...status, primary] };
  return { samples: [...status, primary, ...readReplicaSet(await command("admin", { replSetGetStatus: 1 }))] };
}

async function collectDatabases(command: Command): Promise<Collected<Metric>> {
  const answer = await command("admin", { listDatabases: 1, nameOnly: true });
  const list = isRecord(answer) ? answer["databases"] : undefined;
  if (!Array.isArray(list)) throw new CollectError("bad_data", "listDatabases: expected a list of databases");
  const names = list.flatMap((one: unknown) => (isRecord(one) ? [textAt(one, "name")] : []));
  const samples: Sample<Metric>[] = [sample("mongodb_databases", names.length)];
  const rejected: Rejection[] = [];
  for (const database of names.slice(0, MAX_DATABASES)) {
    try {
      samples.push(...readDatabase(database, await command(database, { dbStats: 1 })));
    } catch (error) {
      // Dropped in between, or not for this user's eyes; a broken connection ends the run.
      if (!(error instanceof CollectError) || error.kind !== "bad_data") throw error;
      rejected.push({ reason: "part_failed", detail: `dbStats of ${database}: ${error.message}`.slice(0, 300) });
    }
  }
  return { samples, rejected };
}

/** Connections, operations, memory, replication and databases of a MongoDB server. */
export const mongodbMonitor = definePlugin({
  id: "mongodb_monitor",
  title: "MongoDB",
  summary: "Connections, operations, memory, replication and databases of a MongoDB server.",
  category: "database",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    server: {
      summary: "Reads the server's status and, in a replica set, that of its members.",
      every: seconds(60),
      async collect({ config }, { signal }) {
        return withSession(config, signal, collectServer);
      },
    },
    databases: {
      summary: "Measures every database.",
      every: minutes(15),
      async collect({ config }, { signal }) {
        return withSession(config, signal, collectDatabases);
      },
    },
  },
});
