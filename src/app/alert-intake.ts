import type { Self } from "../expose/self.ts";
import type { AlertReceipt } from "../http/app/alerts.ts";
import { type ReportedAlert, readNotification } from "../model/notification.ts";
import type { Row } from "../model/sample.ts";
import type { Writer } from "../store/writer.ts";

export interface AlertIntakeDeps {
  readonly writer: Pick<Writer, "rows">;
  readonly self: Pick<Self, "rejected">;
  readonly now: () => Date;
}

/** Takes what Grafana or Alertmanager reported into alert_history; told once more, it is stored once. */
export function createAlertIntake({ writer, self, now }: AlertIntakeDeps): (body: unknown) => AlertReceipt {
  return (body) => {
    const at = now();
    const notification = readNotification(body, at);
    if (notification === undefined) return { status: "unreadable" };
    const { alerts, rejected } = notification;
    const counts = Object.fromEntries(rejected.map(({ reason, count = 1 }) => [reason, count]));
    if (alerts.length > 0 && !writer.rows(alerts.map((alert) => rowOf(alert, at)))) return { status: "not_kept" };
    // Only now: what is refused as a whole comes again, and is counted then.
    for (const [reason, count] of Object.entries(counts)) self.rejected(reason, count);
    return { status: "kept", accepted: alerts.length, rejected: counts };
  };
}

function rowOf(alert: ReportedAlert, receivedAt: Date): Row {
  return {
    table: "alert_history",
    at: alert.startsAt,
    values: {
      fingerprint: alert.fingerprint,
      triggered: alert.firing,
      alert_id: alert.alertId,
      value: alert.value,
      message: alert.message,
      severity: alert.severity,
      source: alert.source,
      ends_at: alert.endsAt,
      received_at: receivedAt,
      labels: JSON.stringify(alert.labels),
      annotations: JSON.stringify(alert.annotations),
    },
  };
}
