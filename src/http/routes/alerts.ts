import type { Response } from "express";
import type { Application } from "../app.ts";
import { createRate, type Rate } from "../rate.ts";
import { bodyOf, refuse } from "../request-body.ts";
import type { Route } from "../route.ts";
import { sendJson, sendProblem } from "../send.ts";

/** A notification with some thousand alerts. */
const MAX_BYTES = 1_048_576;
/** Notifications are grouped: two senders come to a few a minute, and in a storm to some dozen. */
const RATE = { limit: 300, windowMs: 60_000 } as const;

/** Webhook of Grafana's contact points and of Alertmanager's receivers: what they report becomes alert_history. */
export function alertWebhookRoute(
  app: Pick<Application, "receiveAlerts">,
  rate: Rate = createRate(RATE.limit, RATE.windowMs),
): Route {
  return {
    method: "POST",
    path: "/api/alerts/webhook",
    access: "alerts",
    async handle(request, response) {
      const wait = rate.take();
      if (wait > 0) {
        response.setHeader("Retry-After", `${Math.ceil(wait / 1_000)}`);
        refuse(request, response, 429, "too many notifications; group them");
        return;
      }
      const body = await bodyOf(request, response, MAX_BYTES);
      if (body) answer(response, app.receiveAlerts(body.json));
    },
  };
}

function answer(response: Response, receipt: ReturnType<Application["receiveAlerts"]>): void {
  if (receipt.status === "unreadable") {
    sendProblem(response, 400, "expected a notification of Grafana or Alertmanager: an object with a list of alerts");
    return;
  }
  // The sender tries again; what was taken after all is known by its key.
  if (receipt.status === "not_kept") {
    response.setHeader("Retry-After", "10");
    sendProblem(response, 503, "the alerts cannot be kept at the moment");
    return;
  }
  const { accepted, rejected } = receipt;
  const bad = Object.entries(rejected).map(([reason, count]) => `${count} ${reason}`);
  if (accepted === 0 && bad.length > 0) {
    sendProblem(response, 400, `no alert of the notification can be used: ${bad.join(", ")}`);
    return;
  }
  sendJson(response, { accepted, rejected });
}
