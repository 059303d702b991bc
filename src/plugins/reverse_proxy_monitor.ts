import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { urlOf } from "./dragonsync/http.ts";
import { readCaddy } from "./proxy/caddy.ts";
import { METRICS } from "./proxy/metrics.ts";
import { readTraefik } from "./proxy/traefik.ts";
import { fetchOk } from "./web/fetch.ts";
import { checkCredentials, credentialFields, webUrl } from "./web/fields.ts";

const READERS = { caddy: readCaddy, traefik: readTraefik } as const;

const config = z
  .strictObject({
    kind: z.enum(["caddy", "traefik"]).describe("Which reverse proxy it is.").meta({ example: "caddy" }),
    url: webUrl()
      .describe("Base address of its API: of Caddy the admin endpoint, of Traefik the entry point that serves /api.")
      .meta({ example: "http://127.0.0.1:2019" }),
    ...credentialFields,
  })
  .check(checkCredentials);

/** Routes, backends and requests of a Caddy or Traefik. */
export const reverseProxyMonitor = definePlugin({
  id: "reverse_proxy_monitor",
  title: "Reverse proxy",
  summary: "Routes, services, backends and requests of a Caddy or Traefik, from its API.",
  category: "network",
  version: "1.0.0",
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    proxy: {
      summary: "Asks the proxy's API, and its own metrics where they are switched on.",
      every: seconds(30),
      async collect({ config }, context) {
        context.signal.throwIfAborted();
        const samples = await READERS[config.kind]((path) => fetchOk(context, urlOf(config.url, path), config));
        return { samples };
      },
    },
  },
});
