import type { z } from "zod";
import type { Duration } from "./duration.ts";
import type { Collected, MetricSpec, Sample } from "./sample.ts";

export const CATEGORIES = [
  "system",
  "network",
  "storage",
  "thermal",
  "container",
  "database",
  "application",
  "security",
  "ai_ml",
  "hardware",
  "iot",
  "power",
  "media",
  "field",
  "custom",
] as const;
export type Category = (typeof CATEGORIES)[number];

/** A bounded HTTP answer: the decoded body never exceeds the client's cap. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, decoded, as UTF-8. */
  readonly text: string;
}

/** What goes with a GET. `ca`: certificates (PEM) the server is held to, instead of the system's. */
export interface HttpOptions {
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string;
}

/** GET with the caller's deadline, a cap on decoded bytes, and no redirects followed. Rejects with a CollectError. */
export interface HttpClient {
  get(url: string, options: HttpOptions): Promise<HttpResponse>;
}

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One configured thing to collect from: this host, a Redis, kit-001. */
export interface Target<C = unknown> {
  readonly id: string;
  readonly config: C;
  readonly tags: Readonly<Record<string, string>>;
}

/** What a collection may use besides its target. Everything comes in here; nothing is global. */
export interface Context {
  /** Aborts at the run's deadline and at shutdown. */
  readonly signal: AbortSignal;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly now: () => Date;
  /**
   * Memory of this target, shared by its jobs, for rates and de-duplication; lost at restart, and that must be harmless.
   * A connection kept in it is for the plugin's `close` to end.
   */
  readonly state: Map<string, unknown>;
}

/** A unit of collection with its own interval. */
export interface Job<C = unknown, M extends string = string> {
  readonly summary: string;
  readonly every: Duration;
  /** Deadline of one attempt; the configured default when absent. */
  readonly timeout?: Duration;
  /** Metrics that every good run brings; one that is missing is counted as rejected, with the reason `missing_metric`. */
  readonly requires?: readonly NoInfer<M>[];
  // Method syntax: a specific plugin must stay assignable to Plugin in the registry.
  collect(target: Target<C>, context: Context): Promise<Collected<NoInfer<M>>>;
}

/**
 * Which vocabulary and which pauses a target's health follows: plugin (degraded, failing; stretched intervals), kit (online,
 * offline, stale, error), or service: the words of plugin, with a circuit breaker for each job instead of retries, for what
 * is asked every second or two.
 */
export type HealthPolicy = "plugin" | "kit" | "service";

/**
 * A plugin: one file under src/plugins/, a value and nothing else.
 * Metadata, the schema of its configuration, its metrics, and its jobs.
 */
export interface Plugin<S extends z.ZodType = z.ZodType, M extends string = string, J extends string = string> {
  /** Equals the file name, snake_case; the kebab-case form is accepted wherever an id is read. */
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly category: Category;
  readonly version: string;
  /** Who wrote it, for plugins that do not come with gleaner. */
  readonly author?: string;
  /** Words people search for. */
  readonly tags?: readonly string[];
  /** Runs with no configuration at all, as a target named after the plugin. */
  readonly enabledByDefault: boolean;
  /** Every field carries a description; the config reference is generated from it. */
  readonly config: S;
  readonly metrics: { readonly [K in M]: MetricSpec };
  /**
   * Which metrics its targets bring besides, where only the configuration or the source knows them: a sentence for the docs.
   * Such a plugin declares them with every harvest (`Collected.metrics`); any other is held to `metrics`.
   */
  readonly furtherMetrics?: string;
  /** "plugin" when absent. */
  readonly health?: HealthPolicy;
  readonly jobs: { readonly [K in J]: Job<z.output<S>, M> };
  /** Metrics worked out of others: a pure function of what one run brought and passed validation. What it adds is validated too. */
  derive?(samples: readonly Sample<NoInfer<M>>[]): readonly Sample<NoInfer<M>>[];
  /**
   * Ends what the jobs keep in `context.state`: connections, processes. Called after the last run, when the target leaves the
   * configuration, when its configuration changes, and when gleaner stops; it is not waited for longer than a moment.
   */
  close?(state: Map<string, unknown>): void | Promise<void>;
}

/** Checks a plugin's types where it is written, and hands it on unchanged. */
export function definePlugin<S extends z.ZodType, const M extends string, const J extends string>(
  plugin: Plugin<S, M, J>,
): Plugin<S, M, J> {
  return plugin;
}

/** `docker-monitor` -> `docker_monitor`: both spellings occur in the wild. */
export function canonicalPluginId(id: string): string {
  return id.replaceAll("-", "_");
}
