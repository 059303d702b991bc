import type { Rejection, Sample } from "../../model/sample.ts";
import { isRecord, numberOf } from "../client/mapping.ts";
import type { Metric } from "./metrics.ts";

/** The models of the server's dashboard, by the job that reads them. */
export const MODELS = ["analytics", "graph", "memory"] as const;
export type Model = (typeof MODELS)[number];

/** How the server says that its analytics engine is. With the last two it sends zeros that nobody measured. */
export const STATUSES = ["healthy", "degraded", "unavailable", "error"] as const;
export type Status = (typeof STATUSES)[number];

/** What a field may be, and what it becomes. `per`: how many of its units are one of the base unit. */
interface Field {
  readonly to: Metric;
  readonly kind?: string;
  readonly min?: number;
  readonly max?: number;
  readonly isWhole?: true;
  readonly per?: number;
  readonly read?: (value: unknown) => number | undefined;
  /** What the server puts there when it knows nothing; 0 when absent. */
  readonly blank?: number;
}
type Fields = Readonly<Record<string, Field>>;

const count = { isWhole: true, min: 0 } as const;
const ratio = { min: 0, max: 1 } as const;
const percent = { min: 0, max: 100, per: 100 } as const;
const milliseconds = { min: 0, max: 60_000, per: 1_000 } as const;

/** Names and ranges of the server's SystemMetricsData, MemoryInsightsData and GraphMetricsData. */
const FIELDS: Readonly<Record<Model, Fields>> = {
  analytics: {
    active_nodes: { to: "graph_memory_active_nodes", ...count },
    active_edges: { to: "graph_memory_active_edges", ...count },
    // A minute's.
    query_rate: { to: "graph_memory_query_rate", min: 0, max: 10_000, per: 60 },
    cache_hit_rate: { to: "graph_memory_cache_hit_ratio", ...ratio, read: ratioOrPercent },
    memory_usage: { to: "graph_memory_memory_used_ratio", ...percent },
    cpu_usage: { to: "graph_memory_cpu_used_ratio", ...percent },
    response_time: { to: "graph_memory_response_seconds", ...milliseconds },
    uptime_seconds: { to: "graph_memory_uptime_seconds", min: 0 },
  },
  memory: {
    total_memories: { to: "graph_memory_memories_stored", ...count },
    procedural_memories: { to: "graph_memory_memories", kind: "procedural", ...count },
    semantic_memories: { to: "graph_memory_memories", kind: "semantic", ...count },
    episodic_memories: { to: "graph_memory_memories", kind: "episodic", ...count },
    memory_efficiency: { to: "graph_memory_efficiency_ratio", ...ratio },
    memory_growth_rate: { to: "graph_memory_growth_ratio", min: -1, max: 10 },
    avg_memory_size: { to: "graph_memory_memory_size_bytes", min: 0, read: bytesOf },
    compression_ratio: { to: "graph_memory_compression_ratio", min: 1, max: 100, blank: 1 },
    retrieval_speed: { to: "graph_memory_retrieval_seconds", ...milliseconds },
  },
  graph: {
    node_count: { to: "graph_memory_graph_nodes", ...count },
    edge_count: { to: "graph_memory_graph_edges", ...count },
    connected_components: { to: "graph_memory_graph_components", ...count },
    largest_component_size: { to: "graph_memory_graph_largest_component_nodes", ...count },
    diameter: { to: "graph_memory_graph_diameter", ...count },
    density: { to: "graph_memory_graph_density_ratio", ...ratio },
    clustering_coefficient: { to: "graph_memory_graph_clustering_ratio", ...ratio },
    avg_centrality: { to: "graph_memory_graph_centrality_ratio", ...ratio },
    modularity: { to: "graph_memory_graph_modularity", min: -1, max: 1 },
  },
};

/** A share; what is over 1 is in per cent. */
function ratioOrPercent(value: unknown): number | undefined {
  const number = numberOf(value);
  return number !== undefined && number > 1 ? number / 100 : number;
}

const SIZES: Readonly<Record<string, number>> = { "": 0, K: 1, M: 2, G: 3, T: 4 };

/** Bytes, as a number or as text with a unit: `1.5GB`. The server's units are powers of 1,024. */
function bytesOf(value: unknown): number | undefined {
  if (typeof value !== "string") return numberOf(value);
  const [, number, unit = ""] = /^\s*(\d{1,15}(?:\.\d{0,15})?)\s*([KMGT]?)B?\s*$/i.exec(value) ?? [];
  return number === undefined ? undefined : Number(number) * 1_024 ** (SIZES[unit.toUpperCase()] ?? 0);
}

/** A model's values by the names and in the units that the server has. */
export type Values = Readonly<Record<string, number>>;

/** What of an answer can be used. */
export interface Reading {
  readonly values: Values;
  /** `healthy` when the server does not say. */
  readonly status: Status;
  /** When the server made it; null where it says no time that has a zone. */
  readonly at: Date | null;
  /** That time as it was written: data with the same one are the same. */
  readonly stamp: string | null;
  readonly rejected: readonly Rejection[];
}

/** Reads one model: each field by itself, then those that must agree. Never throws. */
export function readModel(model: Model, record: Readonly<Record<string, unknown>>): Reading {
  const values: Record<string, number> = {};
  const rejected: Rejection[] = [];
  const reject = (reason: string, field: string, why: string) => rejected.push({ reason, detail: `${field}: ${why}` });
  for (const [name, field] of Object.entries(FIELDS[model])) {
    const given = Object.hasOwn(record, name) ? record[name] : undefined;
    const value = given === undefined || given === null ? undefined : (field.read ?? numberOf)(given);
    const problem = problemWith(given, value, field);
    if (problem) reject(problem[0], name, problem[1]);
    else values[name] = value as number;
  }
  for (const [field, why] of DISAGREEMENTS[model](values)) {
    delete values[field];
    reject("inconsistent", field, why);
  }
  return { values, ...readMeta(record, reject), rejected };
}

function problemWith(given: unknown, value: number | undefined, field: Field): [string, string] | undefined {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = field;
  if (given === undefined || given === null) return ["missing_field", "it is not there"];
  if (value === undefined) return ["not_a_number", `expected a number, got ${typeof given}`];
  if (field.isWhole && !Number.isInteger(value)) return ["not_whole", "expected a whole number"];
  return value < min || value > max ? ["out_of_range", `expected ${rangeText(field)}`] : undefined;
}

const rangeText = ({ min, max }: Field) => (max === undefined ? `at least ${min}` : `${min} to ${max}`);

type Reject = (reason: string, field: string, why: string) => void;

function readMeta(record: Readonly<Record<string, unknown>>, reject: Reject): Omit<Reading, "values" | "rejected"> {
  const { status = "healthy", timestamp } = record;
  const known = STATUSES.find((each) => each === status);
  if (!known) reject("unknown_status", "status", `expected one of ${STATUSES.join(", ")}`);
  const text = typeof timestamp === "string" && timestamp.length < 50 ? timestamp : "";
  const time = Date.parse(text);
  if (timestamp !== undefined && Number.isNaN(time)) reject("bad_timestamp", "timestamp", "expected an ISO 8601 time");
  // Without a zone it is the local time of a server that may be anywhere.
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(text);
  const at = hasZone && !Number.isNaN(time) ? new Date(time) : null;
  return { status: known ?? "error", at, stamp: Number.isNaN(time) ? null : text };
}

/** Memories may come and go while the server counts them. */
const COUNTING_TOLERANCE = 10;

/** Which fields cannot be right beside the others, and why. */
const DISAGREEMENTS: Readonly<Record<Model, (values: Values) => [field: string, why: string][]>> = {
  analytics: () => [],
  memory({ total_memories: total, procedural_memories: p, semantic_memories: s, episodic_memories: e }) {
    if (total === undefined || p === undefined || s === undefined || e === undefined) return [];
    return Math.abs(total - (p + s + e)) > COUNTING_TOLERANCE
      ? [["total_memories", "it is not the sum of its kinds"]]
      : [];
  },
  graph({ node_count: nodes, edge_count: edges, connected_components: parts, largest_component_size: largest }) {
    if (nodes === undefined) return [];
    const wrong: [string, string][] = [];
    if (edges !== undefined && edges > (nodes * (nodes - 1)) / 2)
      wrong.push(["edge_count", "there are more edges than pairs of nodes"]);
    if (parts !== undefined && parts > nodes) wrong.push(["connected_components", "there are more than nodes"]);
    if (largest !== undefined && largest > nodes)
      wrong.push(["largest_component_size", "it is larger than the whole graph"]);
    return wrong;
  },
};

/**
 * Whether this is what the server sends when it could ask its engine for nothing, without saying so: each field blank.
 * A graph without nodes looks just the same, so of graphs nobody can tell.
 */
export function isBlank(model: Model, values: Values): boolean {
  const fields = Object.entries(FIELDS[model]);
  return model !== "graph" && fields.every(([name, { blank = 0 }]) => values[name] === blank);
}

/** Samples in base units. */
export function samplesOf(model: Model, values: Values, at: Date | null): Sample<Metric>[] {
  return Object.entries(values).map(([name, value]) => {
    const { to, kind, per = 1 } = FIELDS[model][name] as Field;
    return {
      ...{ metric: to, value: value / per },
      ...(kind === undefined ? {} : { labels: { kind } }),
      ...(at === null ? {} : { at }),
    };
  });
}

/** Envelopes in each other: there are two at the most. */
const DEEPEST = 4;

/** The record of a model in what a server answers: bare, in an envelope `data`, or beside the others under its own name. */
export function recordOf(model: Model, body: unknown, depth = 0): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(body) || depth > DEEPEST) return undefined;
  if (Object.keys(FIELDS[model]).some((name) => Object.hasOwn(body, name))) return body;
  for (const key of [model, "data"]) {
    const inner = Object.hasOwn(body, key) ? body[key] : undefined;
    if (isRecord(inner)) return recordOf(model, inner, depth + 1);
  }
  return undefined;
}
