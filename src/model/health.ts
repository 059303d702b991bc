/** States of a plugin's target: 2 consecutive failures are degraded, 5 are failing. */
export const PLUGIN_STATES = ["unknown", "healthy", "degraded", "failing"] as const;
export type PluginState = (typeof PLUGIN_STATES)[number];

/** States of a field kit. */
export const KIT_STATES = ["unknown", "online", "offline", "stale", "error"] as const;
export type KitState = (typeof KIT_STATES)[number];

export type TargetState = PluginState | KitState;

export type Severity = "info" | "warning" | "error" | "critical";

/** States of a component, the best first: a job, what all jobs of a target have in common, or a part of gleaner's own. */
export const COMPONENT_STATES = ["healthy", "degraded", "unhealthy", "critical"] as const;
export type ComponentState = (typeof COMPONENT_STATES)[number];

/** Where a component's states are going. */
export const TRENDS = ["degrading", "stable", "improving"] as const;
export type Trend = (typeof TRENDS)[number];

/** A change of a target's or component's state, as stored in `health_events`. */
export interface Transition {
  readonly at: Date;
  readonly kind: "target" | "kit" | "identity" | "component";
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly severity: Severity;
  readonly details: string;
}
