/** How bad an alert is; notification policies route by it. */
export const ALERT_SEVERITIES = ["info", "warning", "error", "critical"] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** How a value is compared with its threshold. */
export const COMPARISONS = ["gt", "gte", "lt", "lte", "eq", "ne"] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** What to do about an alert, for docs/runbooks.md: sentences in Markdown. */
export interface Runbook {
  readonly meaning: string;
  readonly impact: string;
  /** What to look at, with the command or query that shows it. */
  readonly check: readonly string[];
  readonly fix: readonly string[];
}

/** What every declaration of an alert says. */
interface AlertParts {
  readonly op: Comparison;
  readonly threshold: number;
  /** How long the condition must hold: `5m`; `0s` fires at once. */
  readonly for: string;
  /** How long it goes on firing after the condition ended, so that a value at the threshold is one alert and not twenty. */
  readonly keepFiringFor?: string;
  readonly severity: AlertSeverity;
  /** One line; `{label}` and `{value}`, `{value:percent|duration|bytes}` stand for what fired. */
  readonly summary: string;
}

/** A threshold on a metric of a plugin that becomes a provisioned alert rule. */
export interface AlertSpec extends AlertParts {
  /** Id of the rule, unique among all alerts: `filesystem_almost_full`. */
  readonly name: string;
  /** Only series with these labels: `{ mode: "idle" }`. */
  readonly where?: Readonly<Record<string, string>>;
  readonly runbook: Runbook;
}

/** An alert rule, whatever evaluates it. */
export interface Alert extends AlertParts {
  /** Unique, snake_case; the label `alert_id`, and the anchor in docs/runbooks.md. */
  readonly id: string;
  /** What people call it. */
  readonly title: string;
  /** PromQL for the value itself, without the comparison: it gives one while all is well, too. */
  readonly query: string;
  /** Labels of the query's result that tell one alert from another; the summary may name them. */
  readonly labels: readonly string[];
  /** More about it than the summary, with the same placeholders. */
  readonly description?: string;
  /** Whether it fires when the query finds nothing at all; then nothing was found of what is watched. */
  readonly firesOnNoData?: true;
  /** What to do: a section of docs/runbooks.md for ours, the address of a page (or nothing) for those of users. */
  readonly runbook?: Runbook | string;
}

/** Alerts that are evaluated together. */
export interface AlertGroup {
  /** Name of the group and of its files, kebab-case. */
  readonly name: string;
  /** How often: a Prometheus duration. */
  readonly interval: string;
  readonly alerts: readonly Alert[];
}

/** A row of the table `alerts`, which users write: a condition of their own, which rules are made of. */
export interface AlertRecord {
  readonly id: string;
  readonly name: string;
  readonly plugin: string | null;
  readonly metric: string | null;
  readonly condition: unknown;
  readonly severity: string;
  readonly enabled: boolean;
}
