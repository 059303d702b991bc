import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpClient } from "../../../src/collect/http.ts";
import type { Context, HttpClient } from "../../../src/model/plugin.ts";
import type { Collected } from "../../../src/model/sample.ts";
import { dragonsync } from "../../../src/plugins/dragonsync.ts";

/** A moment shortly after the captures were made. */
export const NOW = new Date(1_795_318_300_000);
export const REVISIONS = ["v1_2025-12-25", "v2head"] as const;
export type JobName = keyof typeof dragonsync.jobs;

/** One answer of a kit, as it goes over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Meta {
  readonly request: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

const fixture = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url);

/** What was captured of a revision: request, status, headers and size of every exchange, by capture name. */
export function captures(revision: string): Readonly<Record<string, Meta>> {
  return JSON.parse(readFileSync(fixture(`${revision}__http_meta.json`), "utf8"));
}

/** A captured exchange: its status, headers and body. */
export function captured(name: string): Answer {
  const revision = REVISIONS.find((prefix) => name.startsWith(prefix));
  const meta = captures(revision ?? "v2head")[name];
  if (!meta) throw new Error(`no capture ${name}`);
  // The length is node's business: bodies were edited (see fixtures/README.md).
  const { "Content-Length": _, ...headers } = meta.headers;
  return { status: meta.status, headers, body: meta.bytes === 0 ? "" : readFileSync(fixture(`${name}.json`)) };
}

/** A body that was captured, parsed as Python would: NaN and Infinity are null here. */
export function entriesOf(name: string, job: "drones" | "signals" | "status"): Record<string, unknown>[] {
  const text = readFileSync(fixture(`${name}.json`), "utf8").replace(/: (?:NaN|-?Infinity)\b/g, ": null");
  return job === "status" ? [JSON.parse(text)] : JSON.parse(text)[job];
}

export const json = (value: unknown): Answer => ({ status: 200, body: JSON.stringify(value) });

const JOB_BY_REQUEST: Readonly<Record<string, "drones" | "signals" | "status">> = {
  "GET /drones": "drones",
  "GET /signals": "signals",
  "GET /status": "status",
};

/** Every captured listing and status that was answered with 200, of both revisions. */
export function readable(): { readonly name: string; readonly job: "drones" | "signals" | "status" }[] {
  return REVISIONS.flatMap((revision) =>
    Object.entries(captures(revision)).flatMap(([name, meta]) => {
      const job = JOB_BY_REQUEST[meta.request];
      const kept = job !== undefined && meta.status === 200 && existsSync(fixture(`${name}.json`));
      return kept ? [{ name, job }] : [];
    }),
  );
}

/** A kit on 127.0.0.1: answers by path, closes every connection, sends no length with some answers, as the real one does. */
export async function startKit(answers: Readonly<Record<string, Answer>>): Promise<Kit> {
  const paths: string[] = [];
  const server: Server = createServer((request, response) => {
    paths.push(request.url ?? "");
    const answer = answers[request.url ?? ""] ?? { status: 404 };
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    response.writeHead(answer.status, { ...answer.headers });
    response.end(answer.body ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const http = createHttpClient();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    paths,
    http,
    async [Symbol.asyncDispose]() {
      await http.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Kit extends AsyncDisposable {
  readonly url: string;
  /** Every path that was asked for, in order. */
  readonly paths: readonly string[];
  readonly http: HttpClient;
}

/** What one collection may be given besides its job; every part has a default. */
export interface Setting {
  readonly http: HttpClient;
  readonly url?: string;
  readonly now?: Date;
  readonly state?: Map<string, unknown>;
  readonly signal?: AbortSignal;
  readonly kitId?: string;
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** One collection of one job, as the runner does it. */
export function collect(job: JobName, setting: Setting): Promise<Collected> {
  const context: Context = {
    signal: setting.signal ?? AbortSignal.timeout(5_000),
    http: setting.http,
    log: silent,
    now: () => setting.now ?? NOW,
    state: setting.state ?? new Map(),
  };
  const config = { api_url: setting.url ?? "http://127.0.0.1:9" };
  return dragonsync.jobs[job].collect({ id: setting.kitId ?? "kit-001", config, tags: {} }, context);
}

/** An HttpClient that gives one body to every request: for tests of what is done with it. */
export function giving(body: string | Buffer, status = 200): HttpClient {
  return { get: async () => ({ status, headers: {}, text: String(body) }) };
}

/** One collection of an answer, over no network. */
export function read(job: JobName, value: unknown, setting: Partial<Setting> = {}): Promise<Collected> {
  return collect(job, { http: giving(typeof value === "string" ? value : JSON.stringify(value)), ...setting });
}

/** The captured answer collected over HTTP from a kit of its own. */
export async function collectCaptured(job: JobName, name: string, setting: Partial<Setting> = {}): Promise<Collected> {
  const path = job === "status" ? "/status" : `/${job}`;
  await using kit = await startKit({ [path]: captured(name) });
  return await collect(job, { http: kit.http, url: kit.url, ...setting });
}

/** Values of the only, or the n-th, row. */
export function values(collected: Collected, n = 0): Readonly<Record<string, unknown>> {
  const row = collected.rows?.[n];
  if (!row) throw new Error(`no row ${n}`);
  return row.values;
}

/** Rejections as `{ reason: count }`. */
export function rejected(collected: Collected): Record<string, number> {
  return Object.fromEntries((collected.rejected ?? []).map(({ reason, count }) => [reason, count ?? 1]));
}

/** The value of the sample with these labels, or undefined. */
export function sample(collected: Collected, metric: string, labels: Record<string, string> = {}): number | undefined {
  return collected.samples.find(
    (one) => one.metric === metric && Object.entries(labels).every(([name, value]) => one.labels?.[name] === value),
  )?.value;
}
