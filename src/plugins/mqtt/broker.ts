import type { Sample } from "../../model/sample.ts";
import { sample } from "../client/mapping.ts";
import type { Metric } from "./metrics.ts";

/** Below this brokers tell about themselves. */
const PREFIX = "$SYS/broker/";
export const SYS_FILTER = `${PREFIX}#`;

/** Topics below `$SYS/broker/` (mosquitto(8), "Broker status"); other brokers take over some of the names. */
const TOPICS: ReadonlyMap<string, Metric> = new Map([
  ["uptime", "mqtt_uptime_seconds"],
  ["clients/connected", "mqtt_clients_connected"],
  ["clients/disconnected", "mqtt_clients_disconnected"],
  ["clients/maximum", "mqtt_clients_maximum"],
  ["clients/expired", "mqtt_clients_expired_total"],
  ["subscriptions/count", "mqtt_subscriptions"],
  ["retained messages/count", "mqtt_retained_messages"],
  ["store/messages/count", "mqtt_stored_messages"],
  ["store/messages/bytes", "mqtt_stored_bytes"],
  ["messages/received", "mqtt_messages_received_total"],
  ["messages/sent", "mqtt_messages_sent_total"],
  ["publish/messages/received", "mqtt_publish_received_total"],
  ["publish/messages/sent", "mqtt_publish_sent_total"],
  ["publish/messages/dropped", "mqtt_publish_dropped_total"],
  ["bytes/received", "mqtt_receive_bytes_total"],
  ["bytes/sent", "mqtt_transmit_bytes_total"],
  ["heap/current", "mqtt_heap_bytes"],
]);

/** The broker's statistics as it sends them: a topic for each. */
export interface Statistics {
  take(topic: string, payload: Buffer): void;
  samples(): Sample<Metric>[];
}

export function createStatistics(): Statistics {
  const values = new Map<Metric, number>();
  let version: string | undefined;
  return {
    take(topic, payload) {
      if (!topic.startsWith(PREFIX)) return;
      const name = topic.slice(PREFIX.length);
      const text = payload.toString("utf8", 0, 100);
      if (name === "version") version = text;
      const metric = TOPICS.get(name);
      // `123 seconds` is how mosquitto tells its uptime.
      const number = /^(\d{1,18}(?:\.\d{1,9})?)(?: seconds)?$/.exec(text)?.[1];
      if (metric && number !== undefined) values.set(metric, Number(number));
    },
    samples: () => [
      ...(version === undefined ? [] : [sample("mqtt_info" as const, 1, { version })]),
      ...[...values].map(([metric, value]) => sample(metric, value)),
    ],
  };
}
