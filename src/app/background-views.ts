import type { Buffers, BufferView } from "../buffer/buffers.ts";
import type { ComponentView, HealthView as Health } from "../health/components.ts";
import type { BuffersView, ComponentDetail, ComponentSummary, HealthView, JobBuffer } from "../http/app/background.ts";
import { type ConfiguredTarget, intervalOf } from "../model/target.ts";

/** Values in one answer: some megabytes of JSON, made in one go. */
const MAX_VALUES = 50_000;

/** What is kept of a target's runs, for the API. */
export function buffersView(
  { id, jobs }: ConfiguredTarget,
  buffers: Pick<Buffers, "view" | "points" | "memory">,
  limit: number,
  since: number | undefined,
): BuffersView {
  const { bytes, maxBytes } = buffers.memory();
  const views = buffers.view(id);
  const most = Math.max(1, Math.min(limit, Math.floor(MAX_VALUES / Math.max(1, seriesIn(views)))));
  return {
    target: id,
    memory: { used: bytes, limit: maxBytes },
    jobs: views.map((view) => ({
      ...jobBuffer(view, jobs[view.job]?.trigger),
      recent: buffers.points(id, view.job, most, since),
    })),
  };
}

const seriesIn = (views: readonly BufferView[]) => views.reduce((sum, { series }) => sum + series, 0);

function jobBuffer(view: BufferView, trigger: ConfiguredTarget["jobs"][string]["trigger"] | undefined) {
  const every = trigger && intervalOf(trigger);
  const { job, capacity, wanted, size, oldest, newest, runs, failed, leftOut, windows } = view;
  return {
    ...{ job, capacity, wanted, size },
    reach_seconds: every === undefined ? null : (capacity * every) / 1_000,
    ...{ oldest, newest, total_runs: runs, failed_runs: failed, series_left_out: leftOut, windows },
  } satisfies Omit<JobBuffer, "recent">;
}

const summaryOf = ({ id, state, reason, since, trend }: ComponentView): ComponentSummary => ({
  ...{ component: id, state, reason, since, trend },
});

/** All components, or one of them with its history. */
export function healthView(health: Health, component: string | undefined): HealthView | ComponentDetail | undefined {
  if (component !== undefined) {
    const view = health.components.find(({ id }) => id === component);
    return view && { ...summaryOf(view), history: view.history };
  }
  const { overall, trend, since, components, alerts } = health;
  return {
    ...{ overall, trend, since },
    components: components.map(summaryOf),
    alerts: alerts.map(({ at, id, from, to, severity, details }) => ({
      at,
      component: id,
      from,
      to,
      severity,
      details,
    })),
  };
}
