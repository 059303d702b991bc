import { createHash } from "node:crypto";
import type { Alert, AlertGroup } from "../../model/alert.ts";
import { operatorOf, runbookLink } from "./prometheus.ts";
import { templateIn } from "./text.ts";

/** The datasource that provisioning/grafana/datasources sets up. */
const PROMETHEUS = "prometheus";
/**
 * Its own folder. Grafana makes alert folders by title and dashboard folders by uid: one title for both is made twice
 * (https://github.com/grafana/grafana/issues/125079).
 */
const FOLDER = "gleaner alerts";
/** How far back the query of a rule looks (s); it is instant, so that only the newest point counts. */
const LOOK_BACK_S = 600;

/** Grafana's longest uid. */
const MAX_UID = 40;

/** A rule's uid: stable, so that a file that is read again changes rules and does not add them. */
export function grafanaUid(id: string): string {
  const uid = `gleaner-${id.replaceAll("_", "-")}`;
  return uid.length <= MAX_UID ? uid : `gleaner-${createHash("sha256").update(id).digest("hex")}`.slice(0, MAX_UID);
}

/** Grafana takes a dollar sign in titles for a variable of the environment. */
const plainText = (text: string): string => text.replaceAll("$", "$$$$");

/**
 * Alert rules in the dialect of Grafana's file provisioning (Grafana 10.4 and newer; keepFiringFor counts from 12.1.2).
 * Two nodes a rule: A asks for the value, which is there while all is well too, and B compares. A comparison within the
 * query would find nothing on a good day, and nothing is NoData.
 */
export function grafanaRules(groups: readonly AlertGroup[], runbooks: string) {
  return {
    apiVersion: 1,
    groups: groups.map(({ name, interval, alerts }) => ({
      orgId: 1,
      name: `gleaner-${name}`,
      folder: FOLDER,
      interval,
      rules: alerts.map((alert) => rule(alert, runbooks)),
    })),
  };
}

function rule(alert: Alert, runbooks: string) {
  const { id, title, query, keepFiringFor, severity, summary, description, firesOnNoData = false } = alert;
  const text = (part: string) => templateIn("grafana", part);
  return {
    uid: grafanaUid(id),
    title: plainText(title),
    condition: "B",
    data: [
      {
        refId: "A",
        relativeTimeRange: { from: LOOK_BACK_S, to: 0 },
        datasourceUid: PROMETHEUS,
        model: { refId: "A", expr: query, instant: true, range: false, intervalMs: 1_000, maxDataPoints: 43_200 },
      },
      {
        refId: "B",
        relativeTimeRange: { from: 0, to: 0 },
        datasourceUid: "__expr__",
        model: comparison(alert),
      },
    ],
    for: alert.for,
    ...(keepFiringFor === undefined ? {} : { keepFiringFor }),
    // Nothing to watch is no reason to alert, except for what says that nothing can be watched.
    noDataState: firesOnNoData ? "Alerting" : "OK",
    // Prometheus does not answer: one alert says so, the others stay as they were.
    execErrState: firesOnNoData ? "Alerting" : "KeepLast",
    labels: { severity, alert_id: id },
    annotations: {
      summary: text(summary),
      description: text(description ?? summary),
      ...runbookLink(runbooks, alert),
    },
  };
}

/** Grafana's threshold node knows gt and lt in every version; the rest is arithmetic, which gives 0 or 1. */
function comparison({ op, threshold }: Alert) {
  if (op !== "gt" && op !== "lt") return { refId: "B", type: "math", expression: `$A ${operatorOf(op)} ${threshold}` };
  return {
    refId: "B",
    type: "threshold",
    expression: "A",
    conditions: [{ type: "query", evaluator: { type: op, params: [threshold] } }],
  };
}
