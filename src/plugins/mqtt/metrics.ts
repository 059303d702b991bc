import type { MetricSpec } from "../../model/sample.ts";

/** Topics that have series of their own. */
export const MAX_TOPICS = 200;

const counter = { type: "counter" } as const;
const topic = { labels: ["topic"], maxSeries: MAX_TOPICS } as const;
const bytes = { unit: "bytes" } as const;

/** What mqtt_monitor brings back. */
export const METRICS = {
  mqtt_connect_seconds: { help: "How long opening the connection took.", unit: "seconds" },
  mqtt_round_trip_seconds: { help: "How long the broker took to answer a ping.", unit: "seconds" },
  mqtt_info: { help: "Version of the broker.", unit: "info", labels: ["version"], maxSeries: 1 },
  mqtt_uptime_seconds: { help: "Time since the broker started.", unit: "seconds" },
  mqtt_clients_connected: { help: "Clients that are connected, gleaner too." },
  mqtt_clients_disconnected: { help: "Clients that are away and have a session that is kept." },
  mqtt_clients_maximum: { help: "Most clients that were connected at once." },
  mqtt_clients_expired_total: { ...counter, help: "Sessions dropped because their client stayed away." },
  mqtt_subscriptions: { help: "Subscriptions." },
  mqtt_retained_messages: { help: "Retained messages, the broker's own statistics too." },
  mqtt_stored_messages: { help: "Messages kept: retained, and waiting for clients that are away." },
  mqtt_stored_bytes: { ...bytes, help: "Payload of the messages that are kept." },
  mqtt_messages_received_total: { ...counter, help: "Packets of any kind received." },
  mqtt_messages_sent_total: { ...counter, help: "Packets of any kind sent." },
  mqtt_publish_received_total: { ...counter, help: "Messages that clients published." },
  mqtt_publish_sent_total: { ...counter, help: "Messages sent to subscribers." },
  mqtt_publish_dropped_total: { ...counter, help: "Messages dropped because a queue was full." },
  mqtt_receive_bytes_total: { ...counter, ...bytes, help: "Bytes received." },
  mqtt_transmit_bytes_total: { ...counter, ...bytes, help: "Bytes sent." },
  mqtt_heap_bytes: { ...bytes, help: "Memory that the broker uses." },
  mqtt_topic_value: {
    help: "Last value of each watched topic, or of a field in its JSON.",
    labels: ["topic", "field"],
    maxSeries: 4 * MAX_TOPICS,
  },
  mqtt_topic_messages_total: { ...counter, ...topic, help: "Messages of each watched topic, retained ones left out." },
  mqtt_topic_last_message_timestamp_seconds: {
    ...topic,
    help: "When the last message of each watched topic came, retained ones left out.",
    unit: "seconds",
  },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
