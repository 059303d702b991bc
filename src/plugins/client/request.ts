import type { IncomingMessage, RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { CollectError } from "../../model/run.ts";

// Not by import, which reads every export of it, and with WebSocket loads the undici that is built into Node: 10 MB.
const { request: requestHttp } = process.getBuiltinModule("node:http");

/** A request that the collector's own client has no part for: another method, a unix socket, a certificate of one's own. */
export interface Asked {
  /** http or https; what of it goes into a message is the path alone, without the query. */
  readonly url: URL;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Path of the unix socket to speak over, instead of the URL's host. */
  readonly socketPath?: string | undefined;
  readonly tls?: Pick<
    RequestOptions & import("node:tls").ConnectionOptions,
    "ca" | "cert" | "key" | "rejectUnauthorized"
  >;
}

export interface Answered {
  readonly status: number;
  readonly body: Buffer;
}

/** As of the collector's own client. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * One HTTP request on a connection of its own. No redirect is followed.
 * @throws {CollectError} bad_data when the answer is too long; connection errors as Node has them; the signal's reason
 */
export async function request(asked: Asked, signal: AbortSignal): Promise<Answered> {
  signal.throwIfAborted();
  try {
    const response = await send(asked, signal);
    return { status: response.statusCode ?? 0, body: await bodyOf(response) };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

function send({ url, method = "GET", headers, body, socketPath, tls }: Asked, signal: AbortSignal) {
  const options = {
    method,
    agent: false,
    signal,
    headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
    ...(socketPath === undefined ? {} : { socketPath }),
    ...tls,
  };
  return new Promise<IncomingMessage>((resolve, reject) => {
    const sent = url.protocol === "https:" ? requestHttps(url, options) : requestHttp(url, options);
    sent.once("response", resolve).on("error", reject).end(body);
  });
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the connection.
    if (size > MAX_BYTES) throw new CollectError("bad_data", `the answer is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
