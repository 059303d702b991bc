import type { KitRecord, Store, TargetStatus } from "./store.ts";

/** The latest state of each target and kit, waiting to be written: coalesced, so that only the last one costs a row. */
export interface States {
  status(status: TargetStatus): void;
  kit(kit: KitRecord): void;
  isEmpty(): boolean;
  /** Writes all of it; what came meanwhile, or was not written, waits again. */
  write(store: Pick<Store, "upsertStatus" | "upsertKits">): Promise<void>;
}

export function createStates(): States {
  let statuses = new Map<string, TargetStatus>();
  let kits = new Map<string, KitRecord>();

  return {
    status: (status) => void statuses.set(status.targetId, status),
    kit: (kit) => void kits.set(kit.kitId, kit),
    isEmpty: () => statuses.size === 0 && kits.size === 0,
    async write(store) {
      const [takenStatuses, takenKits] = [statuses, kits];
      statuses = new Map();
      kits = new Map();
      try {
        if (takenStatuses.size > 0) await store.upsertStatus([...takenStatuses.values()]);
        if (takenKits.size > 0) await store.upsertKits([...takenKits.values()]);
      } catch (error) {
        statuses = new Map([...takenStatuses, ...statuses]);
        kits = new Map([...takenKits, ...kits]);
        throw error;
      }
    },
  };
}
