import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { type Context, definePlugin } from "../model/plugin.ts";
import { host, name, onePassword, password, port, tls } from "./client/fields.ts";
import { sample } from "./client/mapping.ts";
import { createStatistics, type Statistics, SYS_FILTER } from "./mqtt/broker.ts";
import { METRICS } from "./mqtt/metrics.ts";
import { openSession, type Session } from "./mqtt/session.ts";
import { createTopics, type Topics } from "./mqtt/topics.ts";

/** MQTT 3.1.1, section 4.7.1: `+` stands alone in its level, `#` does so at the end. */
const FILTER = /^(?:(?:[^+#\0/]*|\+)\/)*(?:[^+#\0/]*|\+|#)$/;

const watched = z.strictObject({
  topic: z
    .string()
    .min(1)
    .max(500)
    .regex(FILTER, { error: "expected a topic; `+` stands for one level, `#` at the end for all that follow" })
    .describe("The topic; `+` stands for one level, `#` at the end for all that follow."),
  field: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("Where in a JSON payload the value is: `temperature`, `battery.level`.")
    .meta({ unset: "the payload is the value", alternative: "battery.level" }),
});

const config = onePassword(
  z.strictObject({
    host: host.default("localhost").describe("Host of the broker."),
    port: port.default(1883).describe("Port of the broker; 8883 is usual with TLS."),
    user: name.optional().describe("User to log in as.").meta({ unset: "nobody", alternative: "gleaner" }),
    ...password,
    client_id: name
      .optional()
      .describe("Client id, where the broker only knows certain ones.")
      .meta({ unset: "a new one for each connection", alternative: "gleaner-1" }),
    ...tls,
    broker_statistics: z.boolean().default(true).describe("Whether to read what the broker tells below `$SYS/broker`."),
    topics: z
      .array(watched)
      .max(50)
      .default([])
      .describe("Topics whose values are watched: numbers, on and off, true and false, or fields in JSON.")
      .meta({ example: [{ topic: "zigbee2mqtt/+", field: "temperature" }] }),
  }),
).refine(({ user, password, password_file }) => user !== undefined || (password ?? password_file) === undefined, {
  error: "a password goes with a user",
  path: ["user"],
});
type Config = z.output<typeof config>;

/** What is kept between runs: the connection, and what came over it and those before it. */
interface Memory {
  session: Session | undefined;
  readonly statistics: Statistics;
  readonly topics: Topics;
}

function memoryOf({ topics }: Config, { state, now }: Context): Memory {
  const known = state.get("mqtt") as Memory | undefined;
  if (known) return known;
  const fresh: Memory = { session: undefined, statistics: createStatistics(), topics: createTopics(topics, now) };
  state.set("mqtt", fresh);
  return fresh;
}

/** The open connection, or a new one. */
async function sessionOf(config: Config, memory: Memory, signal: AbortSignal): Promise<Session> {
  if (memory.session?.isOpen()) return memory.session;
  memory.session?.close();
  memory.session = undefined;
  const filters = [...(config.broker_statistics ? [SYS_FILTER] : []), ...config.topics.map(({ topic }) => topic)];
  const onMessage = (topic: string, payload: Buffer, retained: boolean) => {
    memory.statistics.take(topic, payload);
    memory.topics.take(topic, payload, retained);
  };
  memory.session = await openSession(config, [...new Set(filters)], onMessage, signal);
  return memory.session;
}

/** Clients, messages and memory of an MQTT broker, and values of topics; the connection stays open between runs. */
export const mqttMonitor = definePlugin({
  id: "mqtt_monitor",
  title: "MQTT",
  summary: "Clients, messages and memory of an MQTT broker, and the values of topics.",
  category: "iot",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    broker: {
      summary: "Asks the broker for a sign of life, and reports what came since the last time.",
      every: seconds(30),
      async collect({ config }, context) {
        const memory = memoryOf(config, context);
        const session = await sessionOf(config, memory, context.signal);
        const roundTrip = await session.ping(context.signal);
        return {
          samples: [
            sample("mqtt_connect_seconds", session.connectSeconds),
            sample("mqtt_round_trip_seconds", roundTrip),
            ...memory.statistics.samples(),
            ...memory.topics.samples(),
          ],
          rejected: [
            ...session.refused.map((filter) => ({ reason: "subscription_refused", detail: filter.slice(0, 200) })),
            ...memory.topics.rejected(),
          ],
        };
      },
    },
  },
  close(state) {
    (state.get("mqtt") as Memory | undefined)?.session?.close();
    state.delete("mqtt");
  },
});
