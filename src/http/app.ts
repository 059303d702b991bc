import type { Agents } from "./app/agents.ts";
import type { AlertReceipt } from "./app/alerts.ts";
import type { BuffersView, ComponentDetail, HealthView } from "./app/background.ts";
import type { DiscoveryGroup, Exposition } from "./app/exposition.ts";
import type { JobView, Overview } from "./app/overview.ts";
import type { PluginChanged, PluginView } from "./app/plugins.ts";
import type { Reads } from "./app/reads.ts";

/**
 * What the HTTP server needs from the rest of the process: plain data and functions, implemented by main.ts. What the
 * answers look like is in app/, a file per topic.
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
