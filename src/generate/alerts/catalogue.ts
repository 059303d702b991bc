import { KIT_ALERTS } from "../../app/kit-alerts.ts";
import { TARGET_ALERTS } from "../../app/target-alerts.ts";
import { SELF_ALERTS } from "../../expose/self-alerts.ts";
import type { Alert, AlertGroup } from "../../model/alert.ts";
import { parseDuration } from "../../model/duration.ts";
import type { Plugin } from "../../model/plugin.ts";
import { grafanaUid } from "./grafana.ts";
import { placeholderFaults } from "./text.ts";
import { thresholdGroups } from "./thresholds.ts";

/**
 * Every alert that comes with gleaner: on kits, on targets, on gleaner itself, and the thresholds of the plugins.
 * @throws {Error} that names an alert whose declaration cannot become a rule
 */
export function builtInAlerts(plugins: readonly Plugin[]): AlertGroup[] {
  const groups = [KIT_ALERTS, TARGET_ALERTS, SELF_ALERTS, ...thresholdGroups(plugins)];
  const faults = faultsOf(groups);
  if (faults.length > 0) throw new Error(`alerts that cannot become rules:\n${faults.join("\n")}`);
  return groups;
}

/** Why alerts cannot become rules, a line each. */
export function faultsOf(groups: readonly AlertGroup[]): string[] {
  const alerts = groups.flatMap((group) => group.alerts);
  const doubles = (of: (alert: Alert) => string, what: string) =>
    alerts
      .filter((alert, index) => alerts.findIndex((other) => of(other) === of(alert)) !== index)
      .map(({ id }) => `${id}: another alert has this ${what}`);
  return [
    ...doubles(({ id }) => grafanaUid(id), "id"),
    ...doubles(({ title }) => title, "title"),
    ...alerts.flatMap(alertFaults),
  ];
}

function alertFaults(alert: Alert): string[] {
  const faults = [
    ...(/^[a-z][a-z0-9_]*$/.test(alert.id) ? [] : ["expected an id in snake_case"]),
    ...(typeof alert.runbook === "object" ? [] : ["expected a runbook"]),
    ...(Number.isFinite(alert.threshold) ? [] : ["expected a finite threshold"]),
    ...[alert.for, alert.keepFiringFor ?? "0s"].flatMap(durationFaults),
    ...placeholderFaults(alert),
  ];
  return faults.map((fault) => `${alert.id}: ${fault}`);
}

function durationFaults(text: string): string[] {
  try {
    return parseDuration(text) >= 0 && /[a-z]$/.test(text) ? [] : [`${text}: expected a unit`];
  } catch (error) {
    return [String(error)];
  }
}
