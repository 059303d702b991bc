import type { KitRecord, Store, TargetStatus } from "./store.ts";

/**
 * The latest state of each target and kit, waiting to be written: coalesced, so that only the last one costs a row, and
 * spaced, so that thousands of targets that only go on as they were cost a write every few seconds.
 */
export interface States {
  status(status: TargetStatus): void;
  kit(kit: KitRecord): void;
  /** From when on (monotonic ms) what waits is to be written; infinity when nothing waits. */
  dueAt(): number;
  /** Writes all of it; what came meanwhile, or was not written, waits again. */
  write(store: Pick<Store, "upsertStatus" | "upsertKits">): Promise<void>;
}

/** What is merely newer (the time of the last run) is written this far apart (ms); a change of state at once. */
const REFRESH_MS = 5_000;

/** Nothing waits yet. `now` is monotonic (ms). */
export function createStates(now: () => number): States {
  let statuses = new Map<string, TargetStatus>();
  let kits = new Map<string, KitRecord>();
  /** The state last told of each target and kit: a handful of strings for thousands of ids. */
  const known = new Map<string, string>();
  let changed = false;
  let writtenAt = Number.NEGATIVE_INFINITY;

  function learn(id: string, state: string): void {
    if (known.get(id) === state) return;
    known.set(id, state);
    changed = true;
  }

  return {
    status(status) {
      statuses.set(status.targetId, status);
      learn(`target ${status.targetId}`, status.state);
    },
    kit(kit) {
      kits.set(kit.kitId, kit);
      learn(`kit ${kit.kitId}`, `${kit.status} ${kit.enabled}`);
    },
    dueAt() {
      if (statuses.size === 0 && kits.size === 0) return Number.POSITIVE_INFINITY;
      return changed ? now() : writtenAt + REFRESH_MS;
    },
    async write(store) {
      const [takenStatuses, takenKits] = [statuses, kits];
      statuses = new Map();
      kits = new Map();
      changed = false;
      writtenAt = now();
      try {
        if (takenStatuses.size > 0) await store.upsertStatus([...takenStatuses.values()]);
        if (takenKits.size > 0) await store.upsertKits([...takenKits.values()]);
      } catch (error) {
        statuses = new Map([...takenStatuses, ...statuses]);
        kits = new Map([...takenKits, ...kits]);
        changed = true;
        throw error;
      }
    },
  };
}
