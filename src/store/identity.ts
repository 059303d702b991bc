import type { Engine } from "./engines/engine.ts";

/**
 * Makes the check that goes before a write: it calls `forget` when the database is not the one of the check before.
 * A server can be replaced between two writes without one of them failing; then ids of series that are remembered
 * would point to other series.
 */
export function watchIdentity(engine: Engine, forget: () => void): () => Promise<void> {
  let known: string | undefined;
  return async () => {
    const identity = await engine.identity?.();
    const now = identity && `${identity.history} ${identity.contents}`;
    if (now !== known) forget();
    known = now;
  };
}
