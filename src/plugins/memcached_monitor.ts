import { z } from "zod";
import type { AlertSpec } from "../model/alert.ts";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";
import { converse, type Peer } from "./client/conversation.ts";
import { addressOf } from "./client/errors.ts";
import { host, name, password, port, tls, userAndPassword } from "./client/fields.ts";
import { type Mapping, ratioOf, sample, samplesOf } from "./client/mapping.ts";
import { readPassword, tlsOptions } from "./client/secrets.ts";

const counter = { type: "counter" } as const;

const REFUSING: readonly AlertSpec[] = [
  {
    name: "memcached_refuses_clients",
    op: "lt",
    threshold: 1,
    for: "2m",
    severity: "error",
    summary: "{target} accepts no more connections.",
    runbook: {
      meaning: "Clients hold as many connections as `-c` allows, and the server has stopped accepting.",
      impact: "New clients wait or fail, and what they ask for is computed or read from the database instead.",
      check: ["`gleaner_memcached_connections` over the day.", "`ss -tnp | grep :11211` on the clients."],
      fix: ["Let clients share connections.", "Raise `-c`, and the limit of file descriptors with it."],
    },
  },
];

const METRICS = {
  memcached_info: { help: "Version of the server.", unit: "info", labels: ["version"], maxSeries: 1 },
  memcached_uptime_seconds: { help: "Time since the server started.", unit: "seconds" },
  memcached_stored_bytes: { help: "Memory that stored items take.", unit: "bytes" },
  memcached_limit_bytes: { help: "Memory that items may take.", unit: "bytes" },
  memcached_used_ratio: { help: "Share of the memory for items in use; a warm cache is full.", unit: "ratio" },
  memcached_items: { help: "Items stored now." },
  memcached_items_stored_total: { ...counter, help: "Items stored since the start." },
  memcached_connections: { help: "Open connections, gleaner's too." },
  memcached_max_connections: { help: "Connections that the server accepts at most." },
  memcached_connections_opened_total: { ...counter, help: "Connections opened." },
  memcached_connections_rejected_total: { ...counter, help: "Connections refused because there were too many." },
  memcached_accepting_connections: { help: "Whether the server accepts connections.", alert: REFUSING },
  memcached_commands_total: { ...counter, help: "Commands, by kind.", labels: ["command"], maxSeries: 8 },
  memcached_hits_total: {
    ...counter,
    help: "Items that were asked for and found, by command.",
    labels: ["command"],
    maxSeries: 8,
  },
  memcached_misses_total: {
    ...counter,
    help: "Items that were asked for and not found, by command.",
    labels: ["command"],
    maxSeries: 8,
  },
  memcached_evictions_total: { ...counter, help: "Items dropped before they expired, to make room." },
  memcached_reclaimed_total: { ...counter, help: "Items stored in the place of expired ones." },
  memcached_expired_unfetched_total: { ...counter, help: "Items that expired and were never asked for." },
  memcached_receive_bytes_total: { ...counter, help: "Bytes received.", unit: "bytes" },
  memcached_transmit_bytes_total: { ...counter, help: "Bytes sent.", unit: "bytes" },
  memcached_authentication_failures_total: { ...counter, help: "Attempts to log in that failed." },
  memcached_cpu_seconds_total: { ...counter, help: "CPU time used.", unit: "seconds", labels: ["mode"] },
} as const satisfies Record<string, MetricSpec>;
type Metric = keyof typeof METRICS;

const ofCommand = (from: string, to: Metric, command: string): Mapping<Metric> => ({ from, to, labels: { command } });

/** Names in the answer to `stats` (doc/protocol.txt of memcached). */
const STATS: readonly Mapping<Metric>[] = [
  { from: "uptime", to: "memcached_uptime_seconds" },
  { from: "bytes", to: "memcached_stored_bytes" },
  { from: "limit_maxbytes", to: "memcached_limit_bytes" },
  { from: "curr_items", to: "memcached_items" },
  { from: "total_items", to: "memcached_items_stored_total" },
  { from: "curr_connections", to: "memcached_connections" },
  { from: "max_connections", to: "memcached_max_connections" },
  { from: "total_connections", to: "memcached_connections_opened_total" },
  { from: "rejected_connections", to: "memcached_connections_rejected_total" },
  { from: "accepting_conns", to: "memcached_accepting_connections" },
  ...["get", "set", "touch", "flush", "meta"].map((one) => ofCommand(`cmd_${one}`, "memcached_commands_total", one)),
  ...["get", "delete", "incr", "decr", "cas", "touch"].flatMap((one) => [
    ofCommand(`${one}_hits`, "memcached_hits_total", one),
    ofCommand(`${one}_misses`, "memcached_misses_total", one),
  ]),
  { from: "evictions", to: "memcached_evictions_total" },
  { from: "reclaimed", to: "memcached_reclaimed_total" },
  { from: "expired_unfetched", to: "memcached_expired_unfetched_total" },
  { from: "bytes_read", to: "memcached_receive_bytes_total" },
  { from: "bytes_written", to: "memcached_transmit_bytes_total" },
  { from: "auth_errors", to: "memcached_authentication_failures_total" },
  { from: "rusage_user", to: "memcached_cpu_seconds_total", labels: { mode: "user" } },
  { from: "rusage_system", to: "memcached_cpu_seconds_total", labels: { mode: "system" } },
];

/** More than any version sends. */
const MAX_STATS = 1_000;

/** Reads `STAT <name> <value>` lines up to `END`. */
async function readStats(peer: Peer, where: string): Promise<Readonly<Record<string, string>>> {
  const pairs: [string, string][] = [];
  while (pairs.length <= MAX_STATS) {
    const line = await peer.line();
    if (line === "END") return Object.fromEntries(pairs);
    const [, key, value] = /^STAT (\S+) (.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) throw refusal(line, where);
    pairs.push([key, value]);
  }
  throw new CollectError("bad_data", `what answers at ${where} is no memcached: it has no end of statistics`);
}

function refusal(line: string, where: string): CollectError {
  const text = line.slice(0, 200);
  if (/^CLIENT_ERROR (unauthenticated|authentication failure)/.test(text))
    return new CollectError("bad_data", `memcached at ${where}: ${text}; check user and password`);
  if (/^(CLIENT_ERROR|SERVER_ERROR|ERROR)/.test(text))
    return new CollectError("bad_data", `memcached at ${where}: ${text}`);
  return new CollectError("bad_data", `what answers at ${where} is no memcached`);
}

/** Servers that were started with a file of users (-Y) take a login as the value of a `set`; its key says nothing. */
async function logIn(peer: Peer, where: string, user: string, secret: string): Promise<void> {
  const login = `${user} ${secret}`;
  peer.write(`set login 0 0 ${Buffer.byteLength(login)}\r\n${login}\r\n`);
  const line = await peer.line();
  if (line !== "STORED") throw refusal(line, where);
}

function samplesOfStats(stats: Readonly<Record<string, string>>): Sample<Metric>[] {
  const version = (stats["version"] ?? "unknown").slice(0, 80);
  return [sample("memcached_info", 1, { version }), ...samplesOf(stats, STATS)];
}

const config = userAndPassword(
  z.strictObject({
    host: host.default("localhost").describe("Host of the server, or the path of its unix socket."),
    port: port.default(11_211).describe("Port of the server."),
    user: name
      .optional()
      .describe("User to log in as, on a server that has a file of users (-Y).")
      .meta({ unset: "nobody", alternative: "gleaner" }),
    ...password,
    ...tls,
  }),
);

/** Items, hits, evictions, memory and connections of a memcached server. */
export const memcachedMonitor = definePlugin({
  id: "memcached_monitor",
  title: "memcached",
  summary: "Items, hits, evictions, memory and connections of a memcached server.",
  category: "database",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  derive: (samples) => ratioOf(samples, "memcached_used_ratio", "memcached_stored_bytes", "memcached_limit_bytes"),
  jobs: {
    server: {
      summary: "Reads the server's statistics.",
      every: seconds(60),
      async collect({ config }, { signal }) {
        const { host, port, user } = config;
        signal.throwIfAborted();
        const [secret, tls] = await Promise.all([readPassword(config), tlsOptions(config, host)]);
        const where = addressOf(host, port);
        return converse("memcached", { host, port, tls }, signal, async (peer) => {
          if (user !== undefined && secret !== undefined) await logIn(peer, where, user, secret);
          peer.write("stats\r\n");
          return { samples: samplesOfStats(await readStats(peer, where)) };
        });
      },
    },
  },
});
