import { toCollectError } from "../collect/errors.ts";
import { sayRarely } from "../expose/say-rarely.ts";
import type { Logger } from "../model/plugin.ts";

/**
 * A rejected promise that nobody waits for is somebody's mistake and no reason to stop collecting from all others: it is
 * logged, at most once a minute. @returns what ends that
 */
export function surviveOrphans(log: Logger): () => void {
  const say = sayRarely((reason) => log.error({ reason }, "a promise was rejected that nobody waited for"));
  const onOrphan = (reason: unknown) => say(toCollectError(reason).message);
  process.on("unhandledRejection", onOrphan);
  return () => process.off("unhandledRejection", onOrphan);
}
