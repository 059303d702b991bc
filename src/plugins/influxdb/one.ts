import type { Sample } from "../../model/sample.ts";
import { fieldAt, isRecord, type Mapping, numberOf, sample, samplesOf } from "../client/mapping.ts";
import { MAX_DATABASES, type Metric } from "./metrics.ts";

const HTTPD: readonly Mapping<Metric>[] = [
  { from: "req", to: "influxdb_requests_total" },
  { from: "clientError", to: "influxdb_client_errors_total" },
  { from: "serverError", to: "influxdb_server_errors_total" },
  { from: "writeReq", to: "influxdb_write_requests_total" },
  { from: "writeReqDurationNs", to: "influxdb_write_seconds_total", scale: 1e-9 },
  { from: "queryReq", to: "influxdb_query_requests_total" },
  { from: "queryReqDurationNs", to: "influxdb_query_seconds_total", scale: 1e-9 },
  { from: "pointsWrittenOK", to: "influxdb_points_written_total" },
  { from: "pointsWrittenDropped", to: "influxdb_points_dropped_total" },
  { from: "pointsWrittenFail", to: "influxdb_points_failed_total" },
  { from: "authFail", to: "influxdb_authentication_failures_total" },
];
const WHOLE: readonly Mapping<Metric>[] = [
  { from: "system.uptime", to: "influxdb_uptime_seconds" },
  { from: "queryExecutor.values.queriesActive", to: "influxdb_queries_active" },
  { from: "runtime.values.Sys", to: "influxdb_memory_bytes" },
];
const DATABASE: readonly Mapping<Metric>[] = [
  { from: "numSeries", to: "influxdb_series" },
  { from: "numMeasurements", to: "influxdb_measurements" },
];

interface Part {
  readonly name: unknown;
  readonly database: string | undefined;
  readonly values: unknown;
}

/** `/debug/vars` of InfluxDB 1.x: an object of parts, each with name, tags and values. */
export function readVars(body: unknown): Sample<Metric>[] {
  const parts = Object.values(isRecord(body) ? body : {}).flatMap((part): Part[] => {
    if (!isRecord(part)) return [];
    const database = fieldAt(part, "tags.database");
    return [
      { name: part["name"], database: typeof database === "string" ? database : undefined, values: part["values"] },
    ];
  });
  const databases = parts.filter(({ name }) => name === "database");
  const httpd = parts.find(({ name }) => name === "httpd");
  return [
    ...samplesOf(body, WHOLE),
    ...samplesOf(httpd?.values, HTTPD),
    sample("influxdb_databases", databases.length),
    ...databases
      .slice(0, MAX_DATABASES)
      .flatMap(({ database = "", values }) => [
        ...samplesOf(values, DATABASE, { database: database.slice(0, 128) }),
        sample("influxdb_disk_bytes", diskBytes(parts, database), { database: database.slice(0, 128) }),
      ]),
  ];
}

/** What the shards of a database take together; their own labels would grow with time. */
function diskBytes(parts: readonly Part[], database: string): number {
  return parts
    .filter((part) => part.name === "shard" && part.database === database)
    .reduce((sum, { values }) => sum + (numberOf(fieldAt(values, "diskBytes")) ?? 0), 0);
}
