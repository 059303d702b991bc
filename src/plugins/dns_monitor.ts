import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin, type Target } from "../model/plugin.ts";
import { NothingHere } from "../model/run.ts";
import { connectionError } from "./client/errors.ts";
import { host, name, onePassword, password, port, tls } from "./client/fields.ts";
import { readConfigured } from "./client/files.ts";
import { readPassword } from "./client/secrets.ts";
import { readAdguard } from "./dns/adguard.ts";
import type { Api } from "./dns/api.ts";
import { MAX_QUERIES, METRICS, type Samples } from "./dns/metrics.ts";
import { leavePihole, readPihole, readPiholeV5, sessionIn } from "./dns/pihole.ts";
import { askQuery, RECORDS } from "./dns/query.ts";
import { readUnbound } from "./dns/unbound.ts";

const domain = z
  .string()
  .max(253)
  .regex(/^(?:[A-Za-z0-9_*-]{1,63}\.)*[A-Za-z0-9_*-]{1,63}\.?$/, { error: "expected a domain name" });

const query = z.strictObject({
  name: domain.describe("Name to ask for; the label `query`."),
  record: z.enum(RECORDS).default("A").describe("Type of record to ask for."),
  expect: z
    .array(z.string().min(1).max(4096))
    .max(20)
    .default([])
    .describe("Addresses, names or texts of which each must be among the answers; any answer does where it is empty."),
});

const config = onePassword(
  z.strictObject({
    server: host
      .optional()
      .describe("DNS server to ask `queries`; none are asked without it.")
      .meta({ alternative: "192.168.1.1" }),
    port: port.optional().describe("Its port; 53, and 853 with `transport: tls`, unless given."),
    transport: z
      .enum(["udp", "tcp", "tls"])
      .default("udp")
      .describe("How it is asked; udp turns to TCP for answers that do not fit a datagram."),
    queries: z
      .array(query)
      .min(1)
      .max(MAX_QUERIES)
      .refine((all) => new Set(all.map(({ name, record }) => `${record} ${name}`)).size === all.length, {
        error: "the same name and record are asked for twice",
      })
      .default([{ name: "example.com", record: "A", expect: [] }])
      .describe("What it is asked."),
    query_timeout_seconds: z.number().min(0.05).max(30).default(3).describe("How long one query may take."),
    software: z
      .enum(["none", "pihole", "pihole5", "adguard", "unbound"])
      .default("none")
      .describe("What the server is, for its statistics: Pi-hole 6, Pi-hole 5, AdGuard Home or unbound."),
    api_url: z
      .url({ protocol: /^https?$/, error: "expected an http or https URL such as http://pi.hole" })
      .refine((url) => !/[@?#]/.test(url), { error: "expected a URL without user, password, query and fragment" })
      .optional()
      .describe("Base URL of the API of Pi-hole or AdGuard Home.")
      .meta({ alternative: "http://pi.hole" }),
    user: name.optional().describe("User of AdGuard Home."),
    ...password,
    tls_ca_file: tls.tls_ca_file,
    control: host
      .default("/run/unbound.ctl")
      .describe("unbound's control channel: its unix socket, or a host where `control-use-cert: no` is set."),
    control_port: port.default(8953).describe("Port of the control channel, where it is no socket."),
  }),
).refine(({ software, api_url }) => api_url !== undefined || ["none", "unbound"].includes(software), {
  error: "this software is read over its API: api_url is needed",
  path: ["api_url"],
});
type Config = z.output<typeof config>;

async function apiOf({ api_url = "", user, tls_ca_file, ...config }: Config): Promise<Api> {
  const tls = tls_ca_file === undefined ? {} : { tls: { ca: await readConfigured(tls_ca_file, "tls_ca_file") } };
  return { url: new URL(api_url), user, password: await readPassword(config), ...tls };
}

async function readSoftware(config: Config, state: Map<string, unknown>, signal: AbortSignal): Promise<Samples> {
  if (config.software === "unbound") {
    const place = { host: config.control, port: config.control_port };
    return readUnbound(place, signal).catch((error) => {
      throw connectionError(error, `unbound's control channel at ${config.control}`);
    });
  }
  const api = await apiOf(config);
  if (config.software === "adguard") return readAdguard(api, signal);
  if (config.software === "pihole5") return readPiholeV5(api, signal);
  const samples = await readPihole(api, state, signal);
  state.set("leave", (end: AbortSignal) => leavePihole(api, sessionIn(state), end));
  return samples;
}

/** Whether a DNS server answers as it should, and the statistics of Pi-hole, AdGuard Home and unbound. */
export const dnsMonitor = definePlugin({
  id: "dns_monitor",
  title: "DNS",
  summary:
    "Whether a DNS server answers as it should, how fast, and the statistics of Pi-hole, AdGuard Home and unbound.",
  category: "network",
  version: "1.0.0",
  tags: ["dns", "pi-hole", "adguard", "unbound", "blocking"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    queries: {
      summary: "Asks the server the configured queries.",
      every: seconds(60),
      async collect({ config }: Target<Config>, { signal }) {
        signal.throwIfAborted();
        const { server, transport, tls_ca_file, port = transport === "tls" ? 853 : 53 } = config;
        if (server === undefined) throw new NothingHere("no server is configured to ask");
        const how = {
          place: { host: server, port },
          transport,
          tls_ca_file,
          timeoutMs: config.query_timeout_seconds * 1000,
        };
        const answers = await Promise.all(config.queries.map((query) => askQuery(query, how, signal)));
        return { samples: answers.flat() };
      },
    },
    server: {
      summary: "Reads the statistics of the server's software.",
      every: seconds(60),
      async collect({ config }: Target<Config>, { signal, state }) {
        signal.throwIfAborted();
        if (config.software === "none") throw new NothingHere("no software is configured to read statistics of");
        return { samples: await readSoftware(config, state, signal) };
      },
    },
  },
  async close(state) {
    const leave = state.get("leave") as ((signal: AbortSignal) => Promise<void>) | undefined;
    // A server that is gone has no seats either.
    await leave?.(AbortSignal.timeout(1_000)).catch(() => undefined);
  },
});
