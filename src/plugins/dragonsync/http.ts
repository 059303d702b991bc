import type { Context, HttpResponse } from "../../model/plugin.ts";
import { CollectError } from "../../model/run.ts";

/** Longest wait a kit can ask for. Kits of today always say 60 s. */
const MAX_RETRY_AFTER_MS = 300_000;
/** How an HTTP date starts; Date.parse alone takes far too much for a date. */
const WEEKDAY = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/** Where a kit answers, and the certificates (PEM) it is held to; those of the system when absent. */
export interface Address {
  readonly api_url: string;
  readonly ca?: string | undefined;
}

/** GET of a path of the kit's API, whatever status it answers with. Rejects as HttpClient does. */
export async function ask(context: Context, { api_url, ca }: Address, path: string): Promise<HttpResponse> {
  const pinned = ca === undefined ? {} : { ca };
  const response = await context.http.get(urlOf(api_url, path), { signal: context.signal, ...pinned });
  // An answer after the deadline belongs to a run that was given up: taking it would mark its rows as given.
  if (context.signal.aborted) throw new CollectError("timeout", `GET ${path}: answered after the deadline`);
  return response;
}

/** Appends a path to the configured base, which may end in slashes and may have a path of its own (a reverse proxy). */
export function urlOf(apiUrl: string, path: string): string {
  let end = apiUrl.length;
  while (apiUrl[end - 1] === "/") end--;
  return apiUrl.slice(0, end) + path;
}

/**
 * The body of a successful answer.
 * @throws {CollectError} http_status for everything but 2xx, redirects included; of a 429 or 503 with what Retry-After asks for
 */
export function bodyOf(response: HttpResponse, path: string, now: Date): string {
  const { status, headers, text } = response;
  if (status >= 200 && status < 300) return text;
  const retryAfter = isBusy(status) ? retryAfterMs(headers["retry-after"], now) : undefined;
  const what = status >= 300 && status < 400 ? `HTTP ${status}, a redirect, which is not followed` : `HTTP ${status}`;
  throw new CollectError("http_status", `GET ${path}: ${what}`, {
    status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** The two answers with which a server asks to be left alone for a while. */
function isBusy(status: number): boolean {
  return status === 429 || status === 503;
}

/** Milliseconds a Retry-After header asks for, as seconds or as an HTTP date, at most 5 minutes; undefined when unusable. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  const value = header?.trim() ?? "";
  const isSeconds = /^\d+$/.test(value);
  if (!isSeconds && !WEEKDAY.test(value)) return undefined;
  const ms = isSeconds ? Number(value) * 1_000 : Date.parse(value) - now.getTime();
  return ms >= 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}
