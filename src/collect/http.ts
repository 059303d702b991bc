import { channel } from "node:diagnostics_channel";
import pLimit from "p-limit";
import type { HttpClient } from "../model/plugin.ts";
import { toCollectError } from "./errors.ts";
import type { Answer } from "./http/answer.ts";
import { decodeBody } from "./http/decode.ts";
import type { Undici } from "./http/dispatch.ts";
import { createPlain } from "./http/plain.ts";
import { requestOf } from "./http/request.ts";

/** Where undici announces its requests, and OpenTelemetry, when it traces, listens for them. */
const traced = channel("undici:request:create");

/** Bodies decoded at once: each may take 8 MB while it is, and a crowd of hostile ones must not take that together. */
const DECODED_AT_ONCE = 2;

/**
 * The HTTP client of all polling: the caller's total deadline, no redirects followed (a kit must not be able to send the
 * collector elsewhere), size capped as sent and as decoded. What goes over http takes the short way, over sockets of our
 * own; what goes over https, and everything while requests are traced, goes over undici.
 */
export function createHttpClient(): HttpClient & { close(): Promise<void> } {
  const plain = createPlain();
  const decoding = pLimit(DECODED_AT_ONCE);
  let undici: Promise<Undici> | undefined;
  /** Loaded when something is asked for that needs it: at rest it would be a tenth of the process. */
  const loadUndici = () => {
    undici ??= import("./http/dispatch.ts").then((module) => module.createUndici());
    return undici;
  };

  async function textOf({ headers, body }: Answer, signal: AbortSignal): Promise<string> {
    if (typeof body === "string") return body;
    return await decoding(() => {
      signal.throwIfAborted();
      return decodeBody(body, headers["content-encoding"] ?? "");
    });
  }

  return {
    async get(url, options) {
      try {
        const request = requestOf(url, options);
        const isPlain = request.url.protocol === "http:" && !traced.hasSubscribers;
        const answer = await (isPlain ? plain.get(request) : (await loadUndici()).get(request, options.ca));
        const { status, headers } = answer;
        return { status, headers, text: await textOf(answer, options.signal) };
      } catch (error) {
        throw toCollectError(error);
      }
    },
    async close() {
      plain.close();
      await (await undici)?.close();
    },
  };
}
