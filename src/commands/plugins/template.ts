/** `weather_station` -> `weatherStation`. */
const camel = (id: string) => id.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
/** `weather_station` -> `Weather station`. */
const words = (id: string) => (id[0] ?? "").toUpperCase() + id.slice(1).replaceAll("_", " ");

const AMONG_OWN = `import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";`;
const ELSEWHERE = `import { CollectError, definePlugin, seconds } from "gleaner/plugin";
import { z } from "zod";`;

/**
 * A new plugin's file: it asks an HTTP server for JSON, and passes every check as it is.
 * @param where among gleaner's own plugins, or anywhere else
 */
export function pluginSource(id: string, where: "own" | "external"): string {
  return `${where === "own" ? AMONG_OWN : ELSEWHERE}

const config = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe("Where it answers, such as http://192.0.2.50/status.json."),
});

/** What it sends, as far as it is used; anything else in it is let through. */
const STATUS = z.object({
  requests: z.number(),
  queues: z.array(z.object({ name: z.string(), length: z.number() })),
});

/** @throws {CollectError} bad_data when it is something else */
function parse(text: string): z.output<typeof STATUS> {
  try {
    return STATUS.parse(JSON.parse(text));
  } catch (cause) {
    throw new CollectError("bad_data", "the answer has no requests and queues", { cause });
  }
}

/** Requests and queues of something that answers in JSON. */
export const ${camel(id)} = definePlugin({
  id: "${id}",
  title: "${words(id).slice(0, 60)}",
  summary: "Requests and queues of something that answers in JSON.",
  category: "custom",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: {
    ${id}_requests_total: {
      help: "Requests served.",
      type: "counter",
    },
    ${id}_queue_length: {
      help: "What waits in each queue.",
      labels: ["queue"],
      maxSeries: 32,
      range: { min: 0 },
    },
  },
  jobs: {
    status: {
      summary: "Reads the status.",
      every: seconds(30),
      async collect({ config }, { http, signal }) {
        const { status, text } = await http.get(config.url, { signal });
        if (status !== 200) throw new CollectError("http_status", \`HTTP \${status}\`, { status });
        const { requests, queues } = parse(text);
        return {
          samples: [
            { metric: "${id}_requests_total", value: requests },
            ...queues.map(({ name, length }) => ({
              metric: "${id}_queue_length" as const,
              value: length,
              labels: { queue: name },
            })),
          ],
        };
      },
    },
  },
});
`;
}

/** The files of a new plugin's first case, by their paths in its folder. */
export function caseFiles(id: string): Readonly<Record<string, string>> {
  return {
    "config.yaml": `url: \${BASE_URL}/status.json\n`,
    "http/status.json":
      '{ "requests": 4711, "queues": [{ "name": "mail", "length": 3 }, { "name": "print", "length": 0 }] }\n',
    "expected.prom": [
      `# TYPE gleaner_${id}_requests_total counter`,
      `gleaner_${id}_requests_total 4711`,
      `# TYPE gleaner_${id}_queue_length gauge`,
      `gleaner_${id}_queue_length{queue="mail"} 3`,
      `gleaner_${id}_queue_length{queue="print"} 0`,
      "",
    ].join("\n"),
  };
}
