import type { Plugin } from "../../model/plugin.ts";
import type { Definition } from "./assemble.ts";
import { stateTimeline, timeseries } from "./kinds.ts";
import { pluginUid } from "./links.ts";
import { metricPanel, ownerLabel } from "./metric-panel.ts";
import { metric, orNone, prom, rate } from "./queries.ts";
import { kitStateCode, STATE_CODES, targetStateCode } from "./states.ts";
import { UNITS } from "./units.ts";
import { COLLECTORS, labelVariable } from "./variables.ts";

/** Metrics that are open when the dashboard is opened: as many as fit on a screen below the first three panels. */
const OPEN = 9;

/** A plugin's own dashboard: how its collections go, and a panel for every metric it declares, in its own order. */
export function pluginDashboard(plugin: Plugin): Definition {
  const { id, title, summary } = plugin;
  const metrics = Object.entries(plugin.metrics).map(([key, spec]) => metricPanel(plugin, key, spec));
  const further = metrics.slice(OPEN);
  return {
    uid: pluginUid(id),
    title: `gleaner / Plugin / ${title}`,
    description: summary,
    range: "3h",
    tags: ["gleaner-plugin"],
    variables: [...COLLECTORS, ownerVariable(plugin)],
    tiles: [...collections(plugin), ...metrics.slice(0, OPEN)],
    folded: further.length > 0 ? [{ title: "Further metrics", tiles: further }] : [],
  };
}

const OWNERS = {
  kit: { label: "Kit", description: "Kits that are shown.", of: "gleaner_kit_info" },
  target: { label: "Target", description: "Targets of the plugin that are shown.", of: "gleaner_target_up" },
} as const;

function ownerVariable(plugin: Plugin) {
  const name = ownerLabel(plugin);
  const { label, description, of } = OWNERS[name];
  const matchers = name === "kit" ? "" : `plugin="${plugin.id}"`;
  return labelVariable({ name, label, description, of: metric(of, matchers) });
}

/** State, duration and outcome of its collections. */
function collections(plugin: Plugin) {
  const owner = ownerLabel(plugin);
  const ofPlugin = `plugin="${plugin.id}"`;
  const own = `${ofPlugin}, target=~"$${owner}"`;
  const code = owner === "kit" ? kitStateCode('kit=~"$kit", ') : targetStateCode(`${own}, `);
  const seconds = (part: string) => `sum by (exported_job) (${rate(`gleaner_job_duration_seconds_${part}`, ofPlugin)})`;
  return [
    stateTimeline({
      title: "State",
      description: "How each of its targets fared.",
      ...{ w: 8, h: 6, mappings: [STATE_CODES], interval: "15s", queries: [prom(code, `{{${owner}}}`)] },
    }),
    timeseries({
      title: "Collection time",
      description:
        "How long a collection of each of its jobs takes on the mean, over all targets, retries and waits included.",
      ...{
        w: 8,
        h: 6,
        unit: UNITS.Seconds,
        interval: "1m",
        queries: [prom(`${seconds("sum")} / ${seconds("count")}`, "{{exported_job}}")],
      },
    }),
    timeseries({
      title: "Collections",
      description: "Collections a second by job, and the failed ones among them by kind.",
      ...{ w: 8, h: 6, unit: UNITS.CountsPerSecond, interval: "1m" },
      queries: [
        prom(`sum by (exported_job) (${rate("gleaner_job_runs_total", own)})`, "{{exported_job}}"),
        prom(orNone("kind", `sum by (kind) (${rate("gleaner_job_failures_total", own)})`), "failed: {{kind}}"),
      ],
    }),
  ];
}
