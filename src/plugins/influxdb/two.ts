import type { Sample } from "../../model/sample.ts";
import { sample } from "../client/mapping.ts";
import { type Parsed, parseExposition } from "../prometheus/parse.ts";
import { MAX_DATABASES, type Metric } from "./metrics.ts";

type Which = (labels: Readonly<Record<string, string>>) => boolean;

/** A metric that is the sum of series of one name. */
interface Sum {
  readonly from: string;
  readonly to: Metric;
  readonly which?: Which;
}

const isWrite: Which = ({ path }) => path === "/api/v2/write" || path === "/write";
const isQuery: Which = ({ path }) => path === "/api/v2/query" || path === "/query";
const REQUESTS = "http_api_requests_total";
const DURATION = "http_api_request_duration_seconds_sum";

const SUMS: readonly Sum[] = [
  { from: "influxdb_uptime_seconds", to: "influxdb_uptime_seconds" },
  { from: "influxdb_buckets_total", to: "influxdb_databases" },
  { from: REQUESTS, to: "influxdb_requests_total" },
  { from: REQUESTS, to: "influxdb_client_errors_total", which: ({ status }) => status === "4XX" },
  { from: REQUESTS, to: "influxdb_server_errors_total", which: ({ status }) => status === "5XX" },
  { from: REQUESTS, to: "influxdb_write_requests_total", which: isWrite },
  { from: DURATION, to: "influxdb_write_seconds_total", which: isWrite },
  { from: REQUESTS, to: "influxdb_query_requests_total", which: isQuery },
  { from: DURATION, to: "influxdb_query_seconds_total", which: isQuery },
  { from: "qc_all_active", to: "influxdb_queries_active" },
  { from: "storage_writer_ok_points_sum", to: "influxdb_points_written_total" },
  { from: "storage_writer_dropped_points_sum", to: "influxdb_points_dropped_total" },
  { from: "storage_writer_err_points_sum", to: "influxdb_points_failed_total" },
  { from: "go_memstats_sys_bytes", to: "influxdb_memory_bytes" },
];

/** Metrics of buckets: the sum over a bucket's shards, whose own labels would grow with time. */
const OF_BUCKETS: readonly Sum[] = [
  { from: "storage_bucket_series_num", to: "influxdb_series" },
  { from: "storage_bucket_measurement_num", to: "influxdb_measurements" },
  { from: "storage_shard_disk_size", to: "influxdb_disk_bytes" },
];

const total = (samples: readonly Parsed[]) => samples.reduce((sum, { value }) => sum + value, 0);

/** `/metrics` of InfluxDB 2.x. What it has not is 0 where the series it would be summed from exist at all. */
export async function readExposition(text: string): Promise<Sample<Metric>[]> {
  const { samples } = await parseExposition(text, "text");
  const byName = Map.groupBy(
    samples.filter(({ value }) => Number.isFinite(value)),
    ({ name }) => name,
  );
  const sums = SUMS.flatMap(({ from, to, which = () => true }) => {
    const found = byName.get(from);
    return found ? [sample(to, total(found.filter(({ labels }) => which(labels))))] : [];
  });
  const ofBuckets = OF_BUCKETS.flatMap(({ from, to }) => {
    const buckets = Map.groupBy(byName.get(from) ?? [], ({ labels }) => (labels["bucket"] ?? "").slice(0, 128));
    return [...buckets].slice(0, MAX_DATABASES).map(([database, found]) => sample(to, total(found), { database }));
  });
  return [...sums, ...ofBuckets];
}
