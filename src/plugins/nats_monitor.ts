import { z } from "zod";
import type { AlertSpec } from "../model/alert.ts";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";
import { type Api, openApi } from "./client/api.ts";
import { parseJson } from "./client/json.ts";
import { fieldAt, isRecord, type Mapping, numberOf, sample, samplesOf, textAt } from "./client/mapping.ts";
import { checkCredentials, credentialFields, webUrl } from "./web/fields.ts";

const UNHEALTHY: readonly AlertSpec[] = [
  {
    name: "nats_unhealthy",
    op: "lt",
    threshold: 1,
    for: "2m",
    severity: "error",
    summary: "{target} says that it is not healthy.",
    runbook: {
      meaning: "`/healthz` has not answered ok for 2 minutes: connections are not accepted, or JetStream is not ready.",
      impact: "Clients cannot connect, or streams and consumers do not work.",
      check: [
        "`curl http://<server>:8222/healthz`: it says what is wrong.",
        "The server's log; `nats server report jetstream`.",
      ],
      fix: ["Mend what it names: disk, cluster peers, or the JetStream folder; then restart the server."],
    },
  },
];

const STORAGE: readonly AlertSpec[] = [
  {
    name: "nats_jetstream_storage_full",
    op: "gt",
    threshold: 0.85,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{target} uses {value:percent} of JetStream's file storage.",
    runbook: {
      meaning: "Streams on disk take more than 85 % of `max_file_store`.",
      impact: "At the limit publishing to streams fails: `insufficient storage resources available`.",
      check: ["`nats stream report`: which stream grows.", "`df -h` of the JetStream folder."],
      fix: [
        "Give the stream limits (`--max-bytes`, `--max-age`), or purge it.",
        "Raise `max_file_store` where the disk has room.",
      ],
    },
  },
];

const counter = { type: "counter" } as const;
const bytes = { unit: "bytes" } as const;

const METRICS = {
  nats_info: { help: "Version of the server.", unit: "info", labels: ["version"], maxSeries: 1 },
  nats_healthy: { help: "Whether the server says that it is healthy.", alert: UNHEALTHY },
  nats_start_time_seconds: { help: "When the server started.", unit: "seconds" },
  nats_connections: { help: "Connections of clients." },
  nats_connections_opened_total: { ...counter, help: "Connections opened." },
  nats_max_connections: { help: "Connections that the server accepts at most." },
  nats_subscriptions: { help: "Subscriptions." },
  nats_routes: { help: "Routes to other servers of the cluster." },
  nats_leaf_nodes: { help: "Leaf nodes that are connected." },
  nats_messages_in_total: { ...counter, help: "Messages received." },
  nats_messages_out_total: { ...counter, help: "Messages sent." },
  nats_receive_bytes_total: { ...counter, ...bytes, help: "Bytes of the messages received." },
  nats_transmit_bytes_total: { ...counter, ...bytes, help: "Bytes of the messages sent." },
  nats_slow_consumers_total: { ...counter, help: "Clients that were cut off because they did not keep up." },
  nats_memory_bytes: { ...bytes, help: "Memory of the process." },
  nats_cpu_cores: { help: "CPU cores that the server keeps busy." },
  nats_jetstream_memory_bytes: { ...bytes, help: "Memory that streams take." },
  nats_jetstream_memory_limit_bytes: { ...bytes, help: "Memory that streams may take." },
  nats_jetstream_storage_bytes: { ...bytes, help: "Disk space that streams take." },
  nats_jetstream_storage_limit_bytes: { ...bytes, help: "Disk space that streams may take." },
  nats_jetstream_storage_used_ratio: {
    help: "Share of the disk space for streams in use.",
    unit: "ratio",
    alert: STORAGE,
  },
  nats_jetstream_streams: { help: "Streams." },
  nats_jetstream_consumers: { help: "Consumers of streams." },
  nats_jetstream_messages: { help: "Messages kept in streams." },
  nats_jetstream_api_requests_total: { ...counter, help: "Requests to JetStream's API." },
  nats_jetstream_api_errors_total: { ...counter, help: "Requests to JetStream's API that failed." },
} as const satisfies Record<string, MetricSpec>;
type Metric = keyof typeof METRICS;

/** `/varz` (server/monitor.go of nats-server). */
const VARZ: readonly Mapping<Metric>[] = [
  { from: "connections", to: "nats_connections" },
  { from: "total_connections", to: "nats_connections_opened_total" },
  { from: "max_connections", to: "nats_max_connections" },
  { from: "subscriptions", to: "nats_subscriptions" },
  { from: "routes", to: "nats_routes" },
  { from: "leafnodes", to: "nats_leaf_nodes" },
  { from: "in_msgs", to: "nats_messages_in_total" },
  { from: "out_msgs", to: "nats_messages_out_total" },
  { from: "in_bytes", to: "nats_receive_bytes_total" },
  { from: "out_bytes", to: "nats_transmit_bytes_total" },
  { from: "slow_consumers", to: "nats_slow_consumers_total" },
  { from: "mem", to: "nats_memory_bytes" },
  // Per cent of one core.
  { from: "cpu", to: "nats_cpu_cores", scale: 0.01 },
];

/** `/jsz`. */
const JSZ: readonly Mapping<Metric>[] = [
  { from: "memory", to: "nats_jetstream_memory_bytes" },
  { from: "config.max_memory", to: "nats_jetstream_memory_limit_bytes" },
  { from: "storage", to: "nats_jetstream_storage_bytes" },
  { from: "config.max_storage", to: "nats_jetstream_storage_limit_bytes" },
  { from: "streams", to: "nats_jetstream_streams" },
  { from: "consumers", to: "nats_jetstream_consumers" },
  { from: "messages", to: "nats_jetstream_messages" },
  { from: "api.total", to: "nats_jetstream_api_requests_total" },
  { from: "api.errors", to: "nats_jetstream_api_errors_total" },
];

async function readServer(api: Api): Promise<Sample<Metric>[]> {
  const body = await api.json("/varz");
  if (!isRecord(body) || typeof body["server_id"] !== "string")
    throw new CollectError("bad_data", "GET /varz: what answers there is no NATS server");
  const started = Date.parse(textAt(body, "start"));
  return [
    sample("nats_info", 1, { version: textAt(body, "version") }),
    ...(Number.isNaN(started) ? [] : [sample("nats_start_time_seconds" as const, started / 1000)]),
    ...samplesOf(body, VARZ),
  ];
}

async function readHealth(api: Api): Promise<Sample<Metric>[]> {
  // Older than 2.7 there is no such page.
  const { status } = await api.get("/healthz", [200, 404, 500, 503]);
  return status === 404 ? [] : [sample("nats_healthy", status === 200 ? 1 : 0)];
}

async function readJetStream(api: Api): Promise<Sample<Metric>[]> {
  const { status, text } = await api.get("/jsz", [200, 404]);
  const told = status === 200 ? parseJson(text, "GET /jsz") : undefined;
  if (!isRecord(told) || told["disabled"] === true) return [];
  const limit = numberOf(fieldAt(told, "config.max_storage")) ?? 0;
  const used = numberOf(told["storage"]) ?? 0;
  return [
    ...samplesOf(told, JSZ),
    ...(limit >= 1 ? [sample("nats_jetstream_storage_used_ratio" as const, used / limit)] : []),
  ];
}

/** Connections, messages, health and JetStream of a NATS server. */
export const natsMonitor = definePlugin({
  id: "nats_monitor",
  title: "NATS",
  summary: "Connections, messages, health and JetStream of a NATS server, by its monitoring port.",
  category: "application",
  version: "1.0.0",
  enabledByDefault: false,
  config: z
    .strictObject({
      url: webUrl().default("http://localhost:8222").describe("Address of the monitoring port (`http_port`)."),
      ...credentialFields,
    })
    .check(checkCredentials),
  metrics: METRICS,
  jobs: {
    server: {
      summary: "Reads the server's state, its health, and JetStream's.",
      every: seconds(60),
      async collect({ config }, context) {
        const api = await openApi(config, context);
        // One after the other, over one connection.
        const parts = [await readServer(api), await readHealth(api), await readJetStream(api)];
        return { samples: parts.flat() };
      },
    },
  },
});
