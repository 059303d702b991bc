import type { Response } from "express";
import type { Exposition } from "./app/exposition.ts";

// Not by import: see server.ts.
const { STATUS_CODES } = process.getBuiltinModule("node:http");

/**
 * Answers with a whole body. Node leaves the body out for HEAD and keeps the headers.
 * Express' own send() is not used: it rewrites Content-Type, and Prometheus parses that strictly.
 */
export function send(response: Response, status: number, contentType: string, body: string | Buffer): void {
  response.statusCode = status;
  response.setHeader("Content-Type", contentType);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}

/** Answers 200 with a JSON document; dates become ISO 8601. */
export function sendJson(response: Response, value: unknown): void {
  // No charset parameter: http_sd takes plain application/json, and JSON is UTF-8 by definition.
  send(response, 200, "application/json", JSON.stringify(value));
}

export function sendText(response: Response, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", text);
}

export function sendExposition(response: Response, exposition: Exposition): void {
  if (exposition.encoding) response.setHeader("Content-Encoding", exposition.encoding);
  send(response, exposition.status ?? 200, exposition.contentType, exposition.body);
}

/** The body of an error answer (RFC 9457). `detail` is a sentence for people, never a stack trace or a received value. */
export function problem(status: number, detail: string): string {
  return JSON.stringify({ type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail });
}

export const PROBLEM_TYPE = "application/problem+json";

/** Answers with an error. */
export function sendProblem(response: Response, status: number, detail: string): void {
  send(response, status, PROBLEM_TYPE, problem(status, detail));
}
