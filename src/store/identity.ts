import type { Engine } from "./engines/engine.ts";

/** What tells a database from another one that takes its place under the same name. */
export interface Identity {
  /** Another one when commits may be gone: another server or database, a fail-over to a standby, a schema made anew. */
  readonly history: string;
  /** Another one also when tables that are remembered here were emptied. */
  readonly contents: string;
}

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
