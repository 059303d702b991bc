import type { Context } from "../../model/plugin.ts";
import { CollectError } from "../../model/run.ts";
import { retryAfterMs } from "../dragonsync/http.ts";
import { authorization, type Credentials, trusted } from "./fields.ts";

export interface Fetched {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long it took. */
  readonly seconds: number;
}

const HINTS: Readonly<Record<number, string>> = {
  401: "are user name, password or token right?",
  403: "this user or address may not read it",
  404: "is the path right, and is this part of the server switched on?",
};

/**
 * GET of a document that a source answers with 2xx.
 * @throws {CollectError} as HttpClient does; http_status for any other answer, with what Retry-After asks for
 */
export async function fetchOk(
  { http, signal, now }: Pick<Context, "http" | "signal" | "now">,
  url: string,
  credentials: Credentials,
  headers: Readonly<Record<string, string>> = {},
): Promise<Fetched> {
  const own = { ...headers, ...(await authorization(credentials)) };
  const begun = performance.now();
  const response = await http.get(url, { signal, headers: own, ...(await trusted(credentials)) });
  signal.throwIfAborted();
  const { status, text } = response;
  if (status >= 200 && status < 300)
    return { text, headers: response.headers, seconds: (performance.now() - begun) / 1000 };
  const retryAfter = [429, 503].includes(status) ? retryAfterMs(response.headers["retry-after"], now()) : undefined;
  const hint = status >= 300 && status < 400 ? "a redirect, which is not followed" : HINTS[status];
  throw new CollectError("http_status", `HTTP ${status} from ${pathOf(url)}${hint === undefined ? "" : `: ${hint}`}`, {
    status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** A URL without its query, which may hold a key. */
const pathOf = (url: string): string => url.replace(/\?.*$/s, "");

/**
 * A body as JSON.
 * @throws {CollectError} bad_data; its message quotes nothing of the body
 */
export function parseJson({ text, headers }: Pick<Fetched, "text" | "headers">): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const type = (headers["content-type"] ?? "no content type").slice(0, 60);
    throw new CollectError("bad_data", `the answer is not JSON (${type}, ${Buffer.byteLength(text)} bytes)`);
  }
}
