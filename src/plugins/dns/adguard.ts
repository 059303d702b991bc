import { CollectError } from "../../model/run.ts";
import { fieldAt, isRecord, numberOf, samplesOf, textAt } from "../client/mapping.ts";
import { type Api, askAll } from "./api.ts";
import type { Metric, Samples } from "./metrics.ts";

const STATS = [
  { from: "num_dns_queries", to: "dns_window_queries" },
  { from: "num_blocked_filtering", to: "dns_window_blocked_queries", labels: { reason: "filter" } },
  { from: "num_replaced_safebrowsing", to: "dns_window_blocked_queries", labels: { reason: "safebrowsing" } },
  { from: "num_replaced_parental", to: "dns_window_blocked_queries", labels: { reason: "parental" } },
  // Seconds, as a fraction.
  { from: "avg_processing_time", to: "dns_window_processing_seconds" },
] as const;

const UNIT_SECONDS: Readonly<Record<string, number>> = { hours: 3_600, days: 86_400 };

/** Reads AdGuard Home. */
export async function readAdguard(api: Api, signal: AbortSignal): Promise<Samples> {
  const credentials = Buffer.from(`${api.user ?? ""}:${api.password ?? ""}`).toString("base64");
  const headers: Record<string, string> = api.password === undefined ? {} : { authorization: `Basic ${credentials}` };
  const paths = ["control/stats", "control/status", "control/filtering/status"];
  const [stats, status, filtering] = await askAll(api, paths, { headers }, signal);
  const samples = samplesOf<Metric>(stats, STATS);
  if (samples.length === 0) throw new CollectError("bad_data", "the answer holds none of AdGuard Home's statistics");
  return [...samples, ...ratio(samples), ...windowOf(stats), ...protection(status), ...rules(filtering)];
}

/** Of the three reasons together. */
function ratio(samples: Samples): Samples {
  const sum = (metric: Metric) =>
    samples.filter((one) => one.metric === metric).reduce((all, one) => all + one.value, 0);
  const queries = sum("dns_window_queries");
  if (queries === 0) return [];
  return [{ metric: "dns_window_blocked_ratio", value: sum("dns_window_blocked_queries") / queries }];
}

/** It keeps as many hours or days as it is set to, and sends one number for each. */
function windowOf(stats: unknown): Samples {
  const series = fieldAt(stats, "dns_queries");
  const unit = UNIT_SECONDS[textAt(stats, "time_units")];
  if (!Array.isArray(series) || unit === undefined) return [];
  return [{ metric: "dns_window_seconds", value: series.length * unit }];
}

function protection(status: unknown): Samples {
  const [running, enabled] = [fieldAt(status, "running"), fieldAt(status, "protection_enabled")];
  if (typeof enabled !== "boolean") return [];
  return [{ metric: "dns_blocking_enabled", value: Number(enabled && running !== false) }];
}

/** Rules of the lists that are switched on. */
function rules(filtering: unknown): Samples {
  const filters = fieldAt(filtering, "filters");
  if (!Array.isArray(filters)) return [];
  const enabled = filters.filter((one) => isRecord(one) && one["enabled"] === true);
  const count = enabled.reduce((all: number, one) => all + (numberOf(fieldAt(one, "rules_count")) ?? 0), 0);
  const renewed = enabled.map((one) => Date.parse(textAt(one, "last_updated"))).filter((ms) => ms > 0);
  return [
    { metric: "dns_blocklist_domains", value: count },
    ...(renewed.length === 0
      ? []
      : [{ metric: "dns_blocklist_update_timestamp_seconds" as const, value: Math.max(...renewed) / 1000 }]),
  ];
}
