import type { Server, ServerResponse } from "node:http";
import type { Logger } from "../model/plugin.ts";
import { isLoopback } from "./address.ts";
import type { Application } from "./app.ts";
import { createGuard } from "./auth.ts";
import { answerClientErrors } from "./client-error.ts";
import { createHandler } from "./express.ts";
import { type ListenAddress, type Listening, listenOn } from "./listen.ts";
import type { Route } from "./route.ts";
import { routesOf } from "./routes/index.ts";
import type { Token } from "./tokens.ts";

// Not by import, which reads every export of it, and with WebSocket loads the undici that is built into Node: 10 MB.
const { createServer } = process.getBuiltinModule("node:http");

export interface HttpServerOptions {
  readonly app: Application;
  readonly listen: ListenAddress;
  /** Empty: this machine may read, and nobody may do more. */
  readonly tokens: readonly Token[];
  /** Host names, besides those of loopback, under which this machine may read without a token. */
  readonly allowedHosts: readonly string[];
  readonly log: Logger;
  /** Instead of the built-in route table; for tests. */
  readonly routes?: readonly Route[];
  readonly limits?: Partial<ServerLimits>;
}

export interface HttpServer {
  /** @throws {Error} with a sentence for the operator; see listenOn. */
  listen(): Promise<Listening>;
  /** Takes no new requests, lets those under way finish for at most `grace` milliseconds, then hangs up. Never rejects. */
  close(grace?: number): Promise<void>;
}

/** Milliseconds, bytes and counts. */
interface ServerLimits {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  /** How often the two above are looked at; node's 30 s would let a slow client stay for 40. */
  readonly connectionsCheckingInterval: number;
  /** Longer than the usual scrape interval of 15 to 60 s, so that Prometheus keeps its connection. */
  readonly keepAliveTimeout: number;
  /** A connection on which nothing moves for so long is dropped, also in the middle of an answer that nobody reads. */
  readonly idleTimeout: number;
  /** An answer that is complete must be taken within this time: who reads byte by byte holds all of it in memory. */
  readonly answerTimeout: number;
  readonly maxHeaderSize: number;
  readonly maxConnections: number;
  readonly maxRequestsPerSocket: number;
}

const LIMITS: ServerLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
  idleTimeout: 120_000,
  answerTimeout: 30_000,
  maxHeaderSize: 16 * 1_024,
  maxConnections: 2_048,
  maxRequestsPerSocket: 1_000,
};

const CLOSE_GRACE_MS = 5_000;

/**
 * The HTTP server: the route table behind one guard, with limits on everything a client can hold on to.
 * @throws when a route declares no access or a token's digest is malformed.
 */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { app, log } = options;
  let boundToLoopback = false;
  const guard = createGuard({
    tokens: options.tokens,
    allowedHosts: options.allowedHosts,
    agentKey: app.agents.judge,
    boundToLoopback: () => boundToLoopback,
    log,
  });
  const handler = createHandler({ routes: options.routes ?? routesOf(app), guard, log });
  const server = createLimitedServer({ ...LIMITS, ...options.limits }).on("request", handler);
  answerClientErrors(server);
  let closed: Promise<void> | undefined;
  return {
    async listen() {
      const listening = await listenOn(server, options.listen, options.tokens.length > 0);
      boundToLoopback = isLoopback(listening.host);
      server.on("error", (error) => log.error({ err: error }, "http server error"));
      return listening;
    },
    close(grace = CLOSE_GRACE_MS) {
      closed ??= closeGracefully(server, grace);
      return closed;
    },
  };
}

function createLimitedServer(limits: ServerLimits): Server {
  const { maxConnections, maxRequestsPerSocket, idleTimeout, answerTimeout, ...options } = limits;
  // No insecure parser whatever NODE_OPTIONS says: it lets requests be smuggled past a proxy.
  const server = createServer({ ...options, insecureHTTPParser: false, requireHostHeader: true });
  server.maxConnections = maxConnections;
  server.maxRequestsPerSocket = maxRequestsPerSocket;
  server.timeout = idleTimeout;
  server.on("request", (_request, response) => response.once("prefinish", () => hurry(response, answerTimeout)));
  return server;
}

/** Hangs up when an answer that was handed over whole has not gone out in time. */
function hurry(response: ServerResponse, timeout: number): void {
  const late = setTimeout(() => response.destroy(), timeout);
  response.once("close", () => clearTimeout(late));
}

function closeGracefully(server: Server, grace: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const force = setTimeout(() => server.closeAllConnections(), grace);
  // Requests that still come on kept-alive connections are answered and told to come on a new one.
  server.prependListener("request", (_request, response) => response.setHeader("Connection", "close"));
  // A connection is idle again only after its answer; without this it would stay until its keep-alive time-out.
  const hangUp = setInterval(() => server.closeIdleConnections(), Math.min(50, grace));
  server.close(() => {
    clearTimeout(force);
    clearInterval(hangUp);
    resolve();
  });
  return promise;
}
