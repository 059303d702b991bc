import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { StringDecoder } from "node:string_decoder";
import { CollectError } from "../../model/run.ts";
import { untilAborted } from "../client/abort.ts";
import { parseJson } from "../client/json.ts";
import { retryAfterMs } from "../dragonsync/http.ts";
import { type Frame, MAX_FRAME, takeFrames } from "./frames.ts";

// Not by import, which reads every export of it, and with WebSocket loads the undici that is built into Node: 10 MB.
const { request: requestHttp } = process.getBuiltinModule("node:http");

/** Where a model is read, and how one asks for it. */
export interface Source {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca?: string;
}

/**
 * A stream of events that stays open between runs: the server counts each connection to it, and never forgets one.
 * Of what comes between two runs the newest event is kept.
 */
export interface Feed {
  /** The newest event that nobody has taken yet; waits for one when there is none. Rejects once the stream has ended. */
  next(signal: AbortSignal): Promise<Frame>;
  close(): void;
}

/** What a source answers with: a document, or a stream. */
export type Opened = { readonly document: unknown } | { readonly feed: Feed };

/**
 * Asks a source.
 * @throws {CollectError} http_status for any answer but 2xx, bad_data for one that is too long or neither JSON nor a stream
 */
export async function openSource(source: Source, now: () => Date, signal: AbortSignal): Promise<Opened> {
  signal.throwIfAborted();
  const response = await connect(source, signal);
  const { pathname } = source.url;
  try {
    const { statusCode = 0 } = response;
    if (statusCode < 200 || statusCode > 299) throw refusal(response, pathname, now());
    if (/^text\/event-stream\b/i.test(response.headers["content-type"] ?? ""))
      return { feed: feedOf(response, pathname) };
    return { document: await documentOf(response, pathname, signal) };
  } catch (error) {
    response.destroy();
    throw error;
  }
}

function connect({ url, headers, ca }: Source, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const accept = { accept: "text/event-stream, application/json;q=0.9" };
  const options = { agent: false, headers: { ...accept, ...headers }, ...(ca === undefined ? {} : { ca }) } as const;
  const sent = url.protocol === "https:" ? requestHttps(url, options) : requestHttp(url, options);
  sent.once("response", resolve).on("error", reject).end();
  return untilAborted(
    signal,
    () => sent.destroy(),
    () => promise,
  );
}

const HINTS: Readonly<Record<number, string>> = {
  401: ": is the token right?",
  403: ": this token may not read it",
  404: ": is the path right?",
};

function refusal({ statusCode: status = 0, headers }: IncomingMessage, path: string, now: Date): CollectError {
  const retryAfter = [429, 503].includes(status) ? retryAfterMs(headers["retry-after"], now) : undefined;
  const options = { status, ...(retryAfter === undefined ? {} : { retryAfter }) };
  return new CollectError("http_status", `HTTP ${status} from ${path}${HINTS[status] ?? ""}`, options);
}

async function documentOf(response: IncomingMessage, path: string, signal: AbortSignal): Promise<unknown> {
  const read = async () => {
    const decoder = new StringDecoder("utf8");
    let text = "";
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += decoder.write(chunk);
      if (text.length > MAX_FRAME) throw tooLong(path);
    }
    return parseJson(text + decoder.end(), `GET ${path}`);
  };
  return untilAborted(signal, () => response.destroy(), read);
}

const tooLong = (path: string) =>
  new CollectError("bad_data", `GET ${path}: more than ${MAX_FRAME} characters at once`);

/** An event that nobody took for so long (ms) is no news any more: streams have one every 1, 2 or 5 s. */
const FRESH_MS = 15_000;

function feedOf(response: IncomingMessage, path: string): Feed {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let newest: { readonly frame: Frame; readonly came: number } | undefined;
  let ended: CollectError | undefined;
  let waiting = Promise.withResolvers<void>();

  const wake = () => {
    waiting.resolve();
    waiting = Promise.withResolvers();
  };
  const end = (error: CollectError) => {
    ended ??= error;
    response.destroy();
    wake();
  };
  response.on("data", (chunk: Buffer) => {
    const taken = takeFrames(rest + decoder.write(chunk));
    rest = taken.rest;
    const frame = taken.frames.at(-1);
    if (frame) newest = { frame, came: performance.now() };
    if (rest.length > MAX_FRAME) end(tooLong(path));
    else if (taken.frames.length > 0) wake();
  });
  for (const event of ["end", "close", "error"])
    response.on(event, () => end(new CollectError("unreachable", `GET ${path}: the stream has ended`)));

  async function take(): Promise<Frame> {
    for (;;) {
      const taken = newest;
      newest = undefined;
      if (taken && performance.now() - taken.came < FRESH_MS) return taken.frame;
      if (ended) throw ended;
      await waiting.promise;
    }
  }

  const close = () => end(new CollectError("unreachable", `GET ${path}: the stream was closed`));
  return { next: (signal) => untilAborted(signal, close, take), close };
}
