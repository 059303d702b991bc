import { CollectError } from "../../model/run.ts";
import { connectionError } from "../client/errors.ts";
import { parseJson } from "../client/json.ts";
import { type Answered, type Asked, request } from "../client/request.ts";

/** The HTTP interface of a filtering DNS server. */
export interface Api {
  readonly url: URL;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: Asked["tls"];
}

type How = Pick<Asked, "method" | "headers" | "body">;

/** Asks for a path below the API's address. @throws as `request`, with sentences for connections that fail */
export async function ask(api: Api, path: string, how: How, signal: AbortSignal): Promise<Answered> {
  const base = api.url.href.endsWith("/") ? api.url.href : `${api.url.href}/`;
  try {
    const headers = { accept: "application/json", ...how.headers };
    return await request({ ...how, headers, url: new URL(path, base), ...(api.tls ? { tls: api.tls } : {}) }, signal);
  } catch (error) {
    throw connectionError(error, `the API at ${api.url.host}`);
  }
}

/** The same for JSON. @throws {CollectError} http_status for any other than 200, bad_data for what is no JSON */
export async function askJson(api: Api, path: string, how: How, signal: AbortSignal): Promise<unknown> {
  // Without the query: it may hold a token.
  const what = `${how.method ?? "GET"} /${path.split("?", 1)[0]}`;
  const { status, body } = await ask(api, path, how, signal);
  if (status === 401 || status === 403)
    throw new CollectError("http_status", `${what}: HTTP ${status}: check user and password`, { status });
  if (status !== 200) throw new CollectError("http_status", `${what}: HTTP ${status}`, { status });
  return parseJson(body.toString(), what);
}

/**
 * Asks for several paths at once, and waits for all of them: nothing is left open when one fails, and of several failures
 * it is always the first path's that is told.
 */
export async function askAll(api: Api, paths: readonly string[], how: How, signal: AbortSignal): Promise<unknown[]> {
  const answers = await Promise.allSettled(paths.map((path) => askJson(api, path, how, signal)));
  return answers.map((answer) => {
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  });
}
