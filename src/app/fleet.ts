import { isDeepStrictEqual } from "node:util";
import { EXPECTED_ID, TARGET_ID } from "../config/fields.ts";
import { normaliseUrl } from "../config/kits.ts";
import type { Snapshot } from "../expose/types.ts";
import type { Monitor, TargetView } from "../health/monitor.ts";
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
  /** Called with the last of each target that left the configuration for good; not for one that only changed. */
  readonly left: (view: TargetView) => void;
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

/** Whether nothing of a target changed. A plugin that was loaded anew is another one: its functions ask another process. */
function isSame(one: ConfiguredTarget | undefined, other: ConfiguredTarget): boolean {
  if (one?.plugin !== other.plugin) return false;
  return isDeepStrictEqual({ ...one, plugin: null }, { ...other, plugin: null });
}

/** The only job of a kit whose id is not known yet: its status tells the id, and no row can be kept before. */
const IDENTITY_JOB = "status";

function slotsOf(target: ConfiguredTarget): Slot[] {
  return Object.entries(target.jobs)
    .filter(([job]) => !target.provisional || job === IDENTITY_JOB)
    .flatMap(([job, { trigger }]) => ("reported" in trigger ? [] : [{ targetId: target.id, job, trigger }]));
}

/** A kit's address as a key; what the database remembers may be no address at all. */
const addressKey = (url: string) => (URL.canParse(url) ? normaliseUrl(url) : url);

/** The kit the database knows at each address: one in use before a retired one, then the one seen last. */
function byAddress(remembered: readonly KitRecord[]): Map<string, string> {
  const rank = (kit: KitRecord) => (kit.enabled ? Number.MAX_SAFE_INTEGER : 0) + (kit.lastSeen?.getTime() ?? 0);
  const ranked = remembered.toSorted((a, b) => rank(a) - rank(b));
  return new Map(ranked.map((kit) => [addressKey(kit.apiUrl), kit.kitId]));
}

/** Gives kits without a configured id the one the database remembers for their address. */
function recall(
  targets: readonly ConfiguredTarget[],
  remembered: readonly KitRecord[],
  inUse: Iterable<string>,
): ConfiguredTarget[] {
  const taken = new Set([...inUse, ...targets.map((target) => target.id)]);
  const known = byAddress(remembered);
  return targets.map((target) => {
    const id = target.provisional ? known.get(addressKey(kitAddress(target))) : undefined;
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

  function isRefused(targetId: string, identity: string): false {
    const fields = { target: targetId, identity };
    deps.log.error(fields, "two kits have the same id: give each an id of its own in kits.yaml");
    return false;
  }

  return {
    get: (targetId) => current.get(targetId)?.target,
    list: () => [...current.values()].map((entry) => entry.target),
    apply(targets, remembered) {
      const known = new Map(remembered.map((kit) => [kit.kitId, kit]));
      // By configured id, which is unique: comparing each with each takes minutes for thousands of kits.
      const running = new Map([...current.values()].map((entry) => [entry.configured.id, entry]));
      const stays = (target: ConfiguredTarget) => isSame(running.get(target.id)?.configured, target);
      const fresh = targets.filter((target) => !stays(target));
      const kept = new Set(targets.filter(stays).map((target) => target.id));
      const gone = [...running.values()].filter((entry) => !kept.has(entry.configured.id));
      const last = gone.flatMap(({ target }) => deps.monitor.view(target.id) ?? []);
      for (const { target } of gone) remove(target.id);
      const resolved = recall(fresh, remembered, current.keys());
      const added = resolved.filter((target, index) => {
        // Configured ids are unique, but a kit without one may have told just this id.
        if (current.has(target.id)) return isRefused(target.id, target.id);
        add(fresh[index] as ConfiguredTarget, target, known.get(target.id));
        return true;
      });
      for (const view of last) if (!current.has(view.target.id)) deps.left(view);
      deps.scheduler.add(added.flatMap(slotsOf));
      return { added: added.length, removed: gone.length };
    },
    promote(target, identity) {
      const entry = current.get(target.id);
      if (!entry) return;
      if (!TARGET_ID.test(identity)) {
        const fields = { target: target.id, identity: identity.slice(0, 200) };
        deps.log.error(fields, `a kit tells an id that cannot be one: ${EXPECTED_ID}; give it an id in kits.yaml`);
        return;
      }
      if (current.has(identity)) return void isRefused(target.id, identity);
      remove(target.id);
      const promoted = settled(target, identity);
      add(entry.configured, promoted, undefined);
      deps.scheduler.add(slotsOf(promoted));
      deps.log.info({ kit: identity, address: kitAddress(target) }, "a kit without a configured id told its own");
    },
  };
}
