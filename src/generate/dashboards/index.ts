import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Plugin } from "../../model/plugin.ts";
import type { Output } from "../output.ts";
import { assemble } from "./assemble.ts";
import { fleet } from "./fleet.ts";
import { kit } from "./kit.ts";

/** Every dashboard by the path of its file. */
export function dashboards(_plugins: readonly Plugin[]): ReadonlyMap<string, Dashboard> {
  return new Map([
    ["dashboards/fleet.json", assemble(fleet)],
    ["dashboards/kit.json", assemble(kit)],
  ]);
}

/** The files of `dashboards/`. */
export function dashboardFiles(plugins: readonly Plugin[]): Output[] {
  return [...dashboards(plugins)].map(([path, dashboard]) => ({
    path,
    text: `${JSON.stringify(dashboard, null, 2)}\n`,
  }));
}
