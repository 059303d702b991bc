import type { Alert, AlertGroup, Comparison } from "../../model/alert.ts";
import { templateIn } from "./text.ts";

const OPERATORS: Readonly<Record<Comparison, string>> = { gt: ">", gte: ">=", lt: "<", lte: "<=", eq: "==", ne: "!=" };

/** A comparison as PromQL and Grafana's expressions write it. */
export const operatorOf = (op: Comparison): string => OPERATORS[op];

/** `kit_offline` -> `GleanerKitOffline`: the label alertname, which notifications show first. */
export function ruleName(id: string): string {
  const words = id.split(/[_-]/).filter((word, index) => index > 0 || word !== "gleaner");
  return `Gleaner${words.map((word) => (word[0] ?? "").toUpperCase() + word.slice(1)).join("")}`;
}

/** Where a rule says what to do: `docs/runbooks.md#kit_offline`, a user's own page, or nowhere. */
export function runbookLink(runbooks: string, { id, runbook }: Pick<Alert, "id" | "runbook">) {
  if (runbook === undefined) return {};
  return { runbook_url: typeof runbook === "string" ? runbook : `${runbooks}#${id}` };
}

/** Prometheus rule groups, as a file of `rule_files` has them. */
export function prometheusRules(groups: readonly AlertGroup[], runbooks: string) {
  return {
    groups: groups.map(({ name, interval, alerts }) => ({
      name: `gleaner-${name}`,
      interval,
      rules: alerts.map((alert) => rule(alert, runbooks)),
    })),
  };
}

function rule(alert: Alert, runbooks: string) {
  const { id, keepFiringFor, severity, summary, description } = alert;
  const text = (part: string) => templateIn("prometheus", part);
  return {
    alert: ruleName(id),
    expr: conditionOf(alert),
    for: alert.for,
    ...(keepFiringFor === undefined ? {} : { keep_firing_for: keepFiringFor }),
    labels: { severity, alert_id: id },
    annotations: {
      summary: text(summary),
      description: text(description ?? summary),
      ...runbookLink(runbooks, alert),
      // As a number: it is kept in alert_history.
      value: "{{ $value }}",
    },
  };
}

/** An alert's condition as one PromQL expression. */
export function conditionOf({ query, op, threshold }: Pick<Alert, "query" | "op" | "threshold">): string {
  return `${isOneCall(query) ? query : `(${query})`} ${operatorOf(op)} ${threshold}`;
}

/** Whether a query is a single aggregation or function, which a comparison binds to without brackets. */
function isOneCall(query: string): boolean {
  const open = /^\w+(?: by \([^()]*\) )?\(/.exec(query)?.[0].length;
  if (open === undefined) return false;
  let depth = 1;
  for (let i = open; i < query.length; i++) {
    if (query[i] === "(") depth++;
    if (query[i] === ")" && --depth === 0) return i === query.length - 1;
  }
  return false;
}
