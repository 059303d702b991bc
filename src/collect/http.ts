import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { Agent, type Dispatcher } from "undici";
import type { HttpClient, HttpOptions, HttpResponse } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import { toCollectError } from "./errors.ts";

/** Largest decoded body: a kit at its caps sends about 0.2 MB; 8 MB bounds what a hostile one can make us hold. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** A Map, for the name comes from the other side: of a plain object, "constructor" would be a decoder too. */
const DECODERS: ReadonlyMap<string, () => NodeJS.ReadWriteStream> = new Map([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
]);

function flatten(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  const flat: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

/** Reads the body, counting *decoded* bytes, so that half a megabyte of gzip cannot become half a gigabyte of memory. */
async function readBody(response: Dispatcher.ResponseData, encoding: string): Promise<Buffer> {
  const decode = DECODERS.get(encoding);
  if (decode === undefined && encoding !== "" && encoding !== "identity") {
    throw new CollectError("bad_data", `content-encoding ${JSON.stringify(encoding.slice(0, 40))} is not supported`);
  }
  const decoder = decode?.();
  if (decoder)
    response.body.once("error", (error) => (decoder as unknown as { destroy(e: Error): void }).destroy(error));
  const stream = decoder ? response.body.pipe(decoder) : response.body;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new CollectError("bad_data", `the answer is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
}

function createAgent(ca: string | undefined): Agent {
  return new Agent({
    // A poll's deadline is its AbortSignal; these only reap what an aborted poll left behind.
    connect: { timeout: 30_000, ...(ca === undefined ? {} : { ca }) },
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    keepAliveTimeout: 35_000,
    keepAliveMaxTimeout: 120_000,
    maxHeaderSize: 16 * 1024,
  });
}

/**
 * The HTTP client of all polling: undici, the caller's total deadline, no redirects followed (a kit must not
 * be able to send the collector elsewhere), decoded size capped. Kits speak HTTP/1.0 and close each connection;
 * servers that keep alive are kept for the next poll.
 */
export function createHttpClient(): HttpClient & { close(): Promise<void> } {
  const agents = new Map<string | undefined, Agent>();

  /** Connections are shared by those who trust the same certificates, and by no others. */
  function agentFor(ca: string | undefined): Agent {
    const known = agents.get(ca);
    if (known) return known;
    const agent = createAgent(ca);
    agents.set(ca, agent);
    return agent;
  }

  async function get(url: string, options: HttpOptions): Promise<HttpResponse> {
    const { origin, pathname, search } = new URL(url);
    let body: Dispatcher.ResponseData["body"] | undefined;
    try {
      const response = await agentFor(options.ca).request({
        origin,
        path: pathname + search,
        method: "GET",
        signal: options.signal,
        headers: { accept: "application/json, */*;q=0.5", "user-agent": "gleaner", ...options.headers },
      });
      body = response.body;
      const headers = flatten(response.headers);
      const encoding = (headers["content-encoding"] ?? "").trim().toLowerCase();
      return { status: response.statusCode, headers, body: await readBody(response, encoding) };
    } catch (error) {
      // Destroyed, not drained: an endless body must not be read to its end.
      body?.on("error", () => undefined).destroy();
      throw toCollectError(error);
    }
  }

  return {
    get,
    close: async () => void (await Promise.all([...agents.values()].map((agent) => agent.destroy()))),
  };
}
