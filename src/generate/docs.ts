import { formatDuration } from "../model/duration.ts";
import type { Plugin } from "../model/plugin.ts";
import type { MetricSpec } from "../model/sample.ts";
import { fieldOf, rowsOf } from "./fields.ts";
import { code, fieldTable, GENERATED, plain, sentence, table } from "./markdown.ts";

/**
 * docs/plugins.md: a section for every plugin, out of what the plugins declare.
 * @param tested the section on how they are tested
 */
export function pluginsDoc(plugins: readonly Plugin[], tested: readonly string[] = []): string {
  return [
    GENERATED,
    "# Plugins",
    "",
    "Metrics are exposed with the label `target`, which is left out below.",
    "",
    ...table(
      ["plugin", "category", "by default", "summary"],
      plugins.map(({ id, category, enabledByDefault, summary }) => [
        `[${code(id)}](#${id})`,
        category,
        enabledByDefault ? "on" : "off",
        plain(summary),
      ]),
    ),
    ...(tested.length > 0 ? ["", ...tested] : []),
    ...plugins.flatMap(section),
    "",
  ].join("\n");
}

function section(plugin: Plugin): string[] {
  const fields = rowsOf(fieldOf(plugin.config));
  const author = plugin.author === undefined ? "" : `, by ${plain(plugin.author)}`;
  return [
    "",
    `## ${plugin.id}`,
    "",
    `**${plain(plugin.title)}** (version ${plugin.version}${author}). ${plain(sentence(plugin.summary))}`,
    ...(plugin.tags?.length ? [`Tags: ${plugin.tags.map(code).join(", ")}.`] : []),
    plugin.enabledByDefault
      ? "Runs by default."
      : `Configured in ${plugin.health === "kit" ? "kits.yaml" : "gleaner.yaml"}.`,
    "",
    ...(fields.length > 0 ? ["Settings, under `config`:", "", ...fieldTable(fields)] : ["It has no settings."]),
    "",
    ...table(
      ["job", "every", "timeout", "collects"],
      Object.entries(plugin.jobs).map(([name, { every, timeout, summary }]) => [
        code(name),
        formatDuration(every),
        timeout === undefined ? "default" : formatDuration(timeout),
        plain(summary),
      ]),
    ),
    "",
    ...table(["metric", "type", "unit", "labels", "help"], Object.entries(plugin.metrics).map(metricRow)),
    ...(plugin.furtherMetrics === undefined ? [] : ["", `Further metrics: ${plain(plugin.furtherMetrics)}`]),
  ];
}

function metricRow([key, { type, unit, labels, help }]: [string, MetricSpec]): string[] {
  return [code(`gleaner_${key}`), type ?? "gauge", unit ?? "", (labels ?? []).map(code).join(", "), plain(help)];
}
