import { COMPONENT_STATES, type ComponentState, type Severity, type Transition, type Trend } from "../model/health.ts";
import type { Verdict } from "./verdicts.ts";

/** One evaluation of a component. */
export interface HealthRecord extends Verdict {
  readonly at: Date;
}

/** A component: its evaluations, the newest last, and when it came into the state it is in. */
export interface ComponentHealth {
  readonly state: ComponentState;
  readonly reason: string;
  readonly since: Date;
  readonly history: readonly HealthRecord[];
}

/** Evaluations that are kept of each component, and those that its trend is taken from. */
const HISTORY = 100;
const TREND_OVER = 10;

/** How bad it is to come into a state. */
export const SEVERITY: Readonly<Record<ComponentState, Severity>> = {
  healthy: "info",
  degraded: "warning",
  unhealthy: "error",
  critical: "critical",
};

/** Takes in an evaluation. Pure. */
export function stepComponent(
  before: ComponentHealth | undefined,
  { state, reason }: Verdict,
  at: Date,
): ComponentHealth {
  const history = [...(before?.history ?? []), { at, state, reason }].slice(-HISTORY);
  return { state, reason, since: before?.state === state ? before.since : at, history };
}

/** The change that an evaluation brought, if any: the first one of a component is none. */
export function changeOf(
  id: string,
  before: ComponentHealth | undefined,
  after: ComponentHealth,
): Transition | undefined {
  if (before === undefined || before.state === after.state) return undefined;
  const details = after.reason || "well again";
  return {
    ...{ at: after.since, kind: "component", id, from: before.state, to: after.state },
    ...{ severity: SEVERITY[after.state], details },
  };
}

/** Where the last ten evaluations go: more steps into healthy than out of it, or fewer, or as many. */
export function trendOf({ history }: Pick<ComponentHealth, "history">): Trend {
  let balance = 0;
  const last = history.slice(-TREND_OVER);
  for (const [i, { state }] of last.entries()) {
    const before = last[i - 1]?.state ?? state;
    if (before !== "healthy" && state === "healthy") balance++;
    if (before === "healthy" && state !== "healthy") balance--;
  }
  if (balance === 0) return "stable";
  return balance > 0 ? "improving" : "degrading";
}

/** The state of the worst of several; healthy when there are none. */
export function worst(states: Iterable<ComponentState>): ComponentState {
  let code = 0;
  for (const state of states) code = Math.max(code, COMPONENT_STATES.indexOf(state));
  return COMPONENT_STATES[code] as ComponentState;
}
