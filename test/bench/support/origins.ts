import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { answerTo, createKit, type Kit } from "../../../src/demo/kit.ts";
import { routeOf } from "../../../src/demo/routes.ts";
import { head, json, NOT_FOUND, parseRequest } from "../../../src/demo/wire.ts";
import { kitProfile } from "../../../src/demo/world.ts";

/** How an origin treats its connections: as kits do (HTTP/1.0, each is closed), or as a proxy in front of one (HTTP/1.1). */
export type Manner = "close" | "keep-alive";

/** Origins of one manner, in processes of their own. */
export interface Origins extends AsyncDisposable {
  readonly urls: readonly string[];
}

interface Order {
  /** Number of the first of them. */
  readonly first: number;
  readonly count: number;
  readonly manner: Manner;
}

/** What each origin lists: as many as the bar is set for. 20 drones are 22.6 KB. */
const POPULATION = { drones: 20, aircraft: 0, signals: 5 };
/** Rows that polling both lists of an origin comes to. */
export const ROWS = POPULATION.drones + POPULATION.signals;
/** The first of the addresses, of 127.0.0.0/8: nobody else listens here. */
const NETWORK = "127.77";
/** As many connections may wait as a client opens at once. */
const BACKLOG = 1_024;
/** Longer than a bench takes. */
const KEEP_ALIVE_MS = 600_000;

/**
 * Origins of one process: each takes a file to listen and one for every poller that keeps its connection, and a process
 * that has run out of files (commonly after 20,000) hangs up on whoever calls.
 */
const ORIGINS_A_PROCESS = 2_500;

/** Starts that many origins, each an address of its own. */
export async function startOrigins(count: number, manner: Manner): Promise<Origins> {
  await using parts = new AsyncDisposableStack();
  const urls: string[] = [];
  for (let first = 0; first < count; first += ORIGINS_A_PROCESS) {
    const some = parts.use(await startSome({ first, count: Math.min(ORIGINS_A_PROCESS, count - first), manner }));
    urls.push(...some.urls);
  }
  const started = parts.move();
  return { urls, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

async function startSome(order: Order): Promise<Origins> {
  const child = fork(import.meta.filename, [], { execArgv: [] });
  child.send(order);
  const [urls] = (await once(child, "message")) as [string[]];
  return {
    urls,
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
}

/** What a kit lists, with a new time of observation every time it is asked. */
function createListing(kit: Kit, path: "/drones" | "/signals"): () => string {
  const { answer } = answerTo(kit, routeOf(path), path, Date.now());
  const pieces = answer.body.toString().split(/(?<="(?:last_update_time|observed_at)": )[\d.]+/);
  return () => pieces.join((Date.now() / 1_000).toFixed(6));
}

/** Answers by path: all origins say the same, for what they say is no cost of theirs to measure. */
function createListings(): (path: string) => string | undefined {
  const pace = { fresh: true, tick: 100 };
  const surroundings = { population: POPULATION, pace, gzipBomb: () => NOT_FOUND, elsewhere: 0 };
  const kit = createKit(kitProfile(1, 0), surroundings);
  const listings = new Map(
    (["/drones", "/signals"] as const).map((path) => [path as string, createListing(kit, path)]),
  );
  return (path) => listings.get(path)?.();
}

/** HTTP/1.0, as kits speak it. */
function createClosing(listing: (path: string) => string | undefined): Server {
  const serve = (socket: Socket) => {
    let request = "";
    socket.setEncoding("latin1").on("error", () => undefined);
    socket.on("data", (text: string) => {
      request += text;
      const parsed = parseRequest(request);
      if (!parsed) return;
      const body = listing(parsed.path);
      const answer = body === undefined ? NOT_FOUND : json(200, body);
      socket.end(head(answer, Date.now()) + answer.body, "latin1");
    });
  };
  return createServer({ noDelay: true }, serve);
}

/** HTTP/1.1 by node:http, which keeps connections. */
function createKeeping(listing: (path: string) => string | undefined): Server {
  return createHttp({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const body = listing(request.url ?? "") ?? "";
    const headers = { "content-type": "application/json", "content-length": body.length };
    response.writeHead(body === "" ? 404 : 200, headers).end(body, "latin1");
  });
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen({ host, port, backlog: BACKLOG });
  await once(server, "listening");
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

async function serve({ first, count, manner }: Order): Promise<string[]> {
  const listing = createListings();
  const create = manner === "close" ? createClosing : createKeeping;
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  const addresses = numbers.map((n) => `${NETWORK}.${(n >> 8) + 1}.${n & 255}`);
  return await Promise.all(addresses.map((host) => listen(create(listing), host, 0)));
}

if (import.meta.main) {
  process.once("message", async (order: Order) => process.send?.(await serve(order)));
  process.once("disconnect", () => process.exit());
}
