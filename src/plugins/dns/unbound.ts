import { CollectError } from "../../model/run.ts";
import { numberOf } from "../client/mapping.ts";
import { askOverStream, type Place } from "../client/stream.ts";
import type { Metric, Samples } from "./metrics.ts";

/** Asks unbound's control channel for its statistics, without setting them back; what `unbound-control` speaks. */
export async function readUnbound(place: Place, signal: AbortSignal): Promise<Samples> {
  const answer = (await askOverStream({ place, say: "UBCT1 stats_noreset\n" }, signal)).toString();
  if (answer.startsWith("error")) throw new CollectError("bad_data", `unbound refuses stats_noreset: ${line(answer)}`);
  const samples = parseUnbound(answer);
  if (samples.length === 0)
    throw new CollectError(
      "bad_data",
      "the control channel sends no statistics; over TCP it must be set to `control-use-cert: no`",
    );
  return samples;
}

const line = (text: string): string => text.split("\n", 1)[0]?.slice(0, 100) ?? "";

const KEYS: Readonly<Record<string, Metric>> = {
  "total.num.queries": "dns_queries_total",
  "total.num.cachehits": "dns_cache_hits_total",
  "total.num.cachemiss": "dns_cache_misses_total",
  "total.num.prefetch": "dns_prefetches_total",
  "total.num.queries_ip_ratelimited": "dns_rate_limited_queries_total",
  "total.recursion.time.avg": "dns_recursion_seconds",
  "total.requestlist.current.all": "dns_requests_waiting",
  "time.up": "dns_server_uptime_seconds",
};

/** Reads `key=value` lines; what is not known is passed over. */
export function parseUnbound(text: string): Samples {
  const seen = new Set<string>();
  return text.split("\n").flatMap((line): Samples => {
    const [, key = "", told = ""] = /^([^=]{1,100})=(\S{1,40})\s*$/.exec(line) ?? [];
    const value = numberOf(told);
    if (value === undefined || seen.has(key)) return [];
    seen.add(key);
    const metric = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (metric) return [{ metric, value }];
    const [, kind, name = ""] = /^(mem\.cache|num\.answer\.rcode)\.([A-Za-z_]{1,24})$/.exec(key) ?? [];
    if (kind === "mem.cache") return [{ metric: "dns_cache_bytes", value, labels: { cache: name } }];
    if (kind === "num.answer.rcode")
      return [{ metric: "dns_responses_total", value, labels: { rcode: name.toLowerCase() } }];
    return [];
  });
}
