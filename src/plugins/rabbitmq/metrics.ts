import type { MetricSpec } from "../../model/sample.ts";
import { ALARM, NODE_DOWN, PARTITIONED } from "./alerts.ts";

const counter = { type: "counter" } as const;
const node = { labels: ["node"], maxSeries: 32 } as const;
const bytes = { unit: "bytes" } as const;

/** Queues that have series of their own at most. */
export const MAX_QUEUES = 200;

/** What rabbitmq_monitor brings back. */
export const METRICS = {
  rabbitmq_info: {
    help: "Version and name of the cluster.",
    unit: "info",
    labels: ["version", "name"],
    maxSeries: 1,
  },
  rabbitmq_connections: { help: "Connections of clients." },
  rabbitmq_channels: { help: "Channels of clients." },
  rabbitmq_exchanges: { help: "Exchanges." },
  rabbitmq_queues: { help: "Queues." },
  rabbitmq_consumers: { help: "Consumers of all queues." },
  rabbitmq_messages: { help: "Messages in all queues, by state.", labels: ["state"] },
  rabbitmq_published_total: { ...counter, help: "Messages published." },
  rabbitmq_confirmed_total: { ...counter, help: "Messages confirmed to their publishers." },
  rabbitmq_delivered_total: { ...counter, help: "Messages handed to consumers, by delivery or on request." },
  rabbitmq_acknowledged_total: { ...counter, help: "Messages that consumers acknowledged." },
  rabbitmq_redelivered_total: { ...counter, help: "Messages handed out once more." },
  rabbitmq_unroutable_total: { ...counter, help: "Messages that no queue wanted, returned or dropped." },
  rabbitmq_connections_opened_total: { ...counter, help: "Connections opened." },
  rabbitmq_connections_closed_total: { ...counter, help: "Connections closed." },
  rabbitmq_queue_messages: {
    help: "Messages in each queue, by state.",
    labels: ["vhost", "queue", "state"],
    maxSeries: 2 * MAX_QUEUES,
  },
  rabbitmq_queue_consumers: { help: "Consumers of each queue.", labels: ["vhost", "queue"], maxSeries: MAX_QUEUES },
  rabbitmq_node_up: { ...node, help: "Whether the node of the cluster runs.", alert: NODE_DOWN },
  rabbitmq_alarm: {
    help: "Whether the node is short of memory or disk, and publishers are blocked.",
    labels: ["node", "resource"],
    maxSeries: 64,
    alert: ALARM,
  },
  rabbitmq_partitions: { ...node, help: "Nodes that this one has been separated from.", alert: PARTITIONED },
  rabbitmq_node_uptime_seconds: { ...node, help: "Time since the node started.", unit: "seconds" },
  rabbitmq_memory_bytes: { ...node, ...bytes, help: "Memory that the node uses." },
  rabbitmq_memory_limit_bytes: { ...node, ...bytes, help: "Memory at which the node blocks publishers." },
  rabbitmq_disk_free_bytes: { ...node, ...bytes, help: "Free space of the node's disk." },
  rabbitmq_disk_free_limit_bytes: { ...node, ...bytes, help: "Free space below which the node blocks publishers." },
  rabbitmq_file_descriptors: { ...node, help: "File descriptors in use." },
  rabbitmq_file_descriptors_max: { ...node, help: "File descriptors that the node may use." },
  rabbitmq_sockets: { ...node, help: "Sockets in use, where the version tells." },
  rabbitmq_erlang_processes: { ...node, help: "Erlang processes in use." },
  rabbitmq_erlang_processes_max: { ...node, help: "Erlang processes that the node may have." },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
