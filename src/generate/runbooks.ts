import type { Alert, AlertGroup } from "../model/alert.ts";
import { conditionOf, ruleName } from "./alerts/prometheus.ts";
import { code, GENERATED, plain, table } from "./markdown.ts";

const INTRODUCTION = `# Runbooks

What each alert means and what to do about it. Prometheus evaluates them out of \`provisioning/prometheus/*.rules.yml\`, Grafana out of
\`provisioning/grafana/alerting/\`: the same declarations in two dialects, each with the label \`alert_id\`. Use one of the two, or both: the
column \`source\` of \`alert_history\` tells who reported.

In queries gleaner's own label \`job\` is \`exported_job\`, because Prometheus keeps \`job\` for the scrape. \`<kit>\` and \`<target>\` stand for
the labels of the alert. For conditions of your own see \`gleaner generate --help\`.`;

/** docs/runbooks.md: a section for every alert; its anchor is the alert's id. */
export function runbooksDoc(groups: readonly AlertGroup[]): string {
  const alerts = groups.flatMap((group) => group.alerts);
  return [
    GENERATED,
    INTRODUCTION,
    "",
    ...table(
      ["alert", "severity", "fires when"],
      alerts.map((alert) => [`[${alert.title}](#${alert.id})`, alert.severity, condition(alert)]),
    ),
    ...alerts.flatMap(section),
    "",
  ].join("\n");
}

/** The anchor is explicit: those that renderers derive from headings differ. */
function section(alert: Alert): string[] {
  if (typeof alert.runbook !== "object") return [];
  const { meaning, impact, check, fix } = alert.runbook;
  return [
    "",
    `<a id="${alert.id}"></a>`,
    "",
    `## ${alert.title}`,
    "",
    `${code(ruleName(alert.id))} · ${alert.severity} · ${condition(alert)}`,
    "",
    `**Meaning.** ${prose(meaning)}`,
    "",
    `**Impact.** ${prose(impact)}`,
    "",
    "**Check**",
    "",
    ...check.map((step) => `- ${prose(step)}`),
    "",
    "**Fix**",
    "",
    ...fix.map((step) => `- ${prose(step)}`),
  ];
}

function condition(alert: Alert): string {
  const { for: lasting, keepFiringFor } = alert;
  const held = lasting === "0s" ? "at once" : `for ${lasting}`;
  const kept = keepFiringFor === undefined ? "" : `, kept for ${keepFiringFor}`;
  return `${code(conditionOf(alert))} ${held}${kept}`;
}

/** Text whose `<…>` outside of code would vanish as HTML. */
function prose(text: string): string {
  return text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? plain(part) : part))
    .join("`");
}
