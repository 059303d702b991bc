import type { CollectError, ErrorKind } from "../model/run.ts";
import type { RetryPolicy } from "../model/target.ts";

/** Kinds that another try can mend; an answer that was understood and refused, or not understood, would come back the same. */
const RETRYABLE: ReadonlySet<ErrorKind> = new Set(["timeout", "unreachable"]);

export function isRetryable(error: CollectError): boolean {
  return RETRYABLE.has(error.kind);
}

/** Wait before try number `attempt + 1`: delay·factor^(n−1) (10, 20, 40 s by default), or delay·n for kits (1, 2, 3 s). */
export function retryDelay(policy: RetryPolicy, attempt: number): number {
  return policy.growth.kind === "linear"
    ? policy.delay * attempt
    : policy.delay * policy.growth.factor ** (attempt - 1);
}
