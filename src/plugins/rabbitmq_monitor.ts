import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { Rejection, Sample } from "../model/sample.ts";
import { type Api, openApi } from "./client/api.ts";
import { matcher, patterns } from "./host/patterns.ts";
import { type Queue, readNodes, readOverview, readQueues } from "./rabbitmq/answers.ts";
import { MAX_QUEUES, METRICS, type Metric } from "./rabbitmq/metrics.ts";
import { checkCredentials, credentialFields, webUrl } from "./web/fields.ts";

const config = z
  .strictObject({
    url: webUrl()
      .default("http://localhost:15672")
      .describe("Address of the management interface (plugin rabbitmq_management)."),
    ...credentialFields,
    include_queues: z.boolean().default(true).describe("Whether queues have series of their own."),
    exclude_queues: patterns
      .default(["amq\\.gen-.*", "amq\\.rabbitmq\\..*", "amq_[0-9a-f]{32}"])
      .describe(
        "Queues without series of their own, as anchored regular expressions; those with made-up names by default.",
      ),
  })
  .check(checkCredentials);
type Config = z.output<typeof config>;

/** The management interface gives 500 a page at most. */
const PAGE = 500;
const COLUMNS = "name,vhost,consumers,messages_ready,messages_unacknowledged";
/** Queues looked at: those that are excluded count, too. */
const MAX_PAGES = 10;

async function allQueues(api: Api): Promise<Queue[]> {
  const found: Queue[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const body = await api.json(`/api/queues?page=${page}&page_size=${PAGE}&columns=${COLUMNS}`);
    found.push(...readQueues(body));
    const pages = Number((body as { page_count?: unknown }).page_count);
    if (!(page < pages)) break;
  }
  return found;
}

interface Harvest {
  readonly samples: readonly Sample<Metric>[];
  readonly rejected: readonly Rejection[];
}

async function collectQueues(api: Api, { exclude_queues }: Config): Promise<Harvest> {
  const isExcluded = matcher(exclude_queues);
  const wanted = (await allQueues(api)).filter(({ name }) => !isExcluded(name));
  const over = wanted.length - MAX_QUEUES;
  return {
    samples: wanted.slice(0, MAX_QUEUES).flatMap(({ samples }) => samples),
    rejected: over > 0 ? [{ reason: "too_many_queues", detail: "see exclude_queues", count: over }] : [],
  };
}

/** A user without the tag `monitoring` is told of some things and refused others: what is told is kept. */
async function orRefused(part: string, read: () => Promise<Harvest>): Promise<Harvest> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CollectError) || error.kind !== "http_status") throw error;
    return { samples: [], rejected: [{ reason: "part_failed", detail: `${part}: ${error.message}` }] };
  }
}

/** Messages, queues, connections, nodes and alarms of a RabbitMQ. */
export const rabbitmqMonitor = definePlugin({
  id: "rabbitmq_monitor",
  title: "RabbitMQ",
  summary: "Messages, queues, connections, nodes and alarms of a RabbitMQ, by its management interface.",
  category: "application",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    cluster: {
      summary: "Reads the state of the cluster, its nodes and its queues.",
      every: seconds(60),
      async collect({ config }, context) {
        const api = await openApi(config, context);
        const overview = readOverview(await api.json("/api/overview"));
        const nodes = await orRefused("nodes", async () => ({
          samples: readNodes(await api.json("/api/nodes")),
          rejected: [],
        }));
        const queues = config.include_queues
          ? await orRefused("queues", () => collectQueues(api, config))
          : { samples: [], rejected: [] };
        return {
          samples: [...overview, ...nodes.samples, ...queues.samples],
          rejected: [...nodes.rejected, ...queues.rejected],
        };
      },
    },
  },
});
