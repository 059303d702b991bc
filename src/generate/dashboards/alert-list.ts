import type { Tile } from "./panels.ts";

/** Grafana's own list of alerts that fire or are about to; it has no query. */
export function alertList(size: { readonly w: number; readonly h: number }): Tile {
  const stateFilter = { firing: true, pending: true, recovering: true, noData: true, error: true, normal: false };
  return {
    ...size,
    panel: {
      type: "alertlist",
      title: "Alerts",
      description: "Alerts of Grafana's that fire or are about to, the newest first. Empty is good.",
      options: {
        ...{ viewMode: "list", groupMode: "default", groupBy: [], maxItems: 20, sortOrder: 3, stateFilter },
        ...{ dashboardAlerts: false, alertName: "", alertInstanceLabelFilter: "", showInstances: true },
      },
      fieldConfig: { defaults: {}, overrides: [] },
    },
  };
}
