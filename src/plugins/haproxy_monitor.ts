import { z } from "zod";
import type { AlertSpec } from "../model/alert.ts";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";
import { numberOf, sample } from "./client/mapping.ts";
import { fetchOk } from "./web/fetch.ts";
import { checkCredentials, credentialFields, webUrl } from "./web/fields.ts";

const config = z
  .strictObject({
    url: webUrl()
      .describe("Where its statistics answer as CSV: `stats enable` and `stats uri /stats` make it this one.")
      .meta({ example: "http://127.0.0.1:8404/stats;csv" }),
    ...credentialFields,
  })
  .check(checkCredentials);

const BACKEND_DOWN: readonly AlertSpec[] = [
  {
    name: "haproxy_backend_down",
    op: "lt",
    threshold: 1,
    for: "1m",
    severity: "error",
    summary: "{proxy} of {target} has no server left.",
    runbook: {
      meaning: "No server of the backend has been up for a minute.",
      impact: "Requests to it are answered with 503.",
      check: [
        "`gleaner_haproxy_server_state`: which servers are down, and since when.",
        "HAProxy's log: it names the failed check.",
      ],
      fix: ["Mend or start the servers.", "When they are well, look at the check itself: its path, its timeout."],
    },
  },
];
const SERVER_DOWN: readonly AlertSpec[] = [
  {
    name: "haproxy_server_down",
    op: "lt",
    threshold: 1,
    for: "5m",
    severity: "warning",
    summary: "{server} of {proxy} is down.",
    runbook: {
      meaning: "The checks of a server have failed for 5 minutes.",
      impact: "The others carry its load, and there is one less of them to lose.",
      check: ["HAProxy's log, or the last check on its page of statistics.", "The server itself."],
      fix: ["Mend it, or take it out: `set server <backend>/<server> state maint`."],
    },
  },
];

/** Far more than anybody has; a label of theirs is a name out of HAProxy's own configuration. */
const proxy = { labels: ["proxy"], maxSeries: 500 } as const;
const ofCode = { labels: ["proxy", "code"], maxSeries: 3_000 } as const;
const server = { labels: ["proxy", "server"], maxSeries: 2_000 } as const;
const counter = { type: "counter" } as const;
const bytes = { ...counter, unit: "bytes" } as const;

const METRICS = {
  haproxy_frontend_up: { ...proxy, help: "Whether the frontend accepts connections." },
  haproxy_frontend_sessions: { ...proxy, help: "Sessions of clients that are open." },
  haproxy_frontend_sessions_max: { ...proxy, help: "Sessions the frontend accepts at most." },
  haproxy_frontend_sessions_opened_total: { ...proxy, ...counter, help: "Sessions opened by clients." },
  haproxy_frontend_requests_total: { ...proxy, ...counter, help: "HTTP requests of clients." },
  haproxy_frontend_request_errors_total: { ...proxy, ...counter, help: "Requests that were none, or came too slowly." },
  haproxy_frontend_requests_denied_total: { ...proxy, ...counter, help: "Requests denied by rules." },
  haproxy_frontend_receive_bytes_total: { ...proxy, ...bytes, help: "Bytes received from clients." },
  haproxy_frontend_transmit_bytes_total: { ...proxy, ...bytes, help: "Bytes sent to clients." },
  haproxy_frontend_responses_total: { ...ofCode, ...counter, help: "HTTP answers to clients by class of status." },
  haproxy_backend_up: { ...proxy, help: "Whether the backend has a server that is up.", alert: BACKEND_DOWN },
  haproxy_backend_servers_active: { ...proxy, help: "Servers that are up, without those for backup." },
  haproxy_backend_sessions: { ...proxy, help: "Sessions with servers that are open." },
  haproxy_backend_sessions_opened_total: { ...proxy, ...counter, help: "Sessions opened with servers." },
  haproxy_backend_queue_length: { ...proxy, help: "Requests that wait for a server." },
  haproxy_backend_connection_errors_total: { ...proxy, ...counter, help: "Connections to servers that failed." },
  haproxy_backend_response_errors_total: {
    ...proxy,
    ...counter,
    help: "Answers of servers that broke off or were none.",
  },
  haproxy_backend_retries_total: { ...proxy, ...counter, help: "Connections to servers tried again." },
  haproxy_backend_redispatches_total: {
    ...proxy,
    ...counter,
    help: "Requests sent to another server after a failure.",
  },
  haproxy_backend_responses_total: { ...ofCode, ...counter, help: "HTTP answers of servers by class of status." },
  haproxy_backend_downtime_seconds_total: { ...proxy, ...counter, unit: "seconds", help: "Time without a server." },
  haproxy_server_up: {
    ...server,
    help: "Whether the checks of the server succeed; absent without checks.",
    alert: SERVER_DOWN,
  },
  haproxy_server_state: {
    labels: ["proxy", "server", "state"],
    maxSeries: 12_000,
    help: "State of the server: 1 for the one it is in, 0 for the others.",
  },
  haproxy_server_weight: { ...server, help: "Weight of the server among those of its backend." },
  haproxy_server_sessions: { ...server, help: "Sessions with the server that are open." },
  haproxy_server_sessions_opened_total: { ...server, ...counter, help: "Sessions opened with the server." },
  haproxy_server_queue_length: { ...server, help: "Requests that wait for this server." },
  haproxy_server_connection_errors_total: { ...server, ...counter, help: "Connections to the server that failed." },
  haproxy_server_check_failures_total: { ...server, ...counter, help: "Checks that failed while the server was up." },
  haproxy_server_check_seconds: { ...server, unit: "seconds", help: "How long the last check took." },
  haproxy_server_downtime_seconds_total: { ...server, ...counter, unit: "seconds", help: "Time the server was down." },
} as const satisfies Record<string, MetricSpec>;
type Metric = keyof typeof METRICS;
type Labels = Readonly<Record<string, string>>;
/** A line of the table by the names of its columns (HAProxy's management guide, 9.1). */
type Line = ReadonlyMap<string, string>;

const FRONTEND: readonly (readonly [string, Metric])[] = [
  ["scur", "haproxy_frontend_sessions"],
  ["slim", "haproxy_frontend_sessions_max"],
  ["stot", "haproxy_frontend_sessions_opened_total"],
  ["req_tot", "haproxy_frontend_requests_total"],
  ["ereq", "haproxy_frontend_request_errors_total"],
  ["dreq", "haproxy_frontend_requests_denied_total"],
  ["bin", "haproxy_frontend_receive_bytes_total"],
  ["bout", "haproxy_frontend_transmit_bytes_total"],
];
const BACKEND: readonly (readonly [string, Metric])[] = [
  ["act", "haproxy_backend_servers_active"],
  ["scur", "haproxy_backend_sessions"],
  ["stot", "haproxy_backend_sessions_opened_total"],
  ["qcur", "haproxy_backend_queue_length"],
  ["econ", "haproxy_backend_connection_errors_total"],
  ["eresp", "haproxy_backend_response_errors_total"],
  ["wretr", "haproxy_backend_retries_total"],
  ["wredis", "haproxy_backend_redispatches_total"],
  ["downtime", "haproxy_backend_downtime_seconds_total"],
];
const SERVER: readonly (readonly [string, Metric])[] = [
  ["weight", "haproxy_server_weight"],
  ["scur", "haproxy_server_sessions"],
  ["stot", "haproxy_server_sessions_opened_total"],
  ["qcur", "haproxy_server_queue_length"],
  ["econ", "haproxy_server_connection_errors_total"],
  ["chkfail", "haproxy_server_check_failures_total"],
  ["downtime", "haproxy_server_downtime_seconds_total"],
];
const CODES = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"];
const STATES = ["up", "down", "nolb", "drain", "maint", "no_check"];
const MAX_LINES = 3_000;

/** Fields between commas; those with a comma within stand in quotes, which are doubled there. */
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, bare = ""]) => quoted?.replaceAll('""', '"') ?? bare,
  );
}

/** @throws {CollectError} bad_data when it is not HAProxy's table */
function parse(text: string): readonly Line[] {
  const [head = "", ...lines] = text.split("\n", MAX_LINES + 1);
  if (!head.startsWith("# pxname,svname,"))
    throw new CollectError("bad_data", "the answer is not HAProxy's table of statistics: does the URL end in ;csv?");
  const columns = cells(head.slice(2));
  return lines
    .filter((line) => line.trim() !== "")
    .map((line) => new Map(cells(line).map((cell, at) => [columns[at] ?? "", cell])));
}

const numbers = (line: Line, table: readonly (readonly [string, Metric])[], labels: Labels): Sample<Metric>[] =>
  table.flatMap(([column, metric]) => {
    const value = numberOf(line.get(column) || undefined);
    return value === undefined ? [] : [sample(metric, value, labels)];
  });

const responses = (line: Line, metric: Metric, labels: Labels): Sample<Metric>[] =>
  CODES.flatMap((code) => numbers(line, [[`hrsp_${code}`, metric]], { ...labels, code }));

/** `UP`, `UP 1/3` on its way down, `DOWN 1/2` on its way up, `DOWN (agent)`, `MAINT (via x/y)`, `no check`. */
function stateOf(line: Line): string {
  const [, state = ""] = /^(UP|DOWN|NOLB|DRAIN|MAINT|no check)/.exec(line.get("status") ?? "") ?? [];
  return state.toLowerCase().replace(" ", "_");
}

function serverSamples(line: Line, labels: Labels): Sample<Metric>[] {
  const state = stateOf(line);
  const took = numberOf(line.get("check_duration") || undefined);
  return [
    ...(state === "up" || state === "down"
      ? [sample("haproxy_server_up" as const, state === "up" ? 1 : 0, labels)]
      : []),
    ...STATES.map((name) =>
      sample("haproxy_server_state" as const, name === state ? 1 : 0, { ...labels, state: name }),
    ),
    ...numbers(line, SERVER, labels),
    ...(took === undefined ? [] : [sample("haproxy_server_check_seconds" as const, took / 1_000, labels)]),
  ];
}

function samplesOf(line: Line): Sample<Metric>[] {
  const name = (line.get("svname") ?? "").slice(0, 128);
  const labels = { proxy: (line.get("pxname") ?? "").slice(0, 128) };
  const status = line.get("status") ?? "";
  switch (name) {
    case "FRONTEND":
      return [
        sample("haproxy_frontend_up", status === "OPEN" ? 1 : 0, labels),
        ...numbers(line, FRONTEND, labels),
        ...responses(line, "haproxy_frontend_responses_total", labels),
      ];
    case "BACKEND":
      return [
        sample("haproxy_backend_up", status.startsWith("UP") ? 1 : 0, labels),
        ...numbers(line, BACKEND, labels),
        ...responses(line, "haproxy_backend_responses_total", labels),
      ];
    default:
      // Type 2 is a server; a listener, which only some setups list, is part of its frontend.
      return line.get("type") === "2" ? serverSamples(line, { ...labels, server: name }) : [];
  }
}

/** Frontends, backends and servers of an HAProxy. */
export const haproxyMonitor = definePlugin({
  id: "haproxy_monitor",
  title: "HAProxy",
  summary: "Sessions, traffic, answers and checks of the frontends, backends and servers of an HAProxy.",
  category: "network",
  version: "1.0.0",
  tags: ["haproxy", "load balancer", "proxy"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    statistics: {
      summary: "Reads the table of statistics.",
      every: seconds(30),
      async collect({ config }, context) {
        context.signal.throwIfAborted();
        const { text } = await fetchOk(context, config.url, config);
        return { samples: parse(text).flatMap(samplesOf) };
      },
    },
  },
});
