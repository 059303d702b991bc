import type { Rejection, Sample } from "../../model/sample.ts";
import { fieldAt, numberOf, sample } from "../client/mapping.ts";
import { MAX_TOPICS, type Metric } from "./metrics.ts";

/** What is watched: a topic or a filter with wildcards, and where in a JSON payload the value is. */
export interface Watched {
  readonly topic: string;
  readonly field?: string | undefined;
}

/** What is known of one topic. */
interface Known {
  readonly values: Map<string, number>;
  messages: number;
  /** Of the last message that was not retained; when a retained one was sent nobody tells. */
  at: Date | undefined;
  unreadable: boolean;
}

/** Values of watched topics since the target was configured, also across connections. */
export interface Topics {
  take(topic: string, payload: Buffer, retained: boolean): void;
  samples(): Sample<Metric>[];
  rejected(): Rejection[];
}

const MAX_PAYLOAD = 64 * 1024;

const WORDS: ReadonlyMap<string, number> = new Map([
  ...["on", "true", "online", "open", "yes", "up"].map((word): [string, number] => [word, 1]),
  ...["off", "false", "offline", "closed", "no", "down"].map((word): [string, number] => [word, 0]),
]);

/** Whether a filter covers a topic (MQTT 3.1.1, section 4.7): `+` is one level, `#` all that follow. */
export function covers(filter: string, topic: string): boolean {
  const levels = topic.split("/");
  const wanted = filter.split("/");
  if (/^[+#]/.test(filter) && topic.startsWith("$")) return false;
  const open = wanted.indexOf("#");
  if (open === -1 ? levels.length !== wanted.length : levels.length < open) return false;
  return wanted.every((level, index) => level === "#" || level === "+" || level === levels[index]);
}

/** A payload, or a field of it, as a number; undefined when it is none. */
export function readValue(payload: Buffer, field: string | undefined): number | undefined {
  if (payload.length > MAX_PAYLOAD) return undefined;
  const text = payload.toString("utf8");
  const value = field === undefined ? text : fieldAt(parsed(text), field);
  if (typeof value === "boolean") return value ? 1 : 0;
  return numberOf(value) ?? (typeof value === "string" ? WORDS.get(value.trim().toLowerCase()) : undefined);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function createTopics(watched: readonly Watched[], now: () => Date): Topics {
  const known = new Map<string, Known>();
  const leftOut = new Set<string>();

  function find(topic: string): Known | undefined {
    const found = known.get(topic);
    if (found) return found;
    if (known.size >= MAX_TOPICS) {
      if (leftOut.size < MAX_TOPICS) leftOut.add(topic);
      return undefined;
    }
    const fresh: Known = { values: new Map(), messages: 0, at: undefined, unreadable: false };
    known.set(topic, fresh);
    return fresh;
  }

  return {
    take(topic, payload, retained) {
      const matching = watched.filter((one) => covers(one.topic, topic));
      const entry = matching.length > 0 ? find(topic) : undefined;
      if (!entry) return;
      if (!retained) {
        entry.messages++;
        entry.at = now();
      }
      const read = matching.map(({ field }) => ({ field: field ?? "", value: readValue(payload, field) }));
      entry.unreadable = read.some(({ value }) => value === undefined);
      for (const { field, value } of read) if (value !== undefined) entry.values.set(field, value);
    },
    samples: () =>
      [...known].flatMap(([topic, { values, messages, at }]) => [
        ...[...values].map(([field, value]) => sample("mqtt_topic_value" as const, value, { topic, field })),
        sample("mqtt_topic_messages_total", messages, { topic }),
        ...(at ? [sample("mqtt_topic_last_message_timestamp_seconds" as const, at.getTime() / 1000, { topic })] : []),
      ]),
    rejected: () => [
      ...[...known]
        .filter(([, { unreadable }]) => unreadable)
        .map(([topic]) => ({ reason: "not_a_number", detail: `the last message of ${topic.slice(0, 200)}` })),
      ...(leftOut.size > 0
        ? [{ reason: "too_many_topics", detail: `more than ${MAX_TOPICS}`, count: leftOut.size }]
        : []),
    ],
  };
}
