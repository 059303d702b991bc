import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";
import { host, port } from "./client/fields.ts";
import { command } from "./client/program.ts";
import { HOST_DOWN, PACKET_LOSS } from "./ping/alerts.ts";
import { type Echo, echo, REASONS } from "./ping/echo.ts";
import { statisticsOf } from "./ping/parse.ts";
import { harvestEach, maybe, oneHot, tellChange } from "./web/harvest.ts";

const MAX_HOSTS = 100;
/** Processes at the same time. */
const WIDTH = 25;
const each = { labels: ["host"], maxSeries: MAX_HOSTS } as const;

const METRICS = {
  ping_up: { ...each, help: "Whether the host answered at least once.", alert: HOST_DOWN },
  ping_failure: {
    help: "1 when this is why the host is not up, 0 otherwise.",
    labels: ["host", "reason"],
    maxSeries: MAX_HOSTS * REASONS.length,
  },
  ping_loss_ratio: { ...each, help: "Share of the packets that no reply came to.", unit: "ratio", alert: PACKET_LOSS },
  ping_rtt_seconds: {
    help: "Round-trip time over one run: min, mean, max and standard deviation.",
    unit: "seconds",
    labels: ["host", "stat"],
    maxSeries: MAX_HOSTS * 4,
  },
  ping_jitter_seconds: { ...each, help: "Mean difference of one round trip to the next.", unit: "seconds" },
  ping_ttl: { ...each, help: "Time to live of the last reply; it changes when the way does. ICMP only." },
  ping_over_tcp: { ...each, help: "Whether connections were counted, because ICMP is not to be had." },
} as const satisfies Record<string, MetricSpec>;
type Samples = readonly Sample<keyof typeof METRICS>[];

const config = z.strictObject({
  hosts: z
    // A program would take a name that begins with a hyphen for an option.
    .array(host.refine((name) => !name.startsWith("-"), { error: "expected a host name or an address" }))
    .min(1)
    .max(MAX_HOSTS)
    .refine((list) => new Set(list).size === list.length, { error: "expected each host once" })
    .describe("Hosts to ping.")
    .meta({ example: ["192.0.2.1"] }),
  method: z
    .enum(["auto", "icmp", "tcp"])
    .default("auto")
    .describe("auto takes ICMP where `ping` may be run, and otherwise times TCP connections."),
  command: command.default(["ping"]).describe("The program, with arguments before gleaner's own if need be."),
  tcp_port: port.default(443).describe("Port for TCP; it need not be open, for a host that refuses is there."),
  count: z.int().min(1).max(20).default(5).describe("Packets to each host."),
  interval_seconds: z
    .number()
    .min(0.2)
    .max(2)
    .default(0.2)
    .describe("Time between two packets; less than 0.2 is for root alone."),
  timeout_seconds: z.number().min(0.1).max(5).default(2).describe("How long to wait for the last reply."),
});

function samplesOf(host: string, { sent, times, ttl, overTcp, failure }: Echo): Samples {
  const labels = { host };
  const { jitter, ...statistics } = statisticsOf(times) ?? {};
  return [
    ...maybe("ping_up", failure === undefined, labels),
    ...oneHot("ping_failure", "reason", REASONS, failure?.reason, labels),
    ...maybe("ping_loss_ratio", sent === 0 ? undefined : 1 - Math.min(1, times.length / sent), labels),
    ...Object.entries(statistics).flatMap(([stat, value]) => maybe("ping_rtt_seconds", value, { ...labels, stat })),
    ...maybe("ping_jitter_seconds", jitter, labels),
    ...maybe("ping_ttl", ttl, labels),
    ...maybe("ping_over_tcp", overTcp, labels),
  ];
}

/** Hosts by ping: whether they are there, how far, and how much gets lost on the way. */
export const pingMonitor = definePlugin({
  id: "ping_monitor",
  title: "Ping",
  summary: "Whether hosts answer to ping, how long it takes, how steadily, and how much is lost.",
  category: "network",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    hosts: {
      summary: "Pings every host. One that does not answer is news and no failure of the run.",
      every: seconds(60),
      timeout: seconds(60),
      async collect({ config }, context) {
        const { signal } = context;
        signal.throwIfAborted();
        const look = async (host: string) => {
          const { tcp_port: tcpPort, interval_seconds: intervalSeconds, timeout_seconds: timeoutSeconds } = config;
          const answered = await echo({ ...config, host, tcpPort, intervalSeconds, timeoutSeconds }, signal);
          tellChange(context, host, answered.failure);
          return samplesOf(host, answered);
        };
        return harvestEach(config.hosts, (host) => host, signal, look, WIDTH);
      },
    },
  },
});
