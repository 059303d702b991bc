import { createHttpClient } from "../collect/http.ts";
import { createRunner } from "../collect/runner.ts";
import { createLogger } from "../log.ts";
import type { Run } from "../model/run.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";
import { toBatch } from "../process/pipeline.ts";

/** A run and what came of it. */
export interface Collection {
  readonly run: Run;
  readonly batch: Batch;
}

/** Collects outside of any schedule, one try each, for commands that show what a target gives. Nothing is stored. */
export async function withCollector<T>(
  work: (collect: (target: ConfiguredTarget, job: string) => Promise<Collection>) => Promise<T>,
): Promise<T> {
  const log = createLogger("warn");
  const http = createHttpClient();
  const never = new AbortController().signal;
  const runner = createRunner({
    http,
    log: (target) => log.child({ target: target.id }),
    now: () => new Date(),
    monotonic: () => performance.now(),
    limit: () => (fn) => fn(),
    draining: never,
  });
  try {
    return await work(async (target, job) => {
      const single = { ...target, retry: { ...target.retry, retries: 0 } };
      const run = await runner.run(single, job, never);
      return { run, batch: toBatch(target, run) };
    });
  } finally {
    await runner.close();
    await http.close();
  }
}

/** Collects some jobs once, all at the same time. */
export function collectOnce(
  work: readonly { readonly target: ConfiguredTarget; readonly job: string }[],
): Promise<Collection[]> {
  return withCollector((collect) => Promise.all(work.map(({ target, job }) => collect(target, job))));
}

/** How a run ended, in one line. */
export function outcomeLine({ outcome, durationMs }: Run): string {
  const took = `${Math.round(durationMs)} ms`;
  if (outcome.status === "ok") return `ok (${took})`;
  if (outcome.status === "empty") return `nothing: ${outcome.reason} (${took})`;
  return `failed: ${outcome.error.kind}: ${outcome.error.message} (${took})`;
}
