import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

// Not by import, which reads every export of it, and with WebSocket loads the undici that is built into Node: 10 MB.
const { request } = process.getBuiltinModule("node:http");

/** An HTTP request that did not bring a whole answer. */
export class ExchangeError extends Error {
  readonly reason: "protocol" | "too_large";

  constructor(reason: ExchangeError["reason"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ExchangeError";
    this.reason = reason;
  }
}

export interface Asked {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  /** Seconds until the first byte of the answer, and from there to its end. */
  readonly times: { readonly processing: number; readonly transfer: number };
}

/** Bytes of an answer that are read; more is a failure, for nothing else bounds what a server sends. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/**
 * One HTTP/1.1 request on an open connection, which is closed afterwards.
 * @throws {ExchangeError} for what is no HTTP, ends early or is too large; the signal's reason when it aborts
 */
export async function exchange(socket: Socket, asked: Asked, signal: AbortSignal): Promise<Answer> {
  const begun = performance.now();
  try {
    const response = await send(socket, asked, signal);
    const processing = (performance.now() - begun) / 1000;
    const body = await readBody(response);
    const transfer = (performance.now() - begun) / 1000 - processing;
    return { status: response.statusCode ?? 0, headers: response.headers, body, times: { processing, transfer } };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof ExchangeError) throw error;
    throw new ExchangeError("protocol", error instanceof Error ? error.message : String(error), error);
  } finally {
    socket.destroy();
  }
}

function send(socket: Socket, { url, method, headers, body }: Asked, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({
      createConnection: () => socket,
      host: url.hostname,
      path: url.pathname + url.search,
      method,
      // Not asked to compress: the size is the document's, and its text can be looked at.
      headers: { host: url.host, accept: "*/*", "accept-encoding": "identity", "user-agent": "gleaner", ...headers },
      maxHeaderSize: 64 * 1024,
      signal,
    });
    sent.once("response", resolve).on("error", reject);
    sent.end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new ExchangeError("too_large", `the answer is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
