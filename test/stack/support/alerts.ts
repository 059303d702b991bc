import { basename } from "node:path";
import { yaml } from "../../packaging/files.ts";
import { ON_THIS_MACHINE } from "../expected.ts";
import { ask, type Prometheus, type Series } from "../grafana/prometheus.ts";
import { RULE_FILES, SCRAPE_MS } from "./servers.ts";

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly labels: { alert_id: string } }[];
  }[];
}

/** alert_ids that are about this machine and not about the scene. */
const MACHINE_ALERTS = new Set(
  RULE_FILES.filter((file) => ON_THIS_MACHINE.includes(basename(file, ".rules.yml"))).flatMap((file) =>
    (yaml(file) as Rules).groups.flatMap(({ rules }) => rules.map(({ labels }) => labels.alert_id)),
  ),
);

/** `alert_id subject` of an alert by its labels; the subject is the kit, target, plugin or reason. */
export function nameOf(labels: Readonly<Record<string, string>>): string {
  const { alert_id = labels["alertname"] ?? "", kit, target, reason } = labels;
  return [alert_id, kit ?? target ?? reason ?? ""].join(" ").trim();
}

export const isOfScene = (name: string): boolean => !MACHINE_ALERTS.has(name.split(" ", 1)[0] ?? "");

/** Alerts of the scene that fire at this moment. */
export async function firingNow(prometheus: Prometheus): Promise<string[]> {
  const { alerts } = await ask<{ alerts: { labels: Record<string, string>; state: string }[] }>(prometheus, "alerts");
  const names = alerts.filter(({ state }) => state === "firing").map(({ labels }) => nameOf(labels));
  return [...new Set(names)].filter(isOfScene).sort();
}

/** Every alert that fired between two times (epoch ms): those of the scene, and those of this machine. */
export async function firedBetween(prometheus: Prometheus, from: number, to: number) {
  const parameters = { start: String(from / 1_000), end: String(to / 1_000), step: String(SCRAPE_MS / 1_000) };
  const query = 'ALERTS{alertstate="firing"}';
  const { result } = await ask<{ result: Series[] }>(prometheus, "query_range", { query, ...parameters });
  const names = [...new Set(result.map(({ metric }) => nameOf(metric)))].sort();
  return { scene: names.filter(isOfScene), machine: names.filter((name) => !isOfScene(name)) };
}

/** A rule as Prometheus runs it. */
export interface RunningRule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

/** All rules that Prometheus has loaded. */
export async function rulesOf(prometheus: Prometheus): Promise<RunningRule[]> {
  const { groups } = await ask<{ groups: { rules: RunningRule[] }[] }>(prometheus, "rules");
  return groups.flatMap(({ rules }) => rules);
}
