import type { Engine } from "./engines/engine.ts";

/**
 * Makes the check that goes before a write: it calls `forget`, and says so, when the database is not the one of the check
 * before. A server can be replaced between two writes without one of them failing; then ids of series that are remembered
 * would point to other series.
 */
export function watchIdentity(engine: Engine, forget: () => void): () => Promise<boolean> {
  let known: string | undefined;
  return async () => {
    const identity = await engine.identity?.();
    const now = identity && `${identity.history} ${identity.contents}`;
    const isAnother = now !== known;
    if (isAnother) forget();
    known = now;
    return isAnother;
  };
}
