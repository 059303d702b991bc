import type { ComponentState, Transition, Trend } from "../model/health.ts";
import { type ComponentHealth, changeOf, stepComponent, trendOf, worst } from "./component.ts";
import type { Verdict } from "./verdicts.ts";

/** What is known of a component now. */
export interface ComponentView extends ComponentHealth {
  readonly id: string;
  readonly trend: Trend;
}

/** All components, and how gleaner is as a whole: as its worst component. */
export interface HealthView {
  readonly overall: ComponentState;
  readonly trend: Trend;
  readonly since: Date | null;
  readonly components: readonly ComponentView[];
  /** Changes of state, the newest last. */
  readonly alerts: readonly Transition[];
}

export interface Components {
  /** Takes in an evaluation of all components there are; of one that is not among them nothing is known any more. */
  evaluate(verdicts: ReadonlyMap<string, Verdict>): void;
  view(): HealthView;
}

/** Alerts that are kept. */
const ALERTS = 50;

/** Holds the health of components, moves it on by the folds of component.ts, and tells of each change. */
export function createComponents(deps: {
  readonly wall: () => Date;
  readonly onTransition: (change: Transition) => void;
}): Components {
  let components = new Map<string, ComponentHealth>();
  let overall: ComponentHealth | undefined;
  let alerts: readonly Transition[] = [];

  return {
    evaluate(verdicts) {
      const at = deps.wall();
      const next = new Map<string, ComponentHealth>();
      for (const [id, verdict] of verdicts) {
        const before = components.get(id);
        const after = stepComponent(before, verdict, at);
        next.set(id, after);
        const change = changeOf(id, before, after);
        if (!change) continue;
        alerts = [...alerts, change].slice(-ALERTS);
        deps.onTransition(change);
      }
      components = next;
      overall = stepComponent(overall, { state: worst([...next.values()].map(({ state }) => state)), reason: "" }, at);
    },
    view: () => ({
      overall: overall?.state ?? "healthy",
      trend: overall ? trendOf(overall) : "stable",
      since: overall?.since ?? null,
      components: [...components].map(([id, health]) => ({ id, ...health, trend: trendOf(health) })),
      alerts,
    }),
  };
}
