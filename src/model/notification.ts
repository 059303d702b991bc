import { z } from "zod";
import type { Rejection } from "./sample.ts";

/** One alert as Grafana or Alertmanager reported it. */
export interface ReportedAlert {
  /** Hash of the labels: names the alert as long as its labels stay the same. */
  readonly fingerprint: string;
  readonly firing: boolean;
  /** When it began to fire. */
  readonly startsAt: Date;
  /** When it was resolved; null while it fires. */
  readonly endsAt: Date | null;
  /** The rule: the label `alert_id` of ours, else the name of the rule. */
  readonly alertId: string;
  readonly severity: string | null;
  readonly source: "grafana" | "alertmanager";
  /** What the rule's query gave, where that was told. */
  readonly value: number | null;
  readonly message: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a notification came to: the alerts that can be kept, and those that cannot, by reason. */
export interface Notification {
  readonly alerts: readonly ReportedAlert[];
  readonly rejected: readonly Rejection[];
}

/** Why an alert was left out; labels of gleaner_rows_rejected_total. */
export const ALERT_REJECTIONS = [
  /** No object, or a status that is neither firing nor resolved. */
  "alert_malformed",
  /** Labels or annotations that are no map of texts, too many or too long. */
  "alert_labels",
  "alert_fingerprint",
  /** A time that cannot be read, before 2000, or more than a day ahead. */
  "alert_time",
  /** The sender left it out itself, because there were too many. */
  "alert_truncated",
] as const;
type Reason = (typeof ALERT_REJECTIONS)[number];

const DAY_MS = 86_400_000;
const FIRST = Date.parse("2000-01-01T00:00:00Z");
/** Far more than rules have; keeps one alert from filling the database. */
const MAX_PAIRS = 100;
const MAX_TEXT = 16_384;

const texts = z
  .record(z.string().min(1).max(200), z.string().max(MAX_TEXT))
  .refine((map) => Object.keys(map).length <= MAX_PAIRS);

/** Both senders' alerts; what else they hold (links, images) is made anew by whoever shows them. */
const alert = z.object({
  status: z.enum(["firing", "resolved"]),
  labels: texts,
  annotations: texts.nullish(),
  startsAt: z.iso.datetime({ offset: true }),
  endsAt: z.iso.datetime({ offset: true }).nullish(),
  fingerprint: z.string().regex(/^[\w.:-]{1,128}$/),
  // Grafana's: the value of each node of the rule. Anything else there is worth no alert.
  values: z.record(z.string(), z.number().nullable()).nullish().catch(null),
});
type Sent = z.output<typeof alert>;

/** Alertmanager's webhook, version 4, and Grafana's, which is modelled on it. */
const notification = z.object({
  alerts: z.array(z.unknown()),
  orgId: z.unknown().optional(),
  truncatedAlerts: z.int().min(0).optional().catch(undefined),
});

/**
 * Reads the body of a webhook. One bad alert never costs another.
 * @returns undefined when it is no notification at all
 */
export function readNotification(body: unknown, now: Date): Notification | undefined {
  const read = notification.safeParse(body);
  if (!read.success) return undefined;
  const { alerts, orgId, truncatedAlerts = 0 } = read.data;
  const kept: ReportedAlert[] = [];
  const counts = new Map<Reason, number>();
  const reject = (reason: Reason, count = 1) => void counts.set(reason, (counts.get(reason) ?? 0) + count);
  for (const each of alerts) {
    const one = readAlert(each, orgId === undefined ? "alertmanager" : "grafana", now);
    if (typeof one === "string") reject(one);
    else kept.push(one);
  }
  if (truncatedAlerts > 0) reject("alert_truncated", truncatedAlerts);
  return {
    alerts: kept,
    rejected: [...counts].map(([reason, count]) => ({ reason, count, detail: "reported by webhook" })),
  };
}

const REASONS: Readonly<Record<string, Reason>> = {
  labels: "alert_labels",
  annotations: "alert_labels",
  startsAt: "alert_time",
  endsAt: "alert_time",
  fingerprint: "alert_fingerprint",
};

function readAlert(value: unknown, source: ReportedAlert["source"], now: Date): ReportedAlert | Reason {
  const read = alert.safeParse(value);
  if (!read.success) return REASONS[String(read.error.issues[0]?.path[0])] ?? "alert_malformed";
  const { status, labels, fingerprint, startsAt, endsAt } = read.data;
  const annotations = read.data.annotations ?? {};
  const starts = Date.parse(startsAt);
  if (!(starts >= FIRST && starts <= now.getTime() + DAY_MS)) return "alert_time";
  const ends = status === "firing" || endsAt == null ? Number.NaN : Date.parse(endsAt);
  return {
    fingerprint,
    firing: status === "firing",
    startsAt: new Date(starts),
    // Both write the year 1 for "not yet".
    endsAt: ends >= FIRST ? new Date(ends) : null,
    alertId: labels["alert_id"] ?? labels["alertname"] ?? fingerprint,
    severity: labels["severity"] ?? null,
    source,
    value: measured(read.data),
    message: annotations["summary"] ?? annotations["description"] ?? null,
    labels,
    annotations,
  };
}

/** Grafana tells the value of every node, of which A is the query in our rules; ours for Prometheus carry it as an annotation. */
function measured({ values, annotations }: Sent): number | null {
  const told = Object.values(values ?? {});
  const value = values?.["A"] ?? (told.length === 1 ? told[0] : undefined);
  if (value != null) return value;
  const text = annotations?.["value"]?.trim();
  return text && Number.isFinite(Number(text)) ? Number(text) : null;
}
