import type { Buffers } from "../buffer/buffers.ts";
import { WINDOWS } from "../buffer/windows.ts";
import type { Family, Point } from "../expose/types.ts";
import type { ComponentView } from "../health/components.ts";
import { COMPONENT_STATES, type Trend } from "../model/health.ts";
import type { ConfiguredTarget } from "../model/target.ts";

const SUCCESS: Family = {
  name: "gleaner_job_success_ratio",
  type: "gauge",
  unit: "ratio",
  help: "Share of the runs that did not fail within the last 1, 5, 15 or 60 minutes; absent where there was no run.",
};
const HEALTH: Family = {
  name: "gleaner_component_health",
  type: "gauge",
  help: "Health of a job, of the way to a target, or of a part of gleaner: 1 for the state it is in, 0 for the others.",
};
const TREND: Family = {
  name: "gleaner_component_trend",
  type: "gauge",
  help: "Where a component's last ten evaluations go: 1 improving, 0 stable, -1 degrading.",
};
const MEMORY: Family = {
  name: "gleaner_buffer_memory_bytes",
  type: "gauge",
  unit: "bytes",
  help: "Memory that the buffers of runs take.",
};
const MEMORY_LIMIT: Family = {
  name: "gleaner_buffer_memory_limit_bytes",
  type: "gauge",
  unit: "bytes",
  help: "Memory that the buffers of runs may take.",
};

const TREND_VALUES: Readonly<Record<Trend, number>> = { improving: 1, stable: 0, degrading: -1 };

/**
 * How the jobs of a target fared in each window. Not for kits: at 2,000 of them it would be 24,000 series, or 6,000 of one
 * window, for what `gleaner_job_failures_total` and `gleaner_job_runs_total` say of them already.
 */
export function successPoints({ id, plugin, jobs }: ConfiguredTarget, success: Buffers["success"]): Point[] {
  return Object.keys(jobs).flatMap((job) =>
    Object.entries(WINDOWS).flatMap(([window, length]) => {
      const value = success(id, job, length)?.ratio;
      const labels = { target: id, plugin: plugin.id, job, window };
      return value === undefined ? [] : [{ family: SUCCESS, labels, value }];
    }),
  );
}

/** The health of every component, and what the buffers take. */
export function componentPoints(components: readonly ComponentView[], memory: ReturnType<Buffers["memory"]>): Point[] {
  return [
    ...components.flatMap(({ id, state: current, trend }) => [
      ...COMPONENT_STATES.map((state) => ({
        family: HEALTH,
        labels: { component: id, state },
        value: state === current ? 1 : 0,
      })),
      { family: TREND, labels: { component: id }, value: TREND_VALUES[trend] },
    ]),
    { family: MEMORY, labels: {}, value: memory.bytes },
    { family: MEMORY_LIMIT, labels: {}, value: memory.maxBytes },
  ];
}
