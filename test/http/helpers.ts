import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Agents } from "../../src/http/app/agents.ts";
import type { KitView, Overview, TargetView } from "../../src/http/app/overview.ts";
import type { PluginView } from "../../src/http/app/plugins.ts";
import type { Application } from "../../src/http/app.ts";
import { createHttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { SCOPES, type Scope, type Token } from "../../src/http/tokens.ts";
import type { Logger } from "../../src/model/plugin.ts";

/** Secrets of the test's tokens: they must never be seen in an answer or a log line. */
export const SECRETS: Readonly<Record<Scope, string>> = {
  metrics: "canary-metrics-0b7e1c",
  read: "canary-read-5f3d9a",
  ingest: "canary-ingest-c81e77",
  alerts: "canary-alerts-77d0b2",
  admin: "canary-admin-2a64f0",
};

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export const TOKENS: readonly Token[] = SCOPES.map((scope) => ({
  name: `${scope}-token`,
  scopes: [scope],
  sha256: sha256(SECRETS[scope]),
}));

export const bearer = (secret: string): Record<string, string> => ({ Authorization: `Bearer ${secret}` });

/** A logger that keeps its lines. Errors are kept with message and stack, as a real one would write them. */
export function memoryLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (level: string) => (fields: object, message: string) => {
    const plain = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.stack : value]);
    lines.push(JSON.stringify({ level, message, ...Object.fromEntries(plain) }));
  };
  return { lines, debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };
}

export const NOW = new Date("2026-11-22T12:00:00Z");

export function target(over: Partial<TargetView> = {}): TargetView {
  return {
    id: "system_info",
    name: "system_info",
    plugin: "system_info",
    state: "healthy",
    lastSuccess: new Date(Date.now() - 12_000),
    nextRun: new Date(Date.now() + 33_000),
    consecutiveFailures: 0,
    failures: 0,
    lastError: null,
    series: 42,
    rejected: {},
    ...over,
  };
}

export function kit(over: Partial<KitView> = {}): KitView {
  const base = target({ id: "kit-001", name: "Alpha", plugin: "dragonsync", state: "online", ...over });
  return { location: "North ridge", address: "http://192.0.2.1:8088", ...base, ...over };
}

export function overview(over: Partial<Overview> = {}): Overview {
  return {
    store: { label: "sqlite data/gleaner.db", reachable: true, rows: { samples: 12_345, drones: 678 } },
    series: 421,
    targets: [target()],
    kits: [kit()],
    ...over,
  };
}

export const plugin = (over: Partial<PluginView> = {}): PluginView => ({
  ...{ id: "thing", title: "Thing", summary: "A thing.", category: "custom", version: "1.0.0", enabled: true },
  ...{ targets: ["thing"], edited: false, changedAt: null, refused: null, failed: null },
  ...over,
});

/** An agent with a key of its own, and one whose key is good for that alone. */
export const AGENT_KEYS: Readonly<Record<string, string>> = {
  "agent-1": "gla_canary-agent-1-f10f6e",
  "agent-2": "gla_canary-agent-2-0a9b1c",
};

const agentDone = async () => ({ status: "done", body: {} }) as const;

/** Agents that take everything. */
export const agents = (over: Partial<Agents> = {}): Agents => ({
  list: () => [],
  judge: (id, presented) => (!presented.startsWith("gla_") ? "other" : AGENT_KEYS[id] === presented ? "good" : "wrong"),
  ...{ add: agentDone, renew: agentDone, revoke: agentDone, configure: agentDone },
  ...{ register: agentDone, report: agentDone, health: agentDone },
  config: () => ({ status: "done", body: {} }),
  ...over,
});

/** A whole application with plain answers; a test replaces what it is about. */
export function application(over: Partial<Application> = {}): Application {
  return {
    version: "0.1.0",
    startedAt: new Date(Date.now() - 11_520_000),
    docsUrl: null,
    describe: () => overview(),
    jobs: () => [],
    metrics: async () => ({
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      body: Buffer.from("gleaner_up 1\n"),
    }),
    otelMetrics: async () => ({
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      body: Buffer.from("otel 1\n"),
    }),
    ready: () => ({ ready: true, reasons: [] }),
    serviceDiscovery: () => [],
    probe: async () => ({ contentType: "text/plain; version=0.0.4", body: Buffer.from("probe_success 1\n") }),
    receiveAlerts: () => ({ status: "kept", accepted: 1, rejected: {} }),
    buffers: (target) => ({ target, jobs: [], memory: { used: 0, limit: 1 } }),
    health: () => ({ overall: "healthy", trend: "stable", since: null, components: [], alerts: [] }),
    agents: agents(),
    reads: {
      metrics: async (target) => ({ target, plugin: "thing", source: "memory", metrics: [] }),
      status: async () => "unknown",
      summary: async () => ({ source: "database", at: NOW, targets: {}, plugins: {}, series: 0 }),
    },
    plugins: () => [],
    changePlugin: async () => ({ status: "changed", plugin: plugin() }),
    ...over,
  };
}

/** Starts a real server on a free port of 127.0.0.1 (or where `over.listen` says) and closes it with the test. */
export async function serve(t: TestContext, over: Partial<HttpServerOptions> = {}) {
  const log = memoryLog();
  const server = createHttpServer({
    app: application(),
    listen: { host: "127.0.0.1", port: 0 },
    tokens: [],
    allowedHosts: [],
    log,
    ...over,
  });
  const { port } = await server.listen();
  t.after(() => server.close(0));
  return { url: `http://127.0.0.1:${port}`, port, server, log };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes as they are, and reads until the server hangs up: what fetch would refuse to send. */
export async function raw(port: number, bytes: string | Buffer): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<void>();
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => resolve());
  socket.on("close", () => resolve());
  socket.write(bytes);
  await promise;
  return parseAnswer(Buffer.concat(chunks).toString("latin1"));
}

/** GET with headers that fetch does not let a program set, such as Host. */
export function rawGet(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<RawAnswer> {
  const all = { Host: `127.0.0.1:${port}`, Connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return raw(port, `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

function parseAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(first.split(" ")[1]), headers: Object.fromEntries(headers), body: rest.join("\r\n\r\n") };
}

/** Opens a socket and resolves when it is connected. */
export async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("connect", resolve);
  socket.on("error", reject);
  await promise;
  return socket;
}

/** Content type of the text exposition. */
export const TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** Checks that an answer is a problem document and returns its detail. */
export async function problemOf(answer: Response, status: number): Promise<string> {
  assert.equal(answer.status, status);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  const body = (await answer.json()) as Record<string, unknown>;
  assert.deepEqual(Object.keys(body), ["type", "title", "status", "detail"]);
  assert.equal(body["type"], "about:blank");
  assert.equal(body["status"], status);
  assert.equal(typeof body["title"], "string");
  return String(body["detail"]);
}
