import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import { type Api, openApi } from "./client/api.ts";
import { parseJson } from "./client/json.ts";
import { fieldAt, sample } from "./client/mapping.ts";
import { METRICS, type Metric } from "./influxdb/metrics.ts";
import { readVars } from "./influxdb/one.ts";
import { readExposition } from "./influxdb/two.ts";
import { checkCredentials, credentialFields, webUrl } from "./web/fields.ts";

/** Asks for a sign of life, which tells the version, too: `1.6.7~rc0`, `v2.7.11`. */
async function ping(api: Api): Promise<{ readonly version: string; readonly took: number }> {
  const begun = performance.now();
  const { headers } = await api.get("/ping", [200, 204]);
  const took = (performance.now() - begun) / 1000;
  const version = headers["x-influxdb-version"];
  if (version === undefined) throw new CollectError("bad_data", "GET /ping: what answers there is no InfluxDB");
  return { version: version.slice(0, 80), took };
}

/** 2.x says `pass` with 200, or `fail` with 503. */
async function readHealth(api: Api): Promise<Sample<Metric>> {
  const { status, text } = await api.get("/health", [200, 503]);
  const isWell = status === 200 && fieldAt(parseJson(text, "GET /health"), "status") === "pass";
  return sample("influxdb_healthy", isWell ? 1 : 0);
}

/** Writes, queries, databases and memory of an InfluxDB. */
export const influxdbMonitor = definePlugin({
  id: "influxdb_monitor",
  title: "InfluxDB",
  summary: "Writes, queries, databases and memory of an InfluxDB 1.x or 2.x.",
  category: "database",
  version: "1.0.0",
  enabledByDefault: false,
  config: z
    .strictObject({
      url: webUrl().default("http://localhost:8086").describe("Address of the server."),
      ...credentialFields,
    })
    .check(checkCredentials),
  metrics: METRICS,
  jobs: {
    server: {
      summary: "Reads the server's health and its own statistics.",
      every: seconds(60),
      async collect({ config }, context) {
        const api = await openApi(config, context);
        const { version, took } = await ping(api);
        const isOne = /^v?[01]\./.test(version);
        const statistics = isOne
          ? readVars(await api.json("/debug/vars"))
          : [await readHealth(api), ...(await readExposition((await api.get("/metrics")).text))];
        return {
          samples: [sample("influxdb_info", 1, { version }), sample("influxdb_ping_seconds", took), ...statistics],
        };
      },
    },
  },
});
