import { isDeepStrictEqual } from "node:util";
import type { Snapshot } from "../expose/types.ts";
import type { Monitor } from "../health/monitor.ts";
import type { Logger } from "../model/plugin.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import type { Scheduler, Slot } from "../schedule/scheduler.ts";
import type { KitRecord } from "../store/store.ts";
import { kitAddress } from "./records.ts";

export interface FleetDeps {
  readonly scheduler: Pick<Scheduler, "add" | "remove">;
  readonly monitor: Pick<Monitor, "add" | "remove" | "view">;
  readonly snapshot: Pick<Snapshot, "remove">;
  /** Drops what the runner remembers of a target. */
  readonly forget: (targetId: string) => void;
  /** Called for each target that came in, so that its state shows before its first run. */
  readonly added: (target: ConfiguredTarget) => void;
  readonly log: Logger;
}

/** The targets now collected from. */
export interface Fleet {
  get(targetId: string): ConfiguredTarget | undefined;
  list(): ConfiguredTarget[];
  /** Makes the fleet what the configuration says: what did not change goes on undisturbed. */
  apply(targets: readonly ConfiguredTarget[], remembered: readonly KitRecord[]): { added: number; removed: number };
  /** Gives a kit that was configured without an id the one it told, for good. */
  promote(target: ConfiguredTarget, identity: string): void;
}

/** What a target is apart from its plugin's functions, for telling whether it changed. */
function fingerprint({ plugin, ...rest }: ConfiguredTarget): object {
  return { plugin: plugin.id, ...rest };
}

/** The only job of a kit whose id is not known yet: its status tells the id, and no row can be kept before. */
const IDENTITY_JOB = "status";

function slotsOf(target: ConfiguredTarget): Slot[] {
  return Object.entries(target.jobs)
    .filter(([job]) => !target.provisional || job === IDENTITY_JOB)
    .map(([job, { trigger }]) => ({ targetId: target.id, job, trigger }));
}

/** Gives kits without a configured id the one the database remembers for their address. */
function recall(targets: readonly ConfiguredTarget[], remembered: readonly KitRecord[]): ConfiguredTarget[] {
  const taken = new Set(targets.map((target) => target.id));
  const byUrl = new Map(remembered.map((kit) => [kit.apiUrl, kit.kitId]));
  return targets.map((target) => {
    const id = target.provisional ? byUrl.get(kitAddress(target)) : undefined;
    if (id === undefined || taken.has(id)) return target;
    taken.add(id);
    return settled(target, id);
  });
}

function settled({ provisional: _provisional, ...target }: ConfiguredTarget, id: string): ConfiguredTarget {
  return { ...target, id, name: target.name === target.id ? id : target.name };
}

export function createFleet(deps: FleetDeps): Fleet {
  const current = new Map<string, { configured: ConfiguredTarget; target: ConfiguredTarget }>();

  function add(configured: ConfiguredTarget, target: ConfiguredTarget, known: KitRecord | undefined): void {
    current.set(target.id, { configured, target });
    deps.monitor.add(target, known && { identity: known.uid, lastSuccess: known.lastSeen });
    deps.added(target);
  }

  function remove(targetId: string): void {
    deps.scheduler.remove(targetId);
    deps.monitor.remove(targetId);
    deps.snapshot.remove(targetId);
    deps.forget(targetId);
    current.delete(targetId);
  }

  return {
    get: (targetId) => current.get(targetId)?.target,
    list: () => [...current.values()].map((entry) => entry.target),
    apply(targets, remembered) {
      const known = new Map(remembered.map((kit) => [kit.kitId, kit]));
      const running = [...current.values()];
      const stays = (target: ConfiguredTarget) =>
        running.find((entry) => isDeepStrictEqual(fingerprint(entry.configured), fingerprint(target)));
      const kept = new Set(targets.map(stays));
      const gone = running.filter((entry) => !kept.has(entry));
      for (const { target } of gone) remove(target.id);
      const fresh = targets.filter((target) => !stays(target));
      const resolved = recall(fresh, remembered);
      resolved.forEach((target, index) => {
        add(fresh[index] as ConfiguredTarget, target, known.get(target.id));
      });
      deps.scheduler.add(resolved.flatMap(slotsOf));
      return { added: resolved.length, removed: gone.length };
    },
    promote(target, identity) {
      const entry = current.get(target.id);
      if (!entry) return;
      if (current.has(identity)) {
        const fields = { target: target.id, identity };
        deps.log.error(fields, "two kits tell the same id: give each an id of its own in kits.yaml");
        return;
      }
      remove(target.id);
      const promoted = settled(target, identity);
      add(entry.configured, promoted, undefined);
      deps.scheduler.add(slotsOf(promoted));
      deps.log.info({ kit: identity, address: kitAddress(target) }, "a kit without a configured id told its own");
    },
  };
}
