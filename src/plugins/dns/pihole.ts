import { CollectError } from "../../model/run.ts";
import { parseJson } from "../client/json.ts";
import { isRecord, samplesOf } from "../client/mapping.ts";
import { type Api, ask, askAll, askJson } from "./api.ts";
import type { Metric, Samples } from "./metrics.ts";

/** Pi-hole counts over the last 24 hours. */
const DAY: Samples = [{ metric: "dns_window_seconds", value: 86_400 }];

const SUMMARY = [
  { from: "queries.total", to: "dns_window_queries" },
  { from: "queries.blocked", to: "dns_window_blocked_queries", labels: { reason: "filter" } },
  { from: "queries.percent_blocked", to: "dns_window_blocked_ratio", scale: 0.01 },
  { from: "queries.cached", to: "dns_window_cached_queries" },
  { from: "queries.forwarded", to: "dns_window_forwarded_queries" },
  { from: "queries.unique_domains", to: "dns_window_unique_domains" },
  { from: "clients.total", to: "dns_clients", labels: { state: "seen" } },
  { from: "clients.active", to: "dns_clients", labels: { state: "active" } },
  { from: "gravity.domains_being_blocked", to: "dns_blocklist_domains" },
  { from: "gravity.last_update", to: "dns_blocklist_update_timestamp_seconds" },
] as const;

const SUMMARY_V5 = [
  { from: "dns_queries_today", to: "dns_window_queries" },
  { from: "ads_blocked_today", to: "dns_window_blocked_queries", labels: { reason: "filter" } },
  { from: "ads_percentage_today", to: "dns_window_blocked_ratio", scale: 0.01 },
  { from: "queries_cached", to: "dns_window_cached_queries" },
  { from: "queries_forwarded", to: "dns_window_forwarded_queries" },
  { from: "unique_domains", to: "dns_window_unique_domains" },
  { from: "clients_ever_seen", to: "dns_clients", labels: { state: "seen" } },
  { from: "unique_clients", to: "dns_clients", labels: { state: "active" } },
  { from: "domains_being_blocked", to: "dns_blocklist_domains" },
  { from: "gravity_last_updated.absolute", to: "dns_blocklist_update_timestamp_seconds" },
] as const;

const blocking = (text: unknown): Samples =>
  typeof text === "string" ? [{ metric: "dns_blocking_enabled", value: Number(text === "enabled") }] : [];

/** Where the id of the session lies in the target's memory; Pi-hole has 16 seats, and each login takes one for 30 minutes. */
const SESSION = "pihole_session";

/** Reads Pi-hole 6: logs in when it must, and keeps the session for the next run. */
export async function readPihole(api: Api, state: Map<string, unknown>, signal: AbortSignal): Promise<Samples> {
  const sid = state.get(SESSION);
  const first = typeof sid === "string" ? sid : api.password === undefined ? "" : await login(api, state, signal);
  const [summary, mode] = await both(api, first, signal).catch(async (error) => {
    if (!(error instanceof CollectError && error.status === 401) || api.password === undefined) throw error;
    return both(api, await login(api, state, signal), signal);
  });
  return readings(samplesOf<Metric>(summary, SUMMARY), blocking(isRecord(mode) ? mode["blocking"] : undefined));
}

function readings(samples: Samples, mode: Samples): Samples {
  if (samples.length === 0) throw new CollectError("bad_data", "the answer holds none of Pi-hole's statistics");
  return [...samples, ...mode, ...DAY];
}

function both(api: Api, sid: string, signal: AbortSignal): Promise<unknown[]> {
  const headers: Record<string, string> = sid === "" ? {} : { "x-ftl-sid": sid };
  return askAll(api, ["api/stats/summary", "api/dns/blocking"], { headers }, signal);
}

async function login(api: Api, state: Map<string, unknown>, signal: AbortSignal): Promise<string> {
  const body = JSON.stringify({ password: api.password });
  const answer = await ask(api, "api/auth", { method: "POST", body }, signal);
  const told = answer.status === 401 ? undefined : parseJson(answer.body.toString(), "POST /api/auth");
  const session = isRecord(told) && isRecord(told["session"]) ? told["session"] : {};
  if (answer.status === 429)
    throw new CollectError("http_status", "Pi-hole has no seat left for a session, or was asked too often", {
      status: 429,
    });
  if (answer.status !== 200 || session["valid"] !== true)
    throw new CollectError(
      "http_status",
      "Pi-hole refuses the password; an application password does where 2FA is on",
      {
        status: answer.status,
      },
    );
  const sid = typeof session["sid"] === "string" ? session["sid"] : "";
  state.set(SESSION, sid);
  return sid;
}

/** Gives the seat back. */
export async function leavePihole(api: Api, sid: unknown, signal: AbortSignal): Promise<void> {
  if (typeof sid === "string" && sid !== "")
    await ask(api, "api/auth", { method: "DELETE", headers: { "x-ftl-sid": sid } }, signal);
}

/** The session in a target's memory, for `leavePihole`. */
export const sessionIn = (state: ReadonlyMap<string, unknown>): unknown => state.get(SESSION);

/** Reads Pi-hole 5, whose token is that of its settings page. */
export async function readPiholeV5(api: Api, signal: AbortSignal): Promise<Samples> {
  const token = api.password === undefined ? "" : `&auth=${encodeURIComponent(api.password)}`;
  const summary = await askJson(api, `admin/api.php?summaryRaw${token}`, {}, signal);
  // What it answers to whom it does not know: an empty list, and the status 200.
  if (Array.isArray(summary))
    throw new CollectError("http_status", "Pi-hole refuses the API token, or wants one", { status: 401 });
  return readings(samplesOf<Metric>(summary, SUMMARY_V5), blocking(isRecord(summary) ? summary["status"] : undefined));
}
