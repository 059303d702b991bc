import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import type { MetricSpec } from "../model/sample.ts";
import { mapping, specOf } from "./http_json/mapping.ts";
import { readDocument } from "./http_json/read.ts";
import { fetchOk, parseJson } from "./web/fetch.ts";
import { checkCredentials, credentialFields, headers, webUrl } from "./web/fields.ts";

const METRICS: Readonly<Record<string, MetricSpec>> = {
  http_json_response_size_bytes: { help: "Size of the document.", unit: "bytes" },
  http_json_missing_paths: { help: "Configured metrics of which the document has nothing." },
};

const config = z
  .strictObject({
    url: webUrl().describe("Where the document is.").meta({ example: "http://192.0.2.50/status.json" }),
    headers: headers().default({}).describe("Further request headers."),
    ...credentialFields,
    metrics: z
      .array(mapping)
      .min(1)
      .max(500)
      .refine((list) => new Set(list.map(({ metric }) => metric)).size === list.length, {
        error: "expected each metric once",
      })
      .refine((list) => list.every(({ metric }) => !Object.hasOwn(METRICS, metric)), {
        error: `expected other names than ${Object.keys(METRICS).join(", ")}`,
      })
      .describe("What becomes a metric.")
      .meta({ example: [{ metric: "room_temperature_celsius", path: "rooms[].temperature" }] }),
  })
  .check(checkCredentials);

/** Metrics out of any JSON document, by a mapping in the configuration. */
export const httpJson = definePlugin({
  id: "http_json",
  title: "JSON over HTTP",
  summary: "Numbers, states, times and labels out of any JSON document that a server answers with, as configured.",
  category: "custom",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  furtherMetrics: "Those that the target lists under `metrics`, with the prefix `gleaner_`.",
  jobs: {
    document: {
      summary: "Reads the document and takes what is configured out of it.",
      every: seconds(60),
      async collect({ config }, context) {
        context.signal.throwIfAborted();
        const fetched = await fetchOk(context, config.url, config, config.headers);
        const { samples, rejected, missing } = readDocument(parseJson(fetched), config.metrics);
        return {
          samples: [
            { metric: "http_json_response_size_bytes", value: Buffer.byteLength(fetched.text) },
            { metric: "http_json_missing_paths", value: missing },
            ...samples,
          ],
          metrics: Object.fromEntries(config.metrics.map((each) => [each.metric, specOf(each)])),
          rejected,
        };
      },
    },
  },
});
