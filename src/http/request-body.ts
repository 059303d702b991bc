import type { Request, Response } from "express";
import { BadBody, readJson } from "./body.ts";
import { sendProblem } from "./send.ts";

/** A request's JSON body of at most `limit` bytes; undefined when it was answered that it is none. */
export async function bodyOf(
  request: Request,
  response: Response,
  limit: number,
): Promise<{ readonly json: unknown } | undefined> {
  try {
    return { json: await readJson(request, limit) };
  } catch (error) {
    if (!(error instanceof BadBody)) throw error;
    refuse(request, response, error.status, error.message);
    return undefined;
  }
}

/** Refuses a request whose body was not read to its end: what is still coming is not waited for. */
export function refuse(request: Request, response: Response, status: number, detail: string): void {
  if (!request.complete) response.setHeader("Connection", "close");
  sendProblem(response, status, detail);
}
