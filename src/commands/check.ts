import type { Configured } from "../app/configure.ts";
import type { LoadOptions } from "../config/load.ts";
import { storeOptions } from "../config/store-options.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import { inspectStore } from "../store/inspect.ts";
import { collectOnce, outcomeLine } from "./collect.ts";
import { withConfigured } from "./configured.ts";
import { CommandFailure, explain } from "./failure.ts";

interface Finding {
  readonly ok: boolean;
  readonly text: string;
}

async function checkStore(url: ReturnType<typeof storeOptions>["url"]): Promise<Finding> {
  try {
    return { ok: true, text: `store: ${await inspectStore(url)}` };
  } catch (error) {
    return { ok: false, text: `store: ${explain(error)}` };
  }
}

/** One try of each job of each target. */
async function checkTargets(targets: readonly ConfiguredTarget[]): Promise<Finding[]> {
  const work = targets.flatMap((target) => Object.keys(target.jobs).map((job) => ({ target, job })));
  const results = await collectOnce(work);
  return results.map(({ run }) => {
    const what = run.pluginId === "dragonsync" ? "kit" : "plugin";
    return { ok: run.outcome.status !== "failed", text: `${what} ${run.targetId} ${run.job}: ${outcomeLine(run)}` };
  });
}

/**
 * Checks everything that has to work before gleaner runs: configuration, database, every plugin and every kit, each for real.
 * Prints a line each; changes nothing.
 * @throws {CommandFailure} when something does not work
 */
export async function check(options: LoadOptions, print: (text: string) => void): Promise<void> {
  await withConfigured(options, (configured) => checkAll(configured, print));
}

async function checkAll({ config, targets }: Configured, print: (text: string) => void): Promise<void> {
  print(`ok      configuration: ${config.sources.join(", ") || "defaults"}; ${targets.length} targets`);
  const findings = [await checkStore(storeOptions(config).url), ...(await checkTargets(targets))];
  for (const { ok, text } of findings) print(`${ok ? "ok    " : "FAILED"}  ${text}`);
  const failed = findings.filter((finding) => !finding.ok).length;
  if (failed > 0) throw new CommandFailure(`${failed} of ${findings.length + 1} checks failed.`);
}
