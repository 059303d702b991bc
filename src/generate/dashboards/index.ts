import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Plugin } from "../../model/plugin.ts";
import type { Output } from "../output.ts";
import { airspace } from "./airspace.ts";
import { assemble, type Definition } from "./assemble.ts";
import { collector } from "./collector.ts";
import { fleet } from "./fleet.ts";
import { history } from "./history.ts";
import { host } from "./host.ts";
import { kit } from "./kit.ts";
import { pluginDashboard } from "./plugin.ts";
import { plugins } from "./plugins.ts";

/** Every dashboard by the name of its file. */
function definitions(all: readonly Plugin[]): Readonly<Record<string, Definition>> {
  const each = all.map((plugin) => [`plugin-${plugin.id}`, pluginDashboard(plugin)]);
  return { fleet: fleet(all), kit, airspace, plugins, host, collector, history, ...Object.fromEntries(each) };
}

/** Every dashboard by the path of its file. */
export function dashboards(installed: readonly Plugin[]): ReadonlyMap<string, Dashboard> {
  const all = Object.entries(definitions(installed));
  return new Map(all.map(([name, definition]) => [`dashboards/${name}.json`, assemble(definition)]));
}

/** The files of `dashboards/`. */
export function dashboardFiles(installed: readonly Plugin[]): Output[] {
  return [...dashboards(installed)].map(([path, dashboard]) => ({
    path,
    text: `${JSON.stringify(dashboard, null, 2)}\n`,
  }));
}
