import type { Logger, Plugin } from "../model/plugin.ts";
import type { ConfiguredTarget } from "../model/target.ts";

/** How long a plugin has to end what it keeps (ms): a good-bye over the network, no more. */
const CLOSE_MS = 400;

/** A target's memory, lent for one run. */
export interface Lease {
  readonly state: Map<string, unknown>;
  release(): void;
}

/** What plugins remember between runs. It is closed by its plugin when it is forgotten and nobody uses it any more. */
export interface Memory {
  lease(target: ConfiguredTarget): Lease;
  forget(targetId: string): void;
  /** Forgets all, and waits for it, a moment at most. */
  close(): Promise<void>;
}

interface Kept {
  readonly target: ConfiguredTarget;
  readonly state: Map<string, unknown>;
  readonly closed: PromiseWithResolvers<void>;
  users: number;
  isForgotten: boolean;
}

/** The plugin's own close, bounded in time; what goes wrong is logged. */
async function closeState(plugin: Plugin, state: Map<string, unknown>, log: Logger): Promise<void> {
  if (!plugin.close || state.size === 0) return;
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), CLOSE_MS);
  try {
    const closing = (async () => plugin.close?.(state))();
    closing.catch(() => undefined);
    if ((await Promise.race([closing, late.promise])) === "late")
      log.warn({ plugin: plugin.id }, `the plugin did not close what it keeps within ${CLOSE_MS} ms`);
  } catch (error) {
    log.warn({ plugin: plugin.id, err: error }, "the plugin could not close what it keeps");
  } finally {
    clearTimeout(timer);
  }
}

export function createMemory(log: (target: ConfiguredTarget) => Logger): Memory {
  const memories = new Map<string, Kept>();

  function closeUnused(kept: Kept): void {
    if (!kept.isForgotten || kept.users > 0) return;
    void closeState(kept.target.plugin, kept.state, log(kept.target)).then(() => kept.closed.resolve());
  }

  function forget(targetId: string): void {
    const kept = memories.get(targetId);
    if (!kept) return;
    memories.delete(targetId);
    kept.isForgotten = true;
    closeUnused(kept);
  }

  return {
    lease(target) {
      const kept = memories.get(target.id) ?? {
        ...{ target, state: new Map<string, unknown>(), closed: Promise.withResolvers<void>() },
        ...{ users: 0, isForgotten: false },
      };
      memories.set(target.id, kept);
      kept.users++;
      return {
        state: kept.state,
        release() {
          kept.users--;
          closeUnused(kept);
        },
      };
    },
    forget,
    async close() {
      const all = [...memories.values()];
      for (const { target } of all) forget(target.id);
      // A run that nothing ends keeps its memory; stopping does not wait for it.
      await Promise.all(all.filter(({ users }) => users === 0).map(({ closed }) => closed.promise));
    },
  };
}
