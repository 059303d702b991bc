import type { HttpOptions } from "../../model/plugin.ts";

// Not by import, which reads every export of it, and with WebSocket loads the undici that is built into Node: 10 MB.
const { validateHeaderName, validateHeaderValue } = process.getBuiltinModule("node:http");

/** A GET that is about to be made. */
export interface Request {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the exchange at once, and its connection. */
  readonly signal: AbortSignal;
}

const HEADERS = { accept: "application/json, */*;q=0.5", "user-agent": "gleaner" };

export function requestOf(url: string, { headers, signal }: HttpOptions): Request {
  return { url: new URL(url), headers: headers ? { ...HEADERS, ...headers } : HEADERS, signal };
}

/**
 * The request as it goes over the wire. It says HTTP/1.1 and offers to keep the connection: what the server makes of
 * that is how it is known.
 * @throws {TypeError} for a header that cannot be one
 */
export function wireText({ url, headers }: Request): string {
  let text = `GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nconnection: keep-alive\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}
