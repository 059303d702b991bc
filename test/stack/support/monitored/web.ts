import { makeAuthority } from "../../../faults/support/certificates.ts";
import { startCaddy } from "../../../support/servers/caddy.ts";
import { startHaproxy } from "../../../support/servers/haproxy.ts";
import { startNginx } from "../../../support/servers/nginx.ts";
import { freePort } from "../../../support/servers/port.ts";
import { startService } from "../../../support/servers/service.ts";
import { documents, local, type Starter, target } from "./target.ts";

const ROOMS = JSON.stringify({
  rooms: [
    { name: "hall", temperature: 21.5 },
    { name: "attic", temperature: 17 },
  ],
});

/** One nginx for all that asks over HTTP and TLS. */
const nginx: Starter = async (parts, folder) => {
  const authority = makeAuthority(folder, "stack-authority");
  const { file, keyFile } = authority.issue("stack", { host: "IP:127.0.0.1" });
  const server = await startNginx(
    2,
    ([port, tls]) => `
      server { listen 127.0.0.1:${port}; location / { return 200 "fine"; } location = /status { stub_status; }
        location = /rooms { default_type application/json; return 200 '${ROOMS}'; } }
      server { listen 127.0.0.1:${tls} ssl; ssl_certificate ${file}; ssl_certificate_key ${keyFile};
        location / { return 200 "fine"; } }`,
  );
  parts.defer(() => server.stop());
  const [port, tls] = server.ports;
  const url = `http://127.0.0.1:${port}`;
  const temperature = { path: "rooms[].temperature", labels: { room: "rooms[].name" } };
  const greeting = { send: "GET / HTTP/1.0\r\n\r\n", expect: "^HTTP/1.1 200" };
  return {
    ...target("nginx_monitor", { url: `${url}/status` }),
    ...target("http_json", {
      url: `${url}/rooms`,
      metrics: [{ metric: "room_temperature_celsius", ...temperature }],
    }),
    ...target("certificate_monitor", {
      servers: [{ ...local, port: tls, tls_ca_file: authority.file }],
      files: [file],
    }),
    ...target("port_monitor", { ports: [{ ...local, port, name: "web", ...greeting }] }),
    ...target("web_service_monitor", {
      endpoints: [
        { name: "plain", url: `${url}/`, content: "fine" },
        { name: "secure", url: `https://127.0.0.1:${tls}/`, tls_ca_file: authority.file },
      ],
    }),
  };
};

const proxies: Starter = async (parts) => {
  const [port, https_port, backend] = [await freePort(), await freePort(), await freePort()];
  const upstreams = [{ dial: `127.0.0.1:${backend}` }];
  const listens = (at: number, handler: object) => ({
    listen: [`127.0.0.1:${at}`],
    metrics: {},
    automatic_https: { disable: true },
    routes: [{ handle: [handler] }],
  });
  const servers = {
    front: listens(port, { handler: "reverse_proxy", upstreams }),
    back: listens(backend, { handler: "static_response", body: "hello" }),
  };
  const caddy = parts.use(await startCaddy({ servers, http_port: port, https_port }));
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  const traefik = await documents(parts, "reverse_proxy_monitor", "traefik");
  return {
    ...target("reverse_proxy_monitor", { kind: "caddy", url: `http://127.0.0.1:${caddy.port}` }, "caddy"),
    ...target("reverse_proxy_monitor", { kind: "traefik", url: `${traefik}/` }, "traefik"),
  };
};

const balancer: Starter = async (parts) => {
  const caddy = parts.use(await startCaddy({ servers: {} }));
  const [port, at] = [await freePort(), `127.0.0.1:${caddy.port}`];
  const server = parts.use(
    await startHaproxy(
      `frontend front\n  bind 127.0.0.1:${port}\n  default_backend app`,
      `backend app\n  server one ${at} check inter 500ms`,
    ),
  );
  return target("haproxy_monitor", { url: `http://127.0.0.1:${server.port}/stats;csv` });
};

const exporter: Starter = async (parts) => {
  const args = ({ port }: { port: number }) => [`--web.listen-address=127.0.0.1:${port}`];
  const { port } = parts.use(await startService({ program: "prometheus-node-exporter", args }));
  return target("prometheus_scrape", { url: `http://127.0.0.1:${port}/metrics`, include: ["node_load.*"] });
};

export const WEB: readonly Starter[] = [nginx, proxies, balancer, exporter];
