import type { MetricSpec, Sample } from "../../model/sample.ts";
import { BLOCKING, FAILING } from "./alerts.ts";

/** What can become of a query, each once. */
export const RESULTS = [
  "ok",
  "no_answer",
  "unexpected",
  "nxdomain",
  "servfail",
  "refused",
  "other",
  "malformed",
  "timeout",
  "unreachable",
] as const;
export type Result = (typeof RESULTS)[number];

/** Queries that a target may ask; the cap of series goes by it. */
export const MAX_QUERIES = 20;
const query = { labels: ["query", "record"], maxSeries: MAX_QUERIES } as const;
const counter = { type: "counter" } as const;

export const METRICS = {
  dns_query_success: { ...query, help: "Whether the query was answered as it should be.", alert: FAILING },
  dns_query_seconds: { ...query, help: "Time until the answer, when one came.", unit: "seconds" },
  dns_query_result: {
    help: "What became of the query: 1 for that result and 0 for each other.",
    labels: ["query", "record", "result"],
    maxSeries: MAX_QUERIES * RESULTS.length,
  },
  dns_answers: { ...query, help: "Records of the type asked for in the answer." },
  dns_queries_total: { ...counter, help: "Queries that the server has received since it started." },
  dns_cache_hits_total: { ...counter, help: "Queries answered from the server's cache." },
  dns_cache_misses_total: { ...counter, help: "Queries that the server had to resolve." },
  dns_prefetches_total: { ...counter, help: "Records the server renewed before they ran out." },
  dns_rate_limited_queries_total: { ...counter, help: "Queries dropped because their client asked too often." },
  dns_responses_total: {
    ...counter,
    help: "Answers the server gave, by their code; where it keeps extended statistics.",
    labels: ["rcode"],
    maxSeries: 24,
  },
  dns_recursion_seconds: { help: "Mean time the server needed to resolve what was not cached.", unit: "seconds" },
  dns_requests_waiting: { help: "Queries the server is resolving now." },
  dns_cache_bytes: { help: "Memory of the server's caches.", unit: "bytes", labels: ["cache"], maxSeries: 8 },
  dns_server_uptime_seconds: { help: "Time since the server started.", unit: "seconds" },
  dns_window_seconds: { help: "Length of the time that the dns_window metrics count over.", unit: "seconds" },
  dns_window_queries: { help: "Queries within the server's window of statistics, which moves on." },
  dns_window_blocked_queries: {
    help: "Queries within the window that were blocked, by what blocked them.",
    labels: ["reason"],
  },
  dns_window_blocked_ratio: {
    help: "Share of the window's queries that was blocked.",
    unit: "ratio",
    range: { min: 0, max: 1 },
  },
  dns_window_cached_queries: { help: "Queries within the window that were answered from the cache." },
  dns_window_forwarded_queries: { help: "Queries within the window that went to another server." },
  dns_window_unique_domains: { help: "Different names asked for within the window." },
  dns_window_processing_seconds: { help: "Mean time to answer a query of the window.", unit: "seconds" },
  dns_clients: { help: "Clients the server has seen, and those active within the window.", labels: ["state"] },
  dns_blocklist_domains: { help: "Names or rules on the server's blocklists." },
  dns_blocklist_update_timestamp_seconds: { help: "When the blocklists were last renewed.", unit: "seconds" },
  dns_blocking_enabled: { help: "Whether the server blocks what its lists name.", alert: BLOCKING },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
export type Samples = readonly Sample<Metric>[];
