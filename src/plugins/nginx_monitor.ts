import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";
import { fetchOk } from "./web/fetch.ts";
import { checkCredentials, credentialFields, webUrl } from "./web/fields.ts";

const METRICS = {
  nginx_connections_active: { help: "Open connections of clients, the waiting ones included." },
  nginx_connections: {
    help: "Open connections by what nginx does on them: it reads a request, writes an answer, or waits for the next.",
    labels: ["state"],
  },
  nginx_connections_accepted_total: { help: "Connections accepted.", type: "counter" },
  nginx_connections_handled_total: {
    help: "Connections handled; fewer than accepted when worker_connections is reached.",
    type: "counter",
  },
  nginx_requests_total: { help: "Requests of clients.", type: "counter" },
} as const satisfies Record<string, MetricSpec>;

const config = z
  .strictObject({
    url: webUrl()
      .describe("Where stub_status answers: `location = /stub_status { stub_status; allow 127.0.0.1; deny all; }`.")
      .meta({ example: "http://127.0.0.1/stub_status" }),
    ...credentialFields,
  })
  .check(checkCredentials);

// A fourth column, of Tengine, is the time of the requests.
const PAGE =
  /^Active connections: (\d+)\s+server accepts handled requests\b.*\n\s*(\d+) (\d+) (\d+)(?: \d+)?\s*\nReading: (\d+) Writing: (\d+) Waiting: (\d+)/;

/** @throws {CollectError} bad_data when it is not the page of stub_status */
function parse(page: string): readonly Sample<keyof typeof METRICS>[] {
  const match = PAGE.exec(page.trimStart());
  if (!match) throw new CollectError("bad_data", "the answer is not the page of stub_status: is the path right?");
  const [active, accepted, handled, requests, reading, writing, waiting] = match.slice(1).map(Number);
  const state = (name: string, value = 0) => ({ metric: "nginx_connections", value, labels: { state: name } }) as const;
  return [
    { metric: "nginx_connections_active", value: active ?? 0 },
    ...[state("reading", reading), state("writing", writing), state("waiting", waiting)],
    { metric: "nginx_connections_accepted_total", value: accepted ?? 0 },
    { metric: "nginx_connections_handled_total", value: handled ?? 0 },
    { metric: "nginx_requests_total", value: requests ?? 0 },
  ];
}

/** Connections and requests of an nginx, from its stub_status. */
export const nginxMonitor = definePlugin({
  id: "nginx_monitor",
  title: "nginx",
  summary: "Connections and requests of an nginx, from its stub_status page.",
  category: "network",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    status: {
      summary: "Reads the page of stub_status.",
      every: seconds(30),
      async collect({ config }, context) {
        context.signal.throwIfAborted();
        const { text } = await fetchOk(context, config.url, config);
        return { samples: parse(text) };
      },
    },
  },
});
