import type { TargetView } from "../health/monitor.ts";
import type { KitState } from "../model/health.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import type { KitRecord, TargetStatus } from "../store/store.ts";

/** A target's view as the row of `plugin_status`. */
export function statusRecord(view: TargetView): TargetStatus {
  return {
    targetId: view.target.id,
    pluginId: view.target.plugin.id,
    state: view.state,
    lastRun: view.lastRun,
    lastSuccess: view.lastSuccess,
    lastError: view.lastError,
    errorCount: view.errors,
    consecutiveErrors: view.consecutiveFailures,
  };
}

/** The address of a kit's API, as its plugin's configuration has it. */
export function kitAddress(target: ConfiguredTarget): string {
  return (target.config as { api_url: string }).api_url;
}

/** A kit's view as the row of `kits`. */
export function kitRecord(view: TargetView): KitRecord {
  const { target } = view;
  const { location = null, ...tags } = target.tags;
  return {
    kitId: target.id,
    name: target.name,
    location,
    apiUrl: kitAddress(target),
    status: view.state as KitState,
    lastSeen: view.lastSuccess,
    enabled: true,
    source: "http",
    tags,
    uid: view.identity,
  };
}

/** Kits the database remembers as enabled that are no longer configured: kept with their rows, but not polled. */
export function retiredKits(remembered: readonly KitRecord[], targets: readonly ConfiguredTarget[]): KitRecord[] {
  const current = new Set(targets.map((target) => target.id));
  return remembered
    .filter((kit) => kit.enabled && kit.source === "http" && !current.has(kit.kitId))
    .map((kit) => ({ ...kit, enabled: false, status: "unknown" }));
}
