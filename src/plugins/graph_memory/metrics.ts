import type { AlertSpec } from "../../model/alert.ts";
import type { MetricSpec } from "../../model/sample.ts";

const UNAVAILABLE: readonly AlertSpec[] = [
  {
    name: "graph_memory_unavailable",
    where: { state: "unavailable" },
    op: "gt",
    threshold: 0,
    for: "2m",
    keepFiringFor: "2m",
    severity: "error",
    summary: "{target} has had no data of {model} for too long.",
    runbook: {
      meaning:
        "The last good data of this model is older than `keep_last_good_seconds` (5 minutes by default), or there never was any.",
      impact: "Its series are withdrawn; what is known of the model is that nothing is known.",
      check: [
        "`/api/health` and `/api/buffers/<target>`: which of the jobs fail, and why.",
        "`select time, document from documents where target_id = '<target>' order by time desc limit 6`: since when, and the reason.",
        "`curl -N http://<server>:8000/dashboard/stream/analytics`: does the server send anything, and is it all zeros?",
      ],
      fix: [
        "Start the server, or its analytics engine: without the engine it sends zeros, which are not taken for data.",
        "Correct the address, the paths or the token of the target.",
      ],
    },
  },
];

const bytes = { unit: "bytes" } as const;
const seconds = { unit: "seconds" } as const;
const ratio = { unit: "ratio" } as const;

export const METRICS = {
  graph_memory_active_nodes: { help: "Nodes that are active." },
  graph_memory_active_edges: { help: "Edges that are active." },
  graph_memory_query_rate: { help: "Queries a second." },
  graph_memory_cache_hit_ratio: { ...ratio, help: "Share of queries that the cache answered." },
  graph_memory_memory_used_ratio: { ...ratio, help: "Share of the host's memory that is in use." },
  graph_memory_cpu_used_ratio: { ...ratio, help: "Share of the processors' time that is in use." },
  graph_memory_response_seconds: { ...seconds, help: "How long an answer takes on the mean." },
  graph_memory_uptime_seconds: { ...seconds, help: "Time since the server started." },
  graph_memory_memories: { help: "Memories by kind.", labels: ["kind"], maxSeries: 3 },
  graph_memory_memories_stored: { help: "Memories in all." },
  graph_memory_efficiency_ratio: { ...ratio, help: "Efficiency of the memory system, 0 to 1." },
  graph_memory_growth_ratio: { ...ratio, help: "Growth of the memories; negative while they become fewer." },
  graph_memory_memory_size_bytes: { ...bytes, help: "Size of a memory on the mean." },
  graph_memory_compression_ratio: { ...ratio, help: "By which factor memories are compressed; 1 is not at all." },
  graph_memory_retrieval_seconds: { ...seconds, help: "How long it takes to retrieve a memory on the mean." },
  graph_memory_graph_nodes: { help: "Nodes of the graph." },
  graph_memory_graph_edges: { help: "Edges of the graph." },
  graph_memory_graph_components: { help: "Connected components of the graph." },
  graph_memory_graph_largest_component_nodes: { help: "Nodes of the largest connected component." },
  graph_memory_graph_diameter: { help: "Longest of the shortest paths between two nodes." },
  graph_memory_graph_density_ratio: { ...ratio, help: "Share of the possible edges that there are." },
  graph_memory_graph_clustering_ratio: { ...ratio, help: "Clustering coefficient on the mean, 0 to 1." },
  graph_memory_graph_centrality_ratio: { ...ratio, help: "Centrality of a node on the mean, 0 to 1." },
  graph_memory_graph_modularity: { help: "Modularity of the graph, -1 to 1." },
  graph_memory_data_state: {
    help: "Whether the data of a model is live, the last good one, or unavailable: 1 for what it is, 0 for the others.",
    labels: ["model", "state"],
    maxSeries: 9,
    alert: UNAVAILABLE,
  },
  graph_memory_data_age_seconds: {
    ...seconds,
    help: "Age of the last good data of a model; absent before there was any.",
    labels: ["model"],
    maxSeries: 3,
  },
  graph_memory_engine_status: {
    help: "How the server says its engine was when it last answered: 1 for what it said, 0 for the others.",
    labels: ["model", "status"],
    maxSeries: 12,
  },
} as const satisfies Record<string, MetricSpec>;
export type Metric = keyof typeof METRICS;
