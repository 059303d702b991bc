import type { Response } from "express";
import type { Exposition } from "../app/exposition.ts";
import type { Application } from "../app.ts";
import type { Route } from "../route.ts";
import { sendExposition, sendProblem } from "../send.ts";

/** Prometheus' own default scrape_timeout, for callers that do not say theirs. */
const DEFAULT_TIMEOUT_S = 10;
/** The longest a probe may take whatever the caller says; a scrape interval of a minute is the usual maximum. */
const MAX_TIMEOUT_S = 60;
/** What is left for the answer's way back, so that Prometheus does not give up just before it comes. */
const MARGIN_S = 0.5;
/** How long after its deadline a probe that does not come back is given up: inside the margin. */
const GRACE_MS = 250;

/** One synchronous collection of `?target=`, within the deadline of Prometheus' own header. */
export function probeRoute(app: Pick<Application, "probe">): Route {
  return {
    method: "GET",
    path: "/probe",
    access: "metrics",
    async handle(request, response) {
      const target = request.query["target"];
      if (typeof target !== "string" || target === "") {
        sendProblem(response, 400, "the query parameter target is needed, once: /probe?target=<id>");
        return;
      }
      const deadline = probeDeadline(request.headers["x-prometheus-scrape-timeout-seconds"]?.toString());
      answer(response, await probeWithin(app, target, deadline, response));
    },
  };
}

/** Milliseconds a probe has, from the header's seconds: half a second less, at least half of a very short timeout. */
export function probeDeadline(header: string | undefined): number {
  const asked = Number(header);
  const timeout = Number.isFinite(asked) && asked > 0 ? Math.min(asked, MAX_TIMEOUT_S) : DEFAULT_TIMEOUT_S;
  return Math.max(timeout - MARGIN_S, timeout / 2) * 1_000;
}

type Result = Exposition | "unknown_target" | "timed_out" | "client_gone";

/** Runs the probe until it answers, its time is over, or nobody waits for it any more. */
async function probeWithin(
  app: Pick<Application, "probe">,
  target: string,
  deadline: number,
  response: Response,
): Promise<Result> {
  const abort = new AbortController();
  const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<Result>();
  const stop = (result: Result): void => {
    giveUp(result);
    abort.abort();
  };
  const timer = setTimeout(() => stop("timed_out"), deadline + GRACE_MS);
  const gone = (): void => stop("client_gone");
  response.once("close", gone);
  try {
    return await Promise.race([app.probe(target, deadline, abort.signal), givenUp]);
  } catch (error) {
    // A probe that rejects because it was told to stop has not failed.
    if (abort.signal.aborted) return givenUp;
    throw error;
  } finally {
    clearTimeout(timer);
    response.off("close", gone);
  }
}

function answer(response: Response, result: Result): void {
  if (result === "unknown_target") sendProblem(response, 404, "no target has this id; /api/targets lists them");
  else if (result === "timed_out") sendProblem(response, 504, "the target did not answer within the scrape's timeout");
  else if (result !== "client_gone") sendExposition(response, result);
}
