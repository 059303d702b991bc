import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import type { MetricSpec } from "../model/sample.ts";
import { addressOf } from "./client/errors.ts";
import { host, port } from "./client/fields.ts";
import { PORT_DOWN } from "./port/alerts.ts";
import { knock, REASONS } from "./port/knock.ts";
import { pattern } from "./web/expectations.ts";
import { harvestEach, maybe, oneHot, tellChange } from "./web/harvest.ts";

/** Ports of one target; all are tried at once. */
const MAX_PORTS = 200;
const each = { labels: ["endpoint"], maxSeries: MAX_PORTS } as const;

const METRICS = {
  port_up: { ...each, help: "Whether the port is open and answers as expected.", alert: PORT_DOWN },
  port_failure: {
    help: "1 when this is why the port is not up, 0 otherwise.",
    labels: ["endpoint", "reason"],
    maxSeries: MAX_PORTS * REASONS.length,
  },
  port_connect_seconds: { ...each, help: "How long it took to connect, of TCP.", unit: "seconds" },
  port_answer_seconds: {
    ...each,
    help: "How long the answer took once the connection stood; absent when none is expected.",
    unit: "seconds",
  },
} as const satisfies Record<string, MetricSpec>;

const entry = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("What it is called in labels; protocol, host and port when absent."),
    host: host.describe("Host that is tried.").meta({ example: "192.0.2.50" }),
    port: port.describe("Port that is tried.").meta({ example: 22 }),
    protocol: z
      .enum(["tcp", "udp"])
      .default("tcp")
      .describe("udp needs `send`, and is up when it answers: one that stays silent is like one that is closed."),
    tls: z
      .boolean()
      .default(false)
      .describe("Whether it speaks TLS from the first byte; its certificate is not judged."),
    send: z.string().max(4_096).optional().describe("What is sent first.").meta({ alternative: "PING\r\n" }),
    expect: pattern()
      .optional()
      .describe("Regular expression that must be found in the first 4 KiB it says; any answer will do when absent."),
    timeout_seconds: z.number().min(0.05).max(55).default(5).describe("Longest that it may take."),
  })
  .refine(({ protocol, send }) => protocol === "tcp" || send !== undefined, { error: "expected `send` with udp" })
  .refine(({ protocol, tls }) => protocol === "tcp" || !tls, { error: "expected tcp with `tls`" });
type Entry = z.output<typeof entry>;

const nameOf = ({ name, protocol, host, port }: Entry) => name ?? `${protocol}://${addressOf(host, port)}`;

const config = z.strictObject({
  ports: z
    .array(entry)
    .min(1)
    .max(MAX_PORTS)
    .refine((list) => new Set(list.map(nameOf)).size === list.length, { error: "expected each port once, by its name" })
    .describe("What is tried, all at the same time.")
    .meta({ example: [{ host: "127.0.0.1", port: 22 }] }),
});

/** TCP and UDP ports: whether something listens, and answers as it should. */
export const portMonitor = definePlugin({
  id: "port_monitor",
  title: "Ports",
  summary: "Whether TCP and UDP ports are open and answer as expected, and how fast.",
  category: "network",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    ports: {
      summary: "Tries every port, all at the same time. One that is closed is news and no failure of the run.",
      every: seconds(60),
      timeout: seconds(60),
      async collect({ config }, context) {
        const { signal } = context;
        signal.throwIfAborted();
        return harvestEach(config.ports, nameOf, signal, async (entry) => {
          const found = await knock({ ...entry, timeoutMs: entry.timeout_seconds * 1000 }, signal);
          const labels = { endpoint: nameOf(entry) };
          tellChange(context, labels.endpoint, found.failure);
          return [
            ...maybe("port_up", found.failure === undefined, labels),
            ...oneHot("port_failure", "reason", REASONS, found.failure?.reason, labels),
            ...maybe("port_connect_seconds", found.connectSeconds, labels),
            ...maybe("port_answer_seconds", found.answerSeconds, labels),
          ];
        });
      },
    },
  },
});
