import type { Server } from "node:http";
import type { Socket } from "node:net";
import { PROBLEM_TYPE, problem } from "./send.ts";

// Not by import: see server.ts.
const { STATUS_CODES } = process.getBuiltinModule("node:http");

/** What the HTTP parser can complain about, and what we answer. Anything else is 400. */
const ANSWERS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "the request's headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not arrive in time"],
};

/** How long the client has to read the answer and hang up. */
const LINGER_MS = 1_000;

/** Answers requests that never became one (too large, too slow, malformed, smuggled) as problem JSON, and hangs up. */
export function answerClientErrors(server: Server): void {
  const answering = new WeakSet<object>();
  server.on("request", (request, response) => {
    answering.add(request.socket);
    response.once("close", () => answering.delete(request.socket));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    // An answer under way would be mixed up with this one.
    if (error.code === "ECONNRESET" || !socket.writable || answering.has(socket)) {
      socket.destroy();
      return;
    }
    const [status, detail] = ANSWERS[error.code ?? ""] ?? [400, "malformed request"];
    socket.end(rawProblem(status, detail));
    // Destroyed at once, the unread rest of the request would reset the connection before the answer is read.
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.resume();
  });
}

function rawProblem(status: number, detail: string): string {
  const body = problem(status, detail);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "X-Content-Type-Options: nosniff",
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}
