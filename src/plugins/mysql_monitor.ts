import { z } from "zod";
import { minutes, seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import type { Collected } from "../model/sample.ts";
import { host, name, onePassword, password, port, tls } from "./client/fields.ts";
import { ratioOf } from "./client/mapping.ts";
import { METRICS, type Metric } from "./mysql/metrics.ts";
import { readReplication, readSizes, readStatus } from "./mysql/parts.ts";
import { isServerError, type Session, withSession } from "./mysql/session.ts";

const config = onePassword(
  z.strictObject({
    host: host.default("localhost").describe("Host of the server, or the path of its unix socket."),
    port: port.default(3306).describe("Port of the server."),
    user: name
      .default("root")
      .describe(
        "User to log in as. It needs no right for the most; `replication client` (MariaDB: `slave monitor`) for the state of a replica, and `select` on what shall be measured.",
      ),
    ...password,
    ...tls,
  }),
);

async function collectServer(session: Session): Promise<Collected<Metric>> {
  const status = await readStatus(session);
  try {
    return { samples: [...status, ...(await readReplication(session))] };
  } catch (error) {
    if (!isServerError(error)) throw error;
    return {
      samples: status,
      rejected: [{ reason: "part_failed", detail: `replication: ${error.message}`.slice(0, 300) }],
    };
  }
}

/** Connections, statements, InnoDB, replication and size of a MySQL or MariaDB server. */
export const mysqlMonitor = definePlugin({
  id: "mysql_monitor",
  title: "MySQL",
  summary: "Connections, statements, InnoDB, replication and size of a MySQL or MariaDB server.",
  category: "database",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  derive: (samples) =>
    ratioOf(samples, "mysql_connections_used_ratio", "mysql_threads_connected", "mysql_max_connections"),
  jobs: {
    server: {
      summary: "Reads the server's status and the state of replication.",
      every: seconds(60),
      async collect({ config }, { signal }) {
        return withSession(config, signal, collectServer);
      },
    },
    sizes: {
      summary: "Measures every database.",
      every: minutes(15),
      async collect({ config }, { signal }) {
        return withSession(config, signal, async (session) => ({ samples: await readSizes(session) }));
      },
    },
  },
});
