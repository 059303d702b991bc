import type { Duration } from "./duration.ts";
import type { Plugin } from "./plugin.ts";
import type { Run } from "./run.ts";
import type { Document, MetricSpec, Rejection, Row, Sample } from "./sample.ts";

/**
 * When a job runs: every so often, phase-spread, or by a cron expression in a time zone; or by itself elsewhere, and is
 * reported about so often.
 */
export type Trigger = Schedule | { readonly reported: Duration };
/** When a job is started here. */
export type Schedule = { readonly every: Duration } | { readonly cron: string; readonly timezone?: string };

/** How often a job runs, wherever it does; undefined for one that runs by cron. */
export function intervalOf(trigger: Trigger): Duration | undefined {
  if ("every" in trigger) return trigger.every;
  return "reported" in trigger ? trigger.reported : undefined;
}

/**
 * How failed attempts of one run are repeated. `deadline` bounds the whole run, waits included;
 * without it each attempt has its own `timeout` and the waits come on top.
 */
export interface RetryPolicy {
  readonly retries: number;
  readonly delay: Duration;
  /** Exponential: delay · factor^n. Linear: delay · n. */
  readonly growth: { readonly kind: "exponential"; readonly factor: number } | { readonly kind: "linear" };
  readonly deadline?: Duration;
}

/** How long a target is left alone after failures, and when it counts as stale. */
export interface PausePolicy {
  readonly initialBackoff: Duration;
  readonly maxBackoff: Duration;
  /** No good data for this long is stale; at least three intervals whatever is configured. */
  readonly staleAfter: Duration;
}

/** A target as the configuration resolves it: everything a run needs, nothing left to look up. */
export interface ConfiguredTarget {
  readonly id: string;
  /** The configuration gives no id: this one is made of the address, until the target tells its own or the database remembers it. */
  readonly provisional?: true;
  readonly name: string;
  readonly plugin: Plugin;
  /** Output of the plugin's own config schema. */
  readonly config: unknown;
  readonly tags: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly trigger: Trigger; readonly timeout: Duration }>>;
  readonly retry: RetryPolicy;
  readonly pause: PausePolicy;
}

/** What a finished run hands to every sink: the run, and what of its harvest passed validation. */
export interface Batch {
  readonly target: ConfiguredTarget;
  readonly run: Run;
  readonly samples: readonly Sample[];
  /** What was declared of each metric among the samples, by its key. */
  readonly metrics: Readonly<Record<string, MetricSpec>>;
  readonly rows: readonly Row[];
  readonly documents: readonly Document[];
  /** Everything left out, by reason: the plugin's own rejections and those of validation. */
  readonly rejected: readonly Rejection[];
}

/** A place batches go. One that fails is counted and never reaches back to collection. */
export interface Sink {
  readonly name: string;
  accept(batch: Batch): void | Promise<void>;
}
