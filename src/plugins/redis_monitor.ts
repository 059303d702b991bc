import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { Collected } from "../model/sample.ts";
import { converse, type Peer } from "./client/conversation.ts";
import { addressOf } from "./client/errors.ts";
import { host, name, onePassword, password, port, tls } from "./client/fields.ts";
import { numberOf, ratioOf, sample } from "./client/mapping.ts";
import { readPassword, tlsOptions } from "./client/secrets.ts";
import { parseInfo, samplesOfInfo } from "./redis/info.ts";
import { METRICS, type Metric } from "./redis/metrics.ts";
import { encodeCommand, readReply } from "./redis/resp.ts";

const config = onePassword(
  z.strictObject({
    host: host.default("localhost").describe("Host of the server, or the path of its unix socket."),
    port: port.default(6379).describe("Port of the server."),
    user: name
      .optional()
      .describe("User to log in as; it needs the commands info and slowlog.")
      .meta({ unset: "the server's default user", alternative: "gleaner" }),
    ...password,
    ...tls,
  }),
);
type Config = z.output<typeof config>;

/** What a refusal asks for; anything else the server says stands for itself. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^NOAUTH|^DENIED/, "set a password"],
  [/^WRONGPASS|^ERR invalid password|without any password configured/, "check user and password"],
  [/^NOPERM/, "allow the user `+info +slowlog|len`"],
];

async function ask(peer: Peer, where: string, ...command: readonly string[]): Promise<string> {
  peer.write(encodeCommand(...command));
  try {
    return await readReply(peer);
  } catch (error) {
    if (!(error instanceof CollectError) || error.kind !== "bad_data") throw error;
    const { message } = error;
    const advice = ADVICE.find(([pattern]) => pattern.test(message))?.[1];
    // A server that has no place left says so instead of an answer, and may have one soon.
    const kind = message.startsWith("ERR max number of clients") ? "unreachable" : "bad_data";
    throw new CollectError(kind, `Redis at ${where}: ${message}${advice ? `; ${advice}` : ""}`, { cause: error });
  }
}

async function collectInfo(peer: Peer, where: string, { user }: Config, secret?: string): Promise<Collected<Metric>> {
  if (secret !== undefined) await ask(peer, where, "AUTH", ...(user === undefined ? [] : [user]), secret);
  const info = parseInfo(await ask(peer, where, "INFO"));
  if (info["redis_version"] === undefined) throw new CollectError("bad_data", `what answers at ${where} is no Redis`);
  const samples = samplesOfInfo(info);
  try {
    const entries = numberOf(await ask(peer, where, "SLOWLOG", "LEN"));
    return { samples: entries === undefined ? samples : [...samples, sample("redis_slowlog_entries", entries)] };
  } catch (error) {
    // Renamed, or forbidden to this user: the rest is worth having.
    if (!(error instanceof CollectError) || error.kind !== "bad_data") throw error;
    return { samples, rejected: [{ reason: "part_failed", detail: error.message }] };
  }
}

/** Memory, clients, commands, keys, persistence and replication of a Redis or Valkey server. */
export const redisMonitor = definePlugin({
  id: "redis_monitor",
  title: "Redis",
  summary: "Memory, clients, commands, keys, persistence and replication of a Redis or Valkey server.",
  category: "database",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  derive: (samples) =>
    ratioOf(samples, "redis_memory_limit_used_ratio", "redis_memory_used_bytes", "redis_memory_max_bytes"),
  jobs: {
    server: {
      summary: "Reads what the server tells by INFO.",
      every: seconds(60),
      async collect({ config }, { signal }) {
        const { host, port } = config;
        signal.throwIfAborted();
        const [secret, tls] = await Promise.all([readPassword(config), tlsOptions(config, host)]);
        return converse("Redis", { host, port, tls }, signal, (peer) =>
          collectInfo(peer, addressOf(host, port), config, secret),
        );
      },
    },
  },
});
