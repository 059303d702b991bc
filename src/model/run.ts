import type { Collected } from "./sample.ts";

/** Why a collection failed. Retry, health and the label `kind` of gleaner_job_failures_total go by it. */
export const ERROR_KINDS = ["timeout", "unreachable", "http_status", "bad_data", "bug"] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** Why a due run did not happen. */
export const SKIP_REASONS = ["overlap", "open_circuit", "paused"] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** A failed collection. `retryAfter` (ms) is what the source asked for; `status` is the HTTP status, if one came. */
export class CollectError extends Error {
  readonly kind: ErrorKind;
  readonly status: number | undefined;
  readonly retryAfter: number | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    options: { status?: number; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "CollectError";
    this.kind = kind;
    this.status = options.status;
    this.retryAfter = options.retryAfter;
  }
}

/** Thrown by a plugin when there is nothing to collect here and that is no failure (a feature the target lacks, a kit still booting). */
export class NothingHere extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "NothingHere";
  }
}

/** What one run of a job came to. */
export type Outcome =
  | { readonly status: "ok"; readonly collected: Collected }
  | { readonly status: "empty"; readonly reason: string }
  | { readonly status: "failed"; readonly error: CollectError }
  | { readonly status: "skipped"; readonly reason: SkipReason };

/** A finished run: the outcome with where, when and how long. */
export interface Run {
  readonly targetId: string;
  readonly pluginId: string;
  readonly job: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly durationMs: number;
  /** 1 when the first try was the last. */
  readonly attempts: number;
  readonly outcome: Exclude<Outcome, { status: "skipped" }>;
}
