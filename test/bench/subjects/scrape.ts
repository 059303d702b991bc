import { once } from "node:events";
import { Agent, createServer, get, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { alone } from "../support/alone.ts";
import { median } from "../support/bench.ts";
import { FAMILY, kitsOf, LABEL_NAMES, pointsOf } from "../support/fleet.ts";

/** A server of the current values. */
interface Exposed {
  readonly url: string;
  /** Takes in a new value of every series. */
  feed(round: number): void;
  /** Expositions made so far, where it can tell. */
  renders(): number;
}

export type ServerName = keyof typeof servers;

const servers = { ours, promClient };

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** gleaner's own server, route, renderer and snapshot, without the rest of the service. */
async function ours(n: number): Promise<Exposed> {
  const { negotiate } = await import("../../../src/expose/negotiate.ts");
  const { createRenderer } = await import("../../../src/expose/render.ts");
  const { createSelf } = await import("../../../src/expose/self.ts");
  const { createSnapshot } = await import("../../../src/expose/snapshot.ts");
  const { createHttpServer } = await import("../../../src/http/server.ts");
  const { application, memoryLog } = await import("../../http/helpers.ts");
  const snapshot = createSnapshot();
  let renders = 0;
  const families = () => {
    renders += 1;
    return snapshot.families();
  };
  const renderer = createRenderer({ ...snapshot, families }, createSelf({ version: "1" }));
  const metrics = (accept: string | undefined, acceptEncoding: string | undefined) =>
    renderer.render(negotiate({ accept, "accept-encoding": acceptEncoding }));
  const server = createHttpServer({
    ...{ app: application({ metrics }), listen: { host: "127.0.0.1", port: 0 }, tokens: [], allowedHosts: [] },
    log: memoryLog(),
  });
  const { url } = await server.listen();
  return {
    url: `${url}metrics`,
    feed(round) {
      for (const { kit, readings } of kitsOf(n, round, "all")) snapshot.replace(kit, "sensors", pointsOf(readings));
    },
    renders: () => renders,
  };
}

/** What one would put together oneself; its compression is off the loop too, and at the same level. */
async function promClient(n: number): Promise<Exposed> {
  const { default: compression } = await import("compression");
  const { default: express } = await import("express");
  const { collectDefaultMetrics, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { name, help } = FAMILY;
  const gauge = new Gauge({ name, help, labelNames: [...LABEL_NAMES], registers: [registry] });
  let renders = 0;
  const app = express();
  app.use(compression({ level: 1 }));
  app.get("/metrics", async (_request, response) => {
    renders += 1;
    response.set("Content-Type", registry.contentType).send(await registry.metrics());
  });
  return {
    url: `${await listen(app)}/metrics`,
    feed(round) {
      for (const { readings } of kitsOf(n, round, "all"))
        for (const { labels, value } of readings) gauge.set(labels, value);
    },
    renders: () => renders,
  };
}

const WARM_UP = 2;

export interface Scraped {
  /** Median wall time until the last of the scrapers had its exposition (ms). */
  readonly ms: number;
  /** Median CPU of the serving process for that (ms). */
  readonly cpu: number;
  /** The most expositions that were made for one turn of all scrapers. */
  readonly renders: number;
}

/** Serves n series to scrapers that come at once, and in a process of their own; new values before each turn. */
export async function serve(
  name: ServerName,
  { n, scrapers, rounds }: { n: number; scrapers: number; rounds: number },
): Promise<Scraped> {
  const exposed = await servers[name](n);
  const [cpu, renders]: [number[], number[]] = [[], []];
  let used = process.cpuUsage();
  let rendered = 0;
  // Each turn begins with a request for new values: what happened since the last one is what its scrapes cost.
  const control = await listen((_request, response) => {
    const { user, system } = process.cpuUsage(used);
    cpu.push((user + system) / 1_000);
    renders.push(exposed.renders() - rendered);
    exposed.feed(cpu.length);
    rendered = exposed.renders();
    used = process.cpuUsage();
    response.end();
  });
  const turns = { url: exposed.url, control, scrapers, turns: WARM_UP + rounds, lines: n };
  const ms = await alone<number[]>(import.meta.url, "scrape", turns);
  const measured = <T>(values: readonly T[]) => values.slice(1 + WARM_UP);
  return { ms: median(ms.slice(WARM_UP)), cpu: median(measured(cpu)), renders: Math.max(...measured(renders)) };
}

/** What Prometheus asks for. */
const HEADERS = {
  Accept: "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.6,*/*;q=0.1",
  "Accept-Encoding": "gzip",
};

async function fetchAll(url: string, agent: Agent): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  get(url, { headers: HEADERS, agent }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => resolve(Buffer.concat(chunks)));
    response.on("error", reject);
  }).on("error", reject);
  return await promise;
}

/** The scrapers' side: wall time of each turn (ms). Bodies are unpacked afterwards, and must be whole. */
export async function scrape(given: {
  url: string;
  control: string;
  scrapers: number;
  turns: number;
  lines: number;
}): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: given.scrapers });
  const taken: number[] = [];
  for (let turn = 0; turn <= given.turns; turn++) {
    await fetchAll(given.control, agent);
    // The last one only asks for what the turn before it cost.
    if (turn === given.turns) break;
    const begun = performance.now();
    const bodies = await Promise.all(Array.from({ length: given.scrapers }, () => fetchAll(given.url, agent)));
    taken.push(performance.now() - begun);
    for (const body of bodies) {
      const text = (await promisify(gunzip)(body)).toString();
      const lines = text.match(/^bench_value\{/gm)?.length;
      if (lines !== given.lines) throw new Error(`${lines} of ${given.lines} series came`);
    }
  }
  agent.destroy();
  return taken;
}
