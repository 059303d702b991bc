import { CollectError } from "../../model/run.ts";
import { fieldAt, isRecord, numberOf } from "../client/mapping.ts";
import { parseJson } from "../web/fetch.ts";
import { label, type Samples } from "./metrics.ts";
import { type Ask, askMetrics, requestsOf } from "./requests.ts";

const PROTOCOLS = ["http", "tcp", "udp"] as const;
/** Pages of a listing that are read; at a thousand entries each that is far more than there are series for. */
const MAX_PAGES = 10;

/** Reads the API of a Traefik 2 or 3. */
export async function readTraefik(ask: Ask): Promise<Samples> {
  const overview = parseJson(await ask("/api/overview"));
  if (!isRecord(fieldAt(overview, "http")))
    throw new CollectError("bad_data", "/api/overview is not that of a Traefik");
  const [routers, services] = [await listing(ask, "/api/http/routers"), await listing(ask, "/api/http/services")];
  const entrypoints = parseJson(await ask("/api/entrypoints"));
  const version = fieldAt(parseJson(await ask("/api/version")), "Version");
  const metrics = (await askMetrics(ask)) ?? [];
  return [
    ...countsOf(overview, "routers", "proxy_routes"),
    { metric: "proxy_tls_routes", value: routers.filter((router) => isRecord(fieldAt(router, "tls"))).length },
    { metric: "proxy_listeners", value: Array.isArray(entrypoints) ? entrypoints.length : 0 },
    ...countsOf(overview, "services", "proxy_services"),
    ...services.flatMap(readService),
    ...requestsOf(metrics, "traefik_entrypoint_requests_total", "entrypoint"),
    { metric: "proxy_info", value: 1, labels: { version: label(version) } },
  ];
}

/** A whole listing, page by page as its header says. */
async function listing(ask: Ask, path: string): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for (let page = 1; page <= MAX_PAGES; ) {
    const answer = await ask(`${path}?per_page=1000&page=${page}`);
    const entries = parseJson(answer);
    if (!Array.isArray(entries)) throw new CollectError("bad_data", `${path} is not that of a Traefik`);
    all.push(...entries);
    const next = Number(answer.headers["x-next-page"]);
    // The last page names the first as the next.
    if (!(next > page)) break;
    page = next;
  }
  return all;
}

function countsOf(overview: unknown, what: "routers" | "services", metric: "proxy_routes" | "proxy_services"): Samples {
  return PROTOCOLS.flatMap((protocol) => {
    const count = (field: string) => numberOf(fieldAt(overview, `${protocol}.${what}.${field}`));
    const [total, warnings = 0, errors = 0] = [count("total"), count("warnings"), count("errors")];
    if (total === undefined) return [];
    const states = { enabled: Math.max(0, total - warnings - errors), warning: warnings, disabled: errors };
    return Object.entries(states).map(([state, value]) => ({ metric, value, labels: { protocol, state } }));
  });
}

function readService(service: unknown): Samples {
  const name = label(fieldAt(service, "name"));
  const servers = fieldAt(service, "serverStatus");
  if (!isRecord(servers)) return [];
  return Object.entries(servers).map(([backend, status]) => ({
    metric: "proxy_backend_up",
    value: Number(status === "UP"),
    labels: { proxy_service: name, backend: label(backend) },
  }));
}
