import type { Sample } from "../../model/sample.ts";
import { fieldAt, isRecord, type Mapping, numberOf, sample, samplesOf, textAt } from "../client/mapping.ts";
import type { Metric } from "./metrics.ts";

type Samples = Sample<Metric>[];

const OVERVIEW: readonly Mapping<Metric>[] = [
  { from: "object_totals.connections", to: "rabbitmq_connections" },
  { from: "object_totals.channels", to: "rabbitmq_channels" },
  { from: "object_totals.exchanges", to: "rabbitmq_exchanges" },
  { from: "object_totals.queues", to: "rabbitmq_queues" },
  { from: "object_totals.consumers", to: "rabbitmq_consumers" },
  { from: "queue_totals.messages_ready", to: "rabbitmq_messages", labels: { state: "ready" } },
  { from: "queue_totals.messages_unacknowledged", to: "rabbitmq_messages", labels: { state: "unacknowledged" } },
  { from: "message_stats.publish", to: "rabbitmq_published_total" },
  { from: "message_stats.confirm", to: "rabbitmq_confirmed_total" },
  { from: "message_stats.deliver_get", to: "rabbitmq_delivered_total" },
  { from: "message_stats.ack", to: "rabbitmq_acknowledged_total" },
  { from: "message_stats.redeliver", to: "rabbitmq_redelivered_total" },
  { from: "churn_rates.connection_created", to: "rabbitmq_connections_opened_total" },
  { from: "churn_rates.connection_closed", to: "rabbitmq_connections_closed_total" },
];

/** `/api/overview`: the whole cluster. Counts of messages are not there until the first message. */
export function readOverview(body: unknown): Samples {
  const lost = ["return_unroutable", "drop_unroutable"].map((field) =>
    numberOf(fieldAt(body, `message_stats.${field}`)),
  );
  return [
    sample("rabbitmq_info", 1, { version: textAt(body, "rabbitmq_version"), name: textAt(body, "cluster_name") }),
    ...samplesOf(body, OVERVIEW),
    ...(lost.some((count) => count !== undefined)
      ? [sample("rabbitmq_unroutable_total" as const, (lost[0] ?? 0) + (lost[1] ?? 0))]
      : []),
  ];
}

const NODE: readonly Mapping<Metric>[] = [
  { from: "uptime", to: "rabbitmq_node_uptime_seconds", scale: 0.001 },
  { from: "mem_used", to: "rabbitmq_memory_bytes" },
  { from: "mem_limit", to: "rabbitmq_memory_limit_bytes" },
  { from: "disk_free", to: "rabbitmq_disk_free_bytes" },
  { from: "disk_free_limit", to: "rabbitmq_disk_free_limit_bytes" },
  { from: "fd_used", to: "rabbitmq_file_descriptors" },
  { from: "fd_total", to: "rabbitmq_file_descriptors_max" },
  { from: "sockets_used", to: "rabbitmq_sockets" },
  { from: "proc_used", to: "rabbitmq_erlang_processes" },
  { from: "proc_total", to: "rabbitmq_erlang_processes_max" },
];

/** `/api/nodes`: each member of the cluster; one that does not run tells nothing but its name. */
export function readNodes(body: unknown): Samples {
  return records(body).flatMap((one) => {
    const node = { node: textAt(one, "name") };
    const isRunning = one["running"] === true;
    if (!isRunning) return [sample("rabbitmq_node_up", 0, node)];
    const alarm = (resource: string, field: string) =>
      sample("rabbitmq_alarm", one[field] === true ? 1 : 0, { ...node, resource });
    return [
      sample("rabbitmq_node_up", 1, node),
      alarm("memory", "mem_alarm"),
      alarm("disk", "disk_free_alarm"),
      sample("rabbitmq_partitions", Array.isArray(one["partitions"]) ? one["partitions"].length : 0, node),
      ...samplesOf(one, NODE, node),
    ];
  });
}

const QUEUE: readonly Mapping<Metric>[] = [
  { from: "messages_ready", to: "rabbitmq_queue_messages", labels: { state: "ready" } },
  { from: "messages_unacknowledged", to: "rabbitmq_queue_messages", labels: { state: "unacknowledged" } },
  { from: "consumers", to: "rabbitmq_queue_consumers" },
];

/** A queue of `/api/queues`. */
export interface Queue {
  readonly name: string;
  readonly samples: Samples;
}

/** `/api/queues` by pages: what is on one, in its order. */
export function readQueues(body: unknown): Queue[] {
  return records(isRecord(body) ? body["items"] : undefined).map((one) => {
    const name = textAt(one, "name", 255);
    return { name, samples: samplesOf(one, QUEUE, { vhost: textAt(one, "vhost", 255), queue: name }) };
  });
}

const records = (body: unknown) => (Array.isArray(body) ? body.filter(isRecord) : []);
