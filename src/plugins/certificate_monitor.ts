import { glob } from "node:fs/promises";
import { z } from "zod";
import { minutes, seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import type { MetricSpec, Rejection, Sample } from "../model/sample.ts";
import { EXPIRY, INVALID } from "./certificate/alerts.ts";
import { commonName, firstExpiry, isSelfSigned, PROBLEMS } from "./certificate/facts.ts";
import { type Finding, lookAtFile, lookAtServer } from "./certificate/look.ts";
import { addressOf } from "./client/errors.ts";
import { host, port } from "./client/fields.ts";
import { credentialFields, trusted } from "./web/fields.ts";
import { harvestEach, maybe, tellChange } from "./web/harvest.ts";

/** Certificates of one target, of servers and in files together. */
const MAX = 500;
const MAX_SERVERS = 200;
const each = { labels: ["certificate"], maxSeries: MAX } as const;

const METRICS = {
  certificate_up: { ...each, help: "Whether a certificate could be read." },
  certificate_expiry_seconds: {
    ...each,
    help: "Time until the first certificate of the chain expires; negative once one has.",
    unit: "seconds",
    alert: EXPIRY,
  },
  certificate_problem: {
    help: "1 for what is wrong with the certificate, 0 for what is not.",
    labels: ["certificate", "reason"],
    maxSeries: MAX * PROBLEMS.length,
    alert: INVALID,
  },
  certificate_not_after_timestamp_seconds: {
    ...each,
    help: "When the certificate itself expires, in seconds since 1970.",
    unit: "seconds",
  },
  certificate_not_before_timestamp_seconds: {
    ...each,
    help: "From when the certificate itself is valid, in seconds since 1970.",
    unit: "seconds",
  },
  certificate_chain_valid: {
    ...each,
    help: "Whether the chain leads to a trusted authority, and all of it is in date.",
  },
  certificate_host_valid: { ...each, help: "Whether the certificate is for the host that was asked." },
  certificate_self_signed: { ...each, help: "Whether the certificate signed itself." },
  certificate_handshake_seconds: { ...each, help: "How long the TLS handshake took.", unit: "seconds" },
  certificate_info: {
    help: "Whose certificate it is, who issued it, its serial number, and the TLS version it was shown with; always 1.",
    unit: "info",
    labels: ["certificate", "subject", "issuer", "serial", "version"],
    maxSeries: MAX,
  },
} as const satisfies Record<string, MetricSpec>;
type Samples = readonly Sample<keyof typeof METRICS>[];

const server = z.strictObject({
  name: z.string().min(1).max(200).optional().describe("What it is called in labels; host and port when absent."),
  host: host.describe("Host that is asked for its certificate.").meta({ example: "example.org" }),
  port: port.default(443).describe("Port, where TLS is spoken from the first byte."),
  server_name: host
    .optional()
    .describe("Name that is asked for (SNI) and that the certificate must be for; `host` when absent."),
  tls_ca_file: credentialFields.tls_ca_file,
  timeout_seconds: z
    .number()
    .min(0.05)
    .max(55)
    .default(10)
    .describe("Longest that connecting and the handshake may take."),
});
type Server = z.output<typeof server>;

const nameOf = ({ name, host, port }: Server) => name ?? addressOf(host, port);

const config = z
  .strictObject({
    servers: z
      .array(server)
      .max(MAX_SERVERS)
      .default([])
      .refine((list) => new Set(list.map(nameOf)).size === list.length, {
        error: "expected each server once, by its name",
      })
      .describe("Servers that are asked for their certificates."),
    files: z
      .array(z.string().min(1).max(4_096))
      .max(100)
      .default([])
      .describe("PEM files with certificates, as paths or patterns such as /etc/letsencrypt/live/*/fullchain.pem.")
      .meta({ example: ["/etc/letsencrypt/live/*/fullchain.pem"] }),
  })
  .refine(({ servers, files }) => servers.length + files.length > 0, { error: "expected at least one server or file" });

function samplesOf(certificate: string, found: Finding, now: Date): Samples {
  const labels = { certificate };
  const { chain, problems } = found;
  const problem = PROBLEMS.map((reason) => ({
    metric: "certificate_problem" as const,
    value: Number(problems.has(reason)),
    labels: { ...labels, reason },
  }));
  if (chain === undefined) return [...maybe("certificate_up", false, labels), ...problem];
  const { leaf } = chain;
  const about = {
    subject: commonName(leaf.subject),
    issuer: commonName(leaf.issuer),
    serial: leaf.serialNumber.slice(0, 64),
    version: found.protocol ?? "",
  };
  return [
    ...maybe("certificate_up", true, labels),
    ...maybe("certificate_expiry_seconds", (firstExpiry(chain) - now.getTime()) / 1000, labels),
    ...problem,
    ...maybe("certificate_not_after_timestamp_seconds", leaf.validToDate.getTime() / 1000, labels),
    ...maybe("certificate_not_before_timestamp_seconds", leaf.validFromDate.getTime() / 1000, labels),
    ...maybe("certificate_chain_valid", found.isChainValid, labels),
    ...maybe("certificate_host_valid", found.isForHost, labels),
    ...maybe("certificate_self_signed", isSelfSigned(chain), labels),
    ...maybe("certificate_handshake_seconds", found.handshakeSeconds, labels),
    { metric: "certificate_info", value: 1, labels: { ...labels, ...about } },
  ];
}

/** The files that paths and patterns stand for; a pattern that finds nothing is counted, a path that is not there is a finding. */
async function filesOf(patterns: readonly string[]): Promise<{ paths: readonly string[]; rejected: Rejection[] }> {
  const paths = new Set<string>();
  const rejected: Rejection[] = [];
  for (const pattern of patterns) {
    const before = paths.size;
    if (!/[*?[{]/.test(pattern)) paths.add(pattern);
    else for await (const path of glob(pattern)) paths.add(path);
    if (paths.size === before) rejected.push({ reason: "no_files", detail: `no further file matches ${pattern}` });
  }
  const room = MAX - MAX_SERVERS;
  if (paths.size > room)
    rejected.push({ reason: "too_many_files", detail: `more than ${room} files`, count: paths.size - room });
  return { paths: [...paths].sort().slice(0, room), rejected };
}

/** Certificates of servers and in files: when they expire, and whether clients would accept them. */
export const certificateMonitor = definePlugin({
  id: "certificate_monitor",
  title: "Certificates",
  summary: "When the certificates of TLS servers and in PEM files expire, and whether clients would accept them.",
  category: "security",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    certificates: {
      summary: "Looks at every certificate. One that is not good is news and no failure of the run.",
      every: minutes(15),
      timeout: seconds(60),
      async collect({ config }, context) {
        const { signal, now } = context;
        signal.throwIfAborted();
        const told = (certificate: string, found: Finding): Samples => {
          const problems = [...found.problems].join();
          tellChange(
            context,
            certificate,
            problems ? { reason: problems, detail: found.detail ?? problems } : undefined,
          );
          return samplesOf(certificate, found, now());
        };
        const files = await filesOf(config.files);
        const things = [...config.servers, ...files.paths];
        const { samples, rejected } = await harvestEach(
          things,
          (thing) => (typeof thing === "string" ? thing : nameOf(thing)),
          signal,
          async (thing) => {
            if (typeof thing === "string") return told(thing, await lookAtFile(thing, now()));
            const { host, port, server_name: serverName = host, timeout_seconds } = thing;
            const at = { host, port, serverName, timeoutMs: timeout_seconds * 1000, ...(await trusted(thing)) };
            return told(nameOf(thing), await lookAtServer(at, now(), signal));
          },
        );
        return { samples, rejected: [...files.rejected, ...rejected] };
      },
    },
  },
});
