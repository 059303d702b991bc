import { parseDuration } from "../model/duration.ts";
import type { Plugin } from "../model/plugin.ts";
import { configFaults } from "./config.ts";
import { type Fault, faultsOf, SENTENCE, SNAKE } from "./fault.ts";
import { metricFaults } from "./metrics.ts";

/**
 * What is wrong with a plugin, as far as its declarations tell; empty when all is right.
 * @param name of its file, without the extension
 */
export function pluginFaults(plugin: Plugin, name: string): Fault[] {
  return [
    ...metadataFaults(plugin, name),
    ...needFaults(plugin),
    ...configFaults(plugin),
    ...metricFaults(plugin.metrics),
    ...alertFaults(plugin),
    ...jobFaults(plugin),
  ];
}

/** The same, as far as it can be told without the schema of its configuration: of a plugin that is in another process. */
export function declarationFaults(plugin: Plugin, name: string): Fault[] {
  return [
    ...metadataFaults(plugin, name),
    ...metricFaults(plugin.metrics),
    ...alertFaults(plugin),
    ...jobFaults(plugin),
  ];
}

function metadataFaults(plugin: Plugin, name: string): Fault[] {
  const { id, title, summary, version, author, tags = [], furtherMetrics } = plugin;
  const hasMetrics = Object.keys(plugin.metrics).length > 0 || furtherMetrics !== undefined;
  const isOddTag = (tag: string) => !/^[a-z0-9][a-z0-9 _-]{0,39}$/.test(tag);
  return [
    ...faultsOf(["id"], [[id !== name, `the id ${id} is not the file's name ${name}`]]),
    ...faultsOf(["id"], [[!SNAKE.test(id), `the id ${id} is not snake_case`]]),
    ...faultsOf(["title"], [[!/^\S.{0,60}$/.test(title), "the title is not a line of at most 60 characters"]]),
    ...faultsOf(["summary"], [[!SENTENCE.test(summary), "the summary does not read as text"]]),
    ...faultsOf(["version"], [[!/^\d+\.\d+\.\d+$/.test(version), "the version is not of the form 1.2.3"]]),
    ...faultsOf(["author"], [[author?.trim() === "", "the author is empty"]]),
    ...faultsOf(["tags"], [[tags.some(isOddTag), "a tag is not of small letters, digits, blanks, _ and -"]]),
    ...faultsOf(["metrics"], [[!hasMetrics, "there are no metrics"]]),
    ...faultsOf(
      ["furtherMetrics"],
      [[furtherMetrics !== undefined && !SENTENCE.test(furtherMetrics), "furtherMetrics does not read as text"]],
    ),
  ];
}

function needFaults({ enabledByDefault, config }: Plugin): Fault[] {
  const needs = enabledByDefault && !config.safeParse({}).success;
  return faultsOf(["enabledByDefault"], [[needs, "it runs by default, and needs configuration"]]);
}

function alertFaults({ metrics }: Plugin): Fault[] {
  const alerts = Object.entries(metrics).flatMap(([key, { alert = [] }]) => alert.map((one) => ({ key, one })));
  const twice = alerts.filter(({ one }, i) => alerts.findIndex((other) => other.one.name === one.name) !== i);
  const faults = alerts.flatMap(({ key, one }) =>
    faultsOf(
      ["metrics", key, "alert"],
      [
        [!SNAKE.test(one.name), `the alert ${one.name} is not snake_case`],
        [!Number.isFinite(one.threshold), `the alert ${one.name} has no threshold`],
        [!isDuration(one.for), `the alert ${one.name} says no duration in "for"`],
        [!/^[A-Z0-9{].*\S$/s.test(one.summary), `the alert ${one.name} has a summary that does not read as text`],
      ],
    ),
  );
  return [
    ...faults,
    ...twice.map(({ key, one }) => ({
      message: `the alert ${one.name} is there twice`,
      at: ["metrics", key, "alert"],
    })),
  ];
}

function isDuration(text: string): boolean {
  try {
    return parseDuration(text) >= 0;
  } catch {
    return false;
  }
}

function jobFaults({ jobs, metrics }: Plugin): Fault[] {
  const faults = Object.entries(jobs).flatMap(([name, { every, timeout = 1, summary, requires = [] }]) =>
    faultsOf(
      ["jobs", name],
      [
        [!SNAKE.test(name), `the job ${name} is not snake_case`],
        [!SENTENCE.test(summary), `the job ${name} has a summary that does not read as text`],
        [!(Number.isFinite(every) && every > 0), `the job ${name} has no interval`],
        [!(timeout > 0), `the job ${name} has a timeout that nothing meets`],
        ...requires.map(
          (key) => [!Object.hasOwn(metrics, key), `the job ${name} requires ${key}, not declared`] as const,
        ),
      ],
    ),
  );
  return [...faults, ...faultsOf(["jobs"], [[Object.keys(jobs).length === 0, "there are no jobs"]])];
}
