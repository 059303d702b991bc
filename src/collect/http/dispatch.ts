import { Agent, type Dispatcher } from "undici";
import { type Answer, MAX_HEAD_BYTES } from "./answer.ts";
import { createBody } from "./body.ts";
import type { Request } from "./request.ts";

/** GET over undici's connections. */
export interface Undici {
  /** @param ca certificates (PEM) that servers are held to, instead of the system's. Rejects as undici does. */
  get(request: Request, ca: string | undefined): Promise<Answer>;
  close(): Promise<void>;
}

export function createUndici(): Undici {
  const agents = new Map<string | undefined, Agent>();

  /** Connections are shared by those who trust the same certificates, and by no others. */
  function agentFor(ca: string | undefined): Agent {
    const known = agents.get(ca);
    if (known) return known;
    const agent = createAgent(ca);
    agents.set(ca, agent);
    return agent;
  }

  return {
    get: (request, ca) => dispatchGet(agentFor(ca), request),
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    },
  };
}

/** @param ca certificates (PEM) that servers are held to, instead of the system's */
export function createAgent(ca: string | undefined): Agent {
  return new Agent({
    // A poll's deadline is its AbortSignal; these only reap what an aborted poll left behind.
    connect: { timeout: 30_000, ...(ca === undefined ? {} : { ca }) },
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    keepAliveTimeout: 35_000,
    keepAliveMaxTimeout: 120_000,
    maxHeaderSize: MAX_HEAD_BYTES,
  });
}

/** GET over undici's connections, without the streams that its other ways of asking put around a body. Rejects as undici does. */
export function dispatchGet(dispatcher: Dispatcher, { url, headers, signal }: Request): Promise<Answer> {
  if (signal.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let body = createBody(0);
  let head: Pick<Answer, "status" | "headers"> = { status: 0, headers: {} };
  let abort = (_: Error) => {};
  const onAbort = () => {
    reject(signal.reason);
    abort(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const options = { origin: url.origin, path: url.pathname + url.search, method: "GET" as const, headers };
  dispatcher.dispatch(options, {
    onRequestStart(controller) {
      abort = (reason) => controller.abort(reason);
      // It may have waited for its connection until after its deadline.
      if (signal.aborted) abort(signal.reason);
    },
    onResponseStart(_, status, fields) {
      // 100 Continue, 103 Early Hints: the answer proper is still to come.
      if (status < 200) return;
      head = { status, headers: flatten(fields) };
      body = createBody(Number(head.headers["content-length"] ?? Number.POSITIVE_INFINITY));
    },
    onResponseData: (_, chunk) => body.append(chunk),
    onResponseEnd() {
      signal.removeEventListener("abort", onAbort);
      resolve({ ...head, body: body.content(head.headers) });
    },
    onResponseError(_, error) {
      signal.removeEventListener("abort", onAbort);
      reject(error);
    },
  });
  return promise;
}

function flatten(fields: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}
