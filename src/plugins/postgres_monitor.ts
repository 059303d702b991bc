import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { Collected, Rejection, Sample } from "../model/sample.ts";
import { host, name, onePassword, password, port, tls } from "./client/fields.ts";
import { METRICS, type Metric } from "./postgres/metrics.ts";
import { failedPart, PARTS } from "./postgres/parts.ts";
import { type Ask, withSession } from "./postgres/session.ts";

const config = onePassword(
  z.strictObject({
    host: host.default("localhost").describe("Host of the server, or the folder of its unix socket."),
    port: port.default(5432).describe("Port of the server; part of the name of its unix socket, too."),
    user: name.default("postgres").describe("Role to log in as; `pg_monitor` is all that it needs to be granted."),
    ...password,
    database: name.default("postgres").describe("Database to log in to; all of the server's are reported."),
    ...tls,
  }),
);

const VERSION = "select to_jsonb(current_setting('server_version_num')::int) as data";

/** Asks for every part that this version has. A failed part is left out, unless none is left. */
async function collectParts(ask: Ask): Promise<Collected<Metric>> {
  const version = Number(await ask(VERSION));
  const samples: Sample<Metric>[] = [];
  const rejected: Rejection[] = [];
  for (const part of PARTS) {
    if (version < (part.from ?? 0) || version >= (part.below ?? Number.POSITIVE_INFINITY)) continue;
    try {
      samples.push(...part.read(await ask(part.sql)));
    } catch (error) {
      // Only what the server said about this query; a broken connection ends the run.
      if (!(error instanceof Error && "severity" in error)) throw error;
      rejected.push(failedPart(part, error));
    }
  }
  if (samples.length === 0) throw new CollectError("bad_data", `no query succeeded; ${rejected[0]?.detail}`);
  return { samples, rejected };
}

/** Connections, transactions, cache, locks, size and replication of a PostgreSQL server. */
export const postgresMonitor = definePlugin({
  id: "postgres_monitor",
  title: "PostgreSQL",
  summary: "Connections, transactions, cache, locks, size and replication of a PostgreSQL server, version 10 or later.",
  category: "database",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    server: {
      summary: "Reads the statistics views of the server.",
      every: seconds(60),
      async collect({ config }, { signal }) {
        return withSession(config, signal, collectParts);
      },
    },
  },
});
