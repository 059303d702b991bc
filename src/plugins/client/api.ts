import type { Context, HttpResponse } from "../../model/plugin.ts";
import { CollectError } from "../../model/run.ts";
import { authorization, type Credentials, trusted } from "../web/fields.ts";
import { parseJson } from "./json.ts";

/** The HTTP interface of a server, asked over the collector's own client, which keeps connections. */
export interface Api {
  /**
   * GET of a path below the configured address.
   * @param accepted statuses that are no failure, 200 by default
   * @throws {CollectError} http_status for any other
   */
  get(path: string, accepted?: readonly number[]): Promise<HttpResponse>;
  /** The same, for an answer in JSON. @throws {CollectError} bad_data for what is none */
  json(path: string): Promise<unknown>;
}

/**
 * Makes the interface of a server out of its address and credentials.
 * @throws {CollectError} bad_data when a file that the configuration names cannot be read
 */
export async function openApi(
  { url, ...credentials }: Credentials & { readonly url: string },
  { http, signal }: Pick<Context, "http" | "signal">,
): Promise<Api> {
  signal.throwIfAborted();
  const [headers, ca] = await Promise.all([authorization(credentials), trusted(credentials)]);
  const base = url.replace(/\/{1,9}$/, "");

  async function get(path: string, accepted: readonly number[] = [200]): Promise<HttpResponse> {
    const response = await http.get(base + path, { signal, headers, ...ca });
    const { status } = response;
    if (accepted.includes(status)) return response;
    const advice = status === 401 || status === 403 ? ": check user, password and what the user may see" : "";
    throw new CollectError("http_status", `GET ${pathOf(path)}: HTTP ${status}${advice}`, { status });
  }

  return {
    get,
    json: async (path) => parseJson((await get(path)).text, `GET ${pathOf(path)}`),
  };
}

const pathOf = (path: string): string => path.split("?", 1)[0] ?? "";
