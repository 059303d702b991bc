import { CollectError } from "../../model/run.ts";
import { connectionError } from "../client/errors.ts";
import { parseJson } from "../client/json.ts";
import { type Asked, request } from "../client/request.ts";

/** Where an engine answers. */
export interface Engine {
  readonly url: URL;
  readonly socketPath?: string;
  readonly tls?: Asked["tls"];
}

/** `unix:///var/run/docker.sock`, `tcp://host:2375` and `http(s)://host:port`, all of which DOCKER_HOST may be. */
export function engineAt(address: string, tls?: Asked["tls"]): Engine {
  const path = /^unix:\/\/(\/.*)$/.exec(address)?.[1];
  if (path !== undefined) return { url: new URL("http://localhost/"), socketPath: path };
  const url = new URL(address.replace(/^tcp:/, tls ? "https:" : "http:"));
  return tls ? { url, tls } : { url };
}

/**
 * GET of a path of the engine's API, of whatever version the engine prefers.
 * @throws {CollectError} http_status with what the engine says; as `request`, with sentences for connections that fail
 */
export async function askEngine(engine: Engine, path: string, signal: AbortSignal): Promise<unknown> {
  const where = `the engine at ${engine.socketPath ?? engine.url.host}`;
  const asked = { ...engine, url: new URL(path, engine.url) };
  const { status, body } = await request(asked, signal).catch((error) => {
    throw connectionError(error, where);
  });
  const what = `GET ${asked.url.pathname}`;
  if (status !== 200) throw new CollectError("http_status", `${what}: HTTP ${status}`, { status });
  return parseJson(body.toString(), what);
}
