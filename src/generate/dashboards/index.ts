import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Plugin } from "../../model/plugin.ts";
import type { Output } from "../output.ts";
import { airspace } from "./airspace.ts";
import { assemble, type Definition } from "./assemble.ts";
import { collector } from "./collector.ts";
import { fleet } from "./fleet.ts";
import { kit } from "./kit.ts";

/** Every dashboard by the name of its file. */
function definitions(_plugins: readonly Plugin[]): Readonly<Record<string, Definition>> {
  return { fleet, kit, airspace, collector };
}

/** Every dashboard by the path of its file. */
export function dashboards(plugins: readonly Plugin[]): ReadonlyMap<string, Dashboard> {
  const all = Object.entries(definitions(plugins));
  return new Map(all.map(([name, definition]) => [`dashboards/${name}.json`, assemble(definition)]));
}

/** The files of `dashboards/`. */
export function dashboardFiles(plugins: readonly Plugin[]): Output[] {
  return [...dashboards(plugins)].map(([path, dashboard]) => ({
    path,
    text: `${JSON.stringify(dashboard, null, 2)}\n`,
  }));
}
