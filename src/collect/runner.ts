import type { Context, HttpClient, Logger } from "../model/plugin.ts";
import { CollectError, NothingHere, type Run } from "../model/run.ts";
import type { Collected } from "../model/sample.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import { isA, toCollectError } from "./errors.ts";
import { createMemory } from "./memory.ts";
import { isRetryable, retryDelay } from "./retry.ts";

/** Runs a function when there is a free place: the scheduler's limit on concurrent collections. */
export type Limit = <T>(fn: () => Promise<T>) => Promise<T>;

export interface RunnerDeps {
  readonly http: HttpClient;
  readonly log: (target: ConfiguredTarget) => Logger;
  readonly now: () => Date;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Plugins and kits have limits of their own. */
  readonly limit: (target: ConfiguredTarget) => Limit;
  /** Aborts when the process begins to stop: attempts in flight finish, no further one is waited for. */
  readonly draining: AbortSignal;
}

export interface Runner {
  /**
   * Collects once, retries included. Never rejects: what goes wrong is in the outcome. `onBegin` is called when there is a
   * free place and the first attempt begins.
   */
  run(target: ConfiguredTarget, job: string, signal: AbortSignal, onBegin?: () => void): Promise<Run>;
  /** Drops a target's memory, as when it leaves the configuration, and closes what its plugin keeps there. */
  forget(targetId: string): void;
  /** Closes what plugins keep, once the last run is over. Never rejects, and takes a moment at most. */
  close(): Promise<void>;
}

type Finished = Run["outcome"];

/** Rejects when the signal aborts, so that a plugin that ignores its signal still gives its place back. */
function whenAborted(signal: AbortSignal): { promise: Promise<never>; release: () => void } {
  let onAbort = () => {};
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  return { promise, release: () => signal.removeEventListener("abort", onAbort) };
}

/** Waits `ms`; false when the signal aborts first. */
function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const done = (whole: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(whole);
    };
    const onAbort = () => done(false);
    const timer = setTimeout(() => done(true), ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

const isListOrAbsent = (value: unknown) => value === undefined || Array.isArray(value);

/** Reads everything once, so that nothing that throws when it is read gets any further. */
function checkShape(collected: Collected): Collected {
  if (typeof collected !== "object" || collected === null)
    throw new CollectError("bug", "the plugin did not return { samples: […] }");
  const plain = { ...collected };
  const { samples, rows, documents, rejected } = plain;
  if (!Array.isArray(samples) || ![rows, documents, rejected].every(isListOrAbsent))
    throw new CollectError("bug", "the plugin did not return { samples: […] }");
  return plain;
}

/** One try with its own deadline: the only place where a collection's time and failure are handled. */
async function attempt(
  target: ConfiguredTarget,
  jobName: string,
  context: Omit<Context, "signal">,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<Finished> {
  const job = target.plugin.jobs[jobName];
  if (!job)
    return { status: "failed", error: new CollectError("bug", `plugin ${target.plugin.id} has no job ${jobName}`) };
  const deadline = new AbortController();
  const late = () => deadline.abort(new CollectError("timeout", `no answer within ${Math.round(timeoutMs)} ms`));
  const timer = setTimeout(late, timeoutMs);
  const onStop = () => deadline.abort(new CollectError("timeout", "stopped while collecting"));
  stop.addEventListener("abort", onStop, { once: true });
  if (stop.aborted) onStop();
  const aborted = whenAborted(deadline.signal);
  try {
    const work = (async () => job.collect(target, { ...context, signal: deadline.signal }))();
    // A late rejection of an abandoned collection is nobody's to handle any more.
    work.catch(() => undefined);
    return { status: "ok", collected: checkShape(await Promise.race([work, aborted.promise])) };
  } catch (thrown) {
    if (isA(NothingHere, thrown)) return { status: "empty", reason: thrown.message };
    // An HTTP client reports an abort as its own error: the deadline's sentence says more.
    return { status: "failed", error: toCollectError(deadline.signal.aborted ? deadline.signal.reason : thrown) };
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
    aborted.release();
  }
}

/** THE wrapper: place in the queue, deadline, retries, outcome, timing. Every collection of every plugin goes through it. */
export function createRunner(deps: RunnerDeps): Runner {
  const memory = createMemory(deps.log);

  const run: Runner["run"] = async (target, job, signal, onBegin) => {
    const lease = memory.lease(target);
    try {
      return await runWith(lease.state, target, job, signal, onBegin);
    } finally {
      lease.release();
    }
  };

  async function runWith(
    state: Context["state"],
    target: ConfiguredTarget,
    job: string,
    signal: AbortSignal,
    onBegin?: () => void,
  ): Promise<Run> {
    const context = { http: deps.http, log: deps.log(target), now: deps.now, state };
    const { retries, deadline = Number.POSITIVE_INFINITY } = target.retry;
    const timeout = target.jobs[job]?.timeout ?? 0;
    let startedAt = deps.now();
    let begun = deps.monotonic();
    let waitedForPlace = true;
    for (let attempts = 1; ; attempts++) {
      const outcome = await deps.limit(target)(() => {
        if (waitedForPlace) {
          waitedForPlace = false;
          startedAt = deps.now();
          begun = deps.monotonic();
          onBegin?.();
        }
        return attempt(
          target,
          job,
          context,
          Math.max(1, Math.min(timeout, begun + deadline - deps.monotonic())),
          signal,
        );
      });
      const elapsed = deps.monotonic() - begun;
      const wait = outcome.status === "failed" && isRetryable(outcome.error) ? retryDelay(target.retry, attempts) : 0;
      const again = wait > 0 && attempts <= retries && elapsed + wait < deadline && (await sleep(wait, deps.draining));
      if (!again) {
        const base = { targetId: target.id, pluginId: target.plugin.id, job, attempts, outcome };
        return { ...base, startedAt, finishedAt: deps.now(), durationMs: deps.monotonic() - begun };
      }
    }
  }

  return { run, forget: memory.forget, close: memory.close };
}
