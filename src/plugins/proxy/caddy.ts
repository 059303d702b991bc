import { CollectError } from "../../model/run.ts";
import { fieldAt, isRecord, numberOf } from "../client/mapping.ts";
import { parseJson } from "../web/fetch.ts";
import { label, type Samples } from "./metrics.ts";
import { type Ask, askMetrics, requestsOf } from "./requests.ts";

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Reads the admin API of a Caddy 2. */
export async function readCaddy(ask: Ask): Promise<Samples> {
  const config = parseJson(await ask("/config/"));
  // Without a configuration it answers null.
  if (config !== null && !isRecord(config)) throw new CollectError("bad_data", "/config/ is not that of a Caddy");
  const upstreams = listOf(parseJson(await ask("/reverse_proxy/upstreams")));
  const metrics = await askMetrics(ask);
  const healthy = new Map(
    (metrics ?? [])
      .filter(({ name }) => name === "caddy_reverse_proxy_upstreams_healthy")
      .map(({ labels, value }) => [labels["upstream"], value]),
  );
  return [
    ...readConfig(config),
    ...upstreams.flatMap((upstream) => readUpstream(upstream, healthy)),
    ...requestsOf(metrics ?? [], "caddy_http_requests_total", "server", "handler"),
  ];
}

function readConfig(config: unknown): Samples {
  const servers = Object.values(fieldAt(config, "apps.http.servers") ?? {}).filter(isRecord);
  const routes = (list: typeof servers) => list.reduce((sum, { routes }) => sum + listOf(routes).length, 0);
  const listeners = new Set(servers.flatMap(({ listen }) => listOf(listen)));
  return [
    { metric: "proxy_routes", value: routes(servers), labels: { protocol: "http", state: "enabled" } },
    { metric: "proxy_tls_routes", value: routes(servers.filter(isSecure)) },
    { metric: "proxy_listeners", value: listeners.size },
  ];
}

/** TLS is on where it is set up, and by itself on the port for it. */
function isSecure({ tls_connection_policies: policies, listen }: Readonly<Record<string, unknown>>): boolean {
  return (
    listOf(policies).length > 0 ||
    listOf(listen).some((address) => typeof address === "string" && address.endsWith(":443"))
  );
}

function readUpstream(upstream: unknown, healthy: ReadonlyMap<string | undefined, number>): Samples {
  const address = fieldAt(upstream, "address");
  if (typeof address !== "string") return [];
  const labels = { backend: label(address) };
  const [requests, fails = 0] = [numberOf(fieldAt(upstream, "num_requests")), numberOf(fieldAt(upstream, "fails"))];
  const isUp = (healthy.get(address) ?? 1) > 0 && fails === 0;
  return [
    { metric: "proxy_backend_up", value: Number(isUp), labels: { proxy_service: "", ...labels } },
    ...(requests === undefined ? [] : ([{ metric: "proxy_backend_requests", value: requests, labels }] as const)),
    { metric: "proxy_backend_failures", value: fails, labels },
  ];
}
