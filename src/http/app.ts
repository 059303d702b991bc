import type { PointView, WindowName, WindowSummary } from "../buffer/windows.ts";
import type { ComponentState, Severity, TargetState, Trend } from "../model/health.ts";
import type { SkipReason } from "../model/run.ts";

/**
 * What the HTTP server needs from the rest of the process: plain data and functions, implemented by main.ts.
 * Nothing in here may carry a secret: every text is shown to whoever may read.
 */
export interface Application {
  /** Version of gleaner, as in package.json. */
  readonly version: string;
  /** When the process started; the landing page shows the uptime. */
  readonly startedAt: Date;
  /** Where the documentation is, as an absolute URL; the landing page leaves the link out when null. */
  readonly docsUrl: string | null;
  /** The current state of everything, from memory: called for each page view, so it must be cheap. */
  describe(): Overview;
  /** Every job, in any order. */
  jobs(): readonly JobView[];
  /**
   * The exposition in the format that the two request headers ask for (undefined when the header is absent).
   * A rejection becomes a 500, which makes Prometheus mark the scrape as failed.
   */
  metrics(accept: string | undefined, acceptEncoding: string | undefined): Promise<Exposition>;
  /** What the OpenTelemetry exporter has, in text format. */
  otelMetrics(): Promise<Exposition>;
  /** Whether gleaner does its work; `reasons` are sentences that say what is missing, empty when ready. Shown to anyone. */
  ready(): { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Prometheus' http_sd document. Throw when it cannot be told: an empty list would make Prometheus drop its targets. */
  serviceDiscovery(): readonly DiscoveryGroup[];
  /**
   * Collects one target once, now. It resolves within `deadlineMs` even when the target fails (`probe_success 0`);
   * `signal` aborts when the client has gone or has waited too long.
   */
  probe(targetId: string, deadlineMs: number, signal: AbortSignal): Promise<Exposition | "unknown_target">;
  /**
   * What is kept in memory of a target's runs; undefined when there is no such target.
   * @param limit runs shown of each job at most; of `since` (epoch milliseconds) and later, the newest
   */
  buffers(targetId: string, limit: number, since: number | undefined): BuffersView | undefined;
  /** The health of all components, or of one with its history; undefined when there is no such component. */
  health(component: string | undefined): HealthView | ComponentDetail | undefined;
  /** Every plugin, and what of it runs. */
  plugins(): readonly PluginView[];
  /** Changes what the database says of a plugin, and makes it so at once; a change that cannot be used changes nothing. */
  changePlugin(id: string, change: { readonly enabled?: boolean; readonly config?: unknown }): Promise<PluginChanged>;
  /** Programs elsewhere that report by themselves. */
  readonly agents: Agents;
  /** Latest values and states, of all collectors on the database. */
  readonly reads: Reads;
  /** Takes the parsed body of a webhook of Grafana or Alertmanager. What it says it kept is durable. */
  receiveAlerts(body: unknown): AlertReceipt;
}

/**
 * The buffers of a target. What GraphMemory's collector gave has the names that it had there (`success_rate`); times are
 * seconds.
 */
export interface BuffersView {
  readonly target: string;
  readonly jobs: readonly JobBuffer[];
  /** Of all targets: what the buffers take, and may take (bytes). */
  readonly memory: { readonly used: number; readonly limit: number };
}

export interface JobBuffer {
  readonly job: string;
  /** Runs that are kept at most, how many that would be for an hour, and how many there are. */
  readonly capacity: number;
  readonly wanted: number;
  readonly size: number;
  /** How far a full buffer reaches back; null for a job that runs by cron. */
  readonly reach_seconds: number | null;
  readonly oldest: Date | null;
  readonly newest: Date | null;
  /** Runs since the buffer began. */
  readonly total_runs: number;
  readonly failed_runs: number;
  /** Series of the last run that are not buffered, because there are too many. */
  readonly series_left_out: number;
  /** Null without a run. */
  readonly windows: Readonly<Record<WindowName, WindowSummary | null>>;
  readonly recent: readonly PointView[];
}

/** One component. `since`: when it came into its state. */
export interface ComponentSummary {
  readonly component: string;
  readonly state: ComponentState;
  /** Why it is not healthy; empty when it is. */
  readonly reason: string;
  readonly since: Date;
  readonly trend: Trend;
}

export interface ComponentDetail extends ComponentSummary {
  /** Its evaluations, the newest last. */
  readonly history: readonly { readonly at: Date; readonly state: ComponentState; readonly reason: string }[];
}

/** How gleaner is as a whole: as its worst component. */
export interface HealthView {
  readonly overall: ComponentState;
  readonly trend: Trend;
  readonly since: Date | null;
  readonly components: readonly ComponentSummary[];
  /** The last changes of state, the newest last. */
  readonly alerts: readonly {
    readonly at: Date;
    readonly component: string;
    readonly from: string;
    readonly to: string;
    readonly severity: Severity;
    readonly details: string;
  }[];
}

/**
 * What a token is worth as an agent's key: `other` when it is no key at all, `unavailable` while nobody can tell, because the
 * database was not reached yet.
 */
export type KeyVerdict = "good" | "wrong" | "expired" | "revoked" | "unavailable" | "other";

/** What owners do with agents, and what agents do. Bodies are parsed JSON, and nothing is known of them. */
export interface Agents {
  list(): readonly AgentView[];
  /** What a bearer token is worth as the key of this agent. */
  judge(id: string, presented: string): KeyVerdict;
  /** Makes an agent known. The answer holds its key, this once. */
  add(body: unknown): Promise<AgentAnswer>;
  /** Gives it another key; the one before is good for nothing from then on. */
  renew(id: string, body: unknown): Promise<AgentAnswer>;
  revoke(id: string): Promise<AgentAnswer>;
  configure(id: string, config: unknown): Promise<AgentAnswer>;
  /** What the agent will report. */
  register(id: string, body: unknown): Promise<AgentAnswer>;
  /** What it measured; done means durable. */
  report(id: string, body: unknown): Promise<AgentAnswer>;
  /** What it says of itself; done means durable. */
  health(id: string, body: unknown): Promise<AgentAnswer>;
  /** What its owner has set for it. */
  config(id: string): AgentAnswer;
}

/** What became of a request: done, no such agent, not as things are, nothing that can be used, or not at the moment. */
export type AgentAnswer =
  | { readonly status: "done"; readonly body: object }
  | { readonly status: "unknown" }
  | { readonly status: "conflict" | "unusable" | "unavailable"; readonly problems: readonly string[] };

/** An agent as people see it. Nothing of its key is in it, nor its configuration, which may hold secrets. */
export interface AgentView {
  readonly id: string;
  readonly name: string;
  readonly plugin: string;
  /** Whether it has registered yet, and whether its key is still good. */
  readonly state: "waiting" | "registered" | "expired" | "revoked";
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly registeredAt: Date | null;
  readonly version: string | null;
  /** How often it means to report, such as `30s`. */
  readonly interval: string | null;
  /** Names of its metrics as they are exposed. */
  readonly metrics: readonly string[];
}

/** Latest values and states, from wherever they are quickest to have. `unavailable`: the database cannot be asked now. */
export interface Reads {
  /** The last value of each series of a target. A plugin that runs by default has a target of its name. */
  metrics(id: string, query: MetricsQuery): Promise<MetricsView | "unknown" | "unavailable">;
  status(id: string): Promise<StatusView | "unknown" | "unavailable">;
  summary(): Promise<SummaryView | "unavailable">;
}

export interface MetricsQuery {
  readonly limit: number;
  /** Only the series of this metric. */
  readonly metric?: string;
  /** As it was then, instead of now. */
  readonly at?: Date;
}

/** Where an answer comes from: this collector's memory, the cache, the database. Times out of the cache are text already. */
export interface MetricsView {
  readonly target: string;
  readonly plugin: string;
  readonly source: "memory" | "cache" | "database";
  readonly metrics: readonly { readonly series: string; readonly value: number; readonly time: Date | string | null }[];
}

export interface StatusView {
  readonly target: string;
  readonly plugin: string;
  readonly source: MetricsView["source"];
  readonly state: TargetState;
  readonly lastRun: Date | string | null;
  readonly lastSuccess: Date | string | null;
  readonly lastError: string | null;
  /** Failed runs since its collector started, and in a row. */
  readonly failures: number;
  readonly consecutiveFailures: number;
}

/** All targets that the database knows, counted by state and by plugin, and series that were ever stored. */
export interface SummaryView {
  readonly source: "cache" | "database";
  readonly at: Date | string;
  readonly targets: Readonly<Record<string, number>>;
  readonly plugins: Readonly<Record<string, number>>;
  readonly series: number;
}

/** A plugin as people see it. Its settings are left out: they may hold secrets. */
export interface PluginView {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly category: string;
  readonly version: string;
  /** Whether any target of it runs. */
  readonly enabled: boolean;
  readonly targets: readonly string[];
  /** Whether its row in the database says something else than gleaner.yaml. */
  readonly edited: boolean;
  readonly changedAt: Date | null;
  /** Why its row cannot be used, so that what was in force before stays; null when it can. */
  readonly refused: string | null;
  /** Why it cannot be loaded, so that its targets fail; null when it is. */
  readonly failed: string | null;
}

/** What became of a change: made, no such plugin, nowhere to keep it now, or why it cannot be used. */
export type PluginChanged =
  | { readonly status: "changed"; readonly plugin: PluginView }
  | { readonly status: "unknown" }
  | { readonly status: "no_database" }
  | { readonly status: "refused"; readonly problems: readonly string[] };

/** What became of reported alerts: no notification at all, nowhere to keep them now, or how many were taken and left out. */
export type AlertReceipt =
  | { readonly status: "unreadable" }
  | { readonly status: "not_kept" }
  | { readonly status: "kept"; readonly accepted: number; readonly rejected: Readonly<Record<string, number>> };

/** A body in an exposition format. `contentType` is sent as it is, `status` is 200 when absent. */
export interface Exposition {
  readonly status?: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** How `body` is compressed already; absent when it is not. */
  readonly encoding?: "gzip";
}

/** One group of the http_sd format: `targets` are host:port. */
export interface DiscoveryGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Everything the landing page and /api/targets show. */
export interface Overview {
  readonly store: StoreView;
  /** Series in the snapshot that /metrics serves. */
  readonly series: number;
  /** Targets that are not kits. */
  readonly targets: readonly TargetView[];
  readonly kits: readonly KitView[];
}

export interface StoreView {
  /** Engine and place without credentials: `sqlite data/gleaner.db`. */
  readonly label: string;
  /** Whether the last write or ping succeeded. */
  readonly reachable: boolean;
  /** Rows newly stored since the process started, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** One target as people see it. Times are null when there was or will be none. */
export interface TargetView {
  readonly id: string;
  readonly name: string;
  /** Id of its plugin. */
  readonly plugin: string;
  readonly state: TargetState;
  readonly lastSuccess: Date | null;
  /** Soonest next run of any of its jobs. */
  readonly nextRun: Date | null;
  /** Failed runs in a row; 0 after a success. */
  readonly consecutiveFailures: number;
  /** Failed runs since the process started. */
  readonly failures: number;
  /** Why the last failed run failed; kept after recovery. */
  readonly lastError: string | null;
  /** Series it has in the snapshot now. */
  readonly series: number;
  /** What of its answers could not be used since it is watched, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
}

export interface KitView extends TargetView {
  readonly location: string | null;
  /** The kit's API URL, without credentials. */
  readonly address: string;
}

/** One job of one target. */
export interface JobView {
  readonly target: string;
  readonly plugin: string;
  readonly job: string;
  /** `every 5s`, `cron 0 3 * * *`, or `reported every 30s` where nothing here starts it. */
  readonly trigger: string;
  /** Null while paused for good or not scheduled. */
  readonly nextRun: Date | null;
  readonly lastRun: Date | null;
  readonly lastOutcome: "ok" | "empty" | "failed" | "skipped" | null;
  /** Why the last outcome was not ok: the error, what was empty, or why it was skipped. */
  readonly reason: string | SkipReason | null;
  readonly lastDurationMs: number | null;
}
